//! An export's object tags: labels for lifecycle rules and people. Ours are merged into whatever tags are there.

use aws_sdk_s3::types::{Tag, Tagging};

use crate::error::Error;
use crate::record::{ExportObject, Record};
use crate::service::{Fault, ServiceError};

use super::Store;

/// S3 holds ten tags on an object (S3 user guide, "Categorizing your storage using tags").
const MAX_TAGS: usize = 10;

/// The tag that the lifecycle rules go by.
pub const VERDICT: &str = "Verdict";

const SIGNATURE: &str = "Signature";

/// A tag's key and value.
type Pair = (String, String);

/// The tags that an export had before it was indexed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresentTags(Vec<Pair>);

impl PresentTags {
    /// Which of the tags that a record asks for find no room beside others'.
    #[must_use]
    pub fn without_room(&self, record: &Record) -> Vec<String> {
        merge(&self.0, ours(record)).1
    }
}

impl Store {
    /// The tags of an export, of its present version; none where it is not there any more.
    pub async fn present_tags(&self, key: &str) -> Result<PresentTags, Error> {
        Ok(PresentTags(self.export_tags(key, None).await?.unwrap_or_default()))
    }

    /// Brings an export's tags into line with its record: ours are set, others' are left as they are. Writes nothing where
    /// nothing changes.
    pub async fn merge_tags(&self, export: &ExportObject, record: &Record) -> Result<(), Error> {
        let Some(mut existing) = self.export_tags(&export.key, export.version_id.clone()).await? else {
            return Ok(());
        };
        let (mut merged, _) = merge(&existing, ours(record));
        existing.sort();
        merged.sort();
        if merged == existing {
            return Ok(());
        }
        let tags = merged.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags
            .collect::<Result<Vec<_>, _>>()
            .and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build());
        let tags =
            tags.map_err(|error| Error::Object { key: export.key.clone(), detail: error.to_string() })?;
        let put = self.client.put_object_tagging().bucket(&self.bucket).key(&export.key).tagging(tags);
        match put.set_version_id(export.version_id.clone()).send().await {
            Ok(_) => Ok(()),
            Err(error) => gone_is_fine(ServiceError::new("PutObjectTagging", &error)).map(drop),
        }
    }

    /// An export's tags; nothing where it is not there any more.
    async fn export_tags(&self, key: &str, version: Option<String>) -> Result<Option<Vec<Pair>>, Error> {
        let get = self.client.get_object_tagging().bucket(&self.bucket).key(key);
        match get.set_version_id(version).send().await {
            Ok(output) => {
                Ok(Some(output.tag_set().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()))
            }
            Err(error) => gone_is_fine(ServiceError::new("GetObjectTagging", &error)),
        }
    }
}

/// An export may expire or be deleted while its record is written.
fn gone_is_fine(error: ServiceError) -> Result<Option<Vec<Pair>>, Error> {
    if error.fault == Fault::NotFound { Ok(None) } else { Err(error.into()) }
}

/// The tags that say what a record says, the most useful first. Ids and enums only.
fn ours(record: &Record) -> Vec<Pair> {
    let session = &record.session;
    let tags = [
        (VERDICT, record.judgement.verdict.as_ref().map(ToString::to_string)),
        ("EndReason", session.end_reason.clone()),
        ("Application", session.application_id.as_ref().map(ToString::to_string)),
        ("StreamGroup", Some(session.stream_group_id.to_string())),
        ("StreamSession", Some(session.id.to_string())),
        (SIGNATURE, record.judgement.signature.as_ref().map(|it| format!("v{}-{}", it.version, it.id))),
        ("Trigger", record.trigger.as_ref().map(|trigger| trigger.kind.clone())),
    ];
    tags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), tag_safe(&value?)))).collect()
}

/// Others' tags stay, all of them; ours take the room that is left, the first ones first. Says which of ours found none.
fn merge(existing: &[Pair], ours: Vec<Pair>) -> (Vec<Pair>, Vec<String>) {
    let is_new = |key: &str| ours.iter().any(|(new, _)| new == key);
    let others = existing.iter().filter(|(key, value)| !is_new(key) && !is_old_signature(key, value));
    let mut merged: Vec<_> = others.cloned().collect();
    let mut left_out = Vec::new();
    for (key, value) in ours {
        if merged.len() < MAX_TAGS {
            merged.push((key, value));
        } else {
            left_out.push(key);
        }
    }
    (merged, left_out)
}

/// Whether it is a signature of ours: if the record has none any more, it was that of another judgement.
fn is_old_signature(key: &str, value: &str) -> bool {
    let id = value.strip_prefix('v').and_then(|rest| rest.split_once('-'));
    key == SIGNATURE
        && id.is_some_and(|(version, id)| {
            version.bytes().all(|c| c.is_ascii_digit())
                && id.len() == 16
                && id.bytes().all(|c| c.is_ascii_hexdigit())
        })
}

/// S3 takes letters, digits, spaces and `+ - = . _ : / @`, 256 UTF-16 units at most. The service's words are open, so a
/// new one might not fit.
fn tag_safe(value: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c);
    value.chars().map(|c| if allowed(c) { c } else { '_' }).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<Pair> {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn others_tags_stay_and_ours_change() {
        let existing = pairs(&[("team", "red"), ("Verdict", "exited"), ("cost", "7")]);
        let (merged, left_out) =
            merge(&existing, pairs(&[("Verdict", "crash"), ("EndReason", "applicationExit")]));
        let expected =
            [("team", "red"), ("cost", "7"), ("Verdict", "crash"), ("EndReason", "applicationExit")];
        assert_eq!((merged, left_out), (pairs(&expected), vec![]));
    }

    fn others(count: usize) -> Vec<Pair> {
        (0..count).map(|n| (format!("k{n}"), "v".to_owned())).collect()
    }

    #[test]
    fn where_there_is_no_room_ours_give_way_from_the_last_and_no_other() {
        let ours = || pairs(&[("Verdict", "crash"), ("EndReason", "x")]);
        let (merged, left_out) = merge(&others(9), ours());
        assert_eq!((&merged[..9], &merged[9].0[..]), (&others(9)[..], "Verdict"));
        assert_eq!(left_out, ["EndReason"]);
        assert_eq!(merge(&others(10), ours()), (others(10), vec!["Verdict".into(), "EndReason".into()]));
        // Again, with what the first time left: the same.
        assert_eq!(merge(&merged, ours()), (merged, left_out));
    }

    #[test]
    fn of_ours_the_last_gives_way_also_where_it_was_there_before() {
        let mut existing = others(9);
        existing.extend(pairs(&[("Trigger", "sweep")]));
        let (merged, left_out) = merge(&existing, pairs(&[("Verdict", "crash"), ("Trigger", "sweep")]));
        assert_eq!((merged[9].0.as_str(), left_out), ("Verdict", vec!["Trigger".to_owned()]));
    }

    #[test]
    fn a_signature_that_the_record_has_no_more_goes_unless_it_is_somebody_elses() {
        let old = pairs(&[("Signature", "v1-0123456789abcdef")]);
        assert_eq!(merge(&old, pairs(&[("Verdict", "suspect")])).0, pairs(&[("Verdict", "suspect")]));
        let others = pairs(&[("Signature", "J. Doe")]);
        assert_eq!(merge(&others, vec![]).0, others);
    }

    #[test]
    fn a_word_that_s3_would_refuse_is_made_fit() {
        assert_eq!(tag_safe("application exit (new!)é"), "application exit _new___");
        assert_eq!(tag_safe(&"x".repeat(300)).len(), 256);
    }
}
