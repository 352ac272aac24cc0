//! An export's object tags: labels for lifecycle rules and people. Ours are merged into whatever tags are there.

use aws_sdk_s3::types::{Tag, Tagging};

use crate::error::Error;
use crate::record::{ExportObject, Record};
use crate::service::{Fault, ServiceError};

use super::Store;

/// S3 holds ten tags on an object (S3 user guide, "Categorizing your storage using tags").
const MAX_TAGS: usize = 10;

/// A tag's key and value.
type Pair = (String, String);

impl Store {
    /// Brings an export's tags into line with its record: ours are set, others' are left as they are. Writes nothing where
    /// nothing changes. Says which of ours found no room.
    pub async fn merge_tags(&self, export: &ExportObject, record: &Record) -> Result<Vec<String>, Error> {
        let get = self.client.get_object_tagging().bucket(&self.bucket).key(&export.key);
        let existing = match get.set_version_id(export.version_id.clone()).send().await {
            Ok(output) => {
                output.tag_set().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect::<Vec<_>>()
            }
            Err(error) => return gone_is_fine(ServiceError::new("GetObjectTagging", &error)),
        };
        let (merged, left_out) = merge(&existing, ours(record));
        if merged == existing {
            return Ok(left_out);
        }
        let tags = merged.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags
            .collect::<Result<Vec<_>, _>>()
            .and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build());
        let tags =
            tags.map_err(|error| Error::Object { key: export.key.clone(), detail: error.to_string() })?;
        let put = self.client.put_object_tagging().bucket(&self.bucket).key(&export.key).tagging(tags);
        match put.set_version_id(export.version_id.clone()).send().await {
            Ok(_) => Ok(left_out),
            Err(error) => gone_is_fine(ServiceError::new("PutObjectTagging", &error)),
        }
    }
}

/// An export may expire or be deleted while its record is written.
fn gone_is_fine(error: ServiceError) -> Result<Vec<String>, Error> {
    if error.fault == Fault::NotFound { Ok(Vec::new()) } else { Err(error.into()) }
}

/// The tags that say what a record says, the most useful first. Ids and enums only.
fn ours(record: &Record) -> Vec<Pair> {
    let session = &record.session;
    let tags = [
        ("Verdict", record.judgement.verdict.as_ref().map(ToString::to_string)),
        ("EndReason", session.end_reason.clone()),
        ("Application", session.application_id.as_ref().map(ToString::to_string)),
        ("StreamGroup", Some(session.stream_group_id.to_string())),
        ("StreamSession", Some(session.id.to_string())),
        ("Signature", record.judgement.signature.as_ref().map(|it| format!("v{}-{}", it.version, it.id))),
        ("Trigger", record.trigger.as_ref().map(|trigger| trigger.kind.clone())),
    ];
    tags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), tag_safe(&value?)))).collect()
}

/// Others' tags stay, in their order; ours take the room that is left, and their own old places.
fn merge(existing: &[Pair], ours: Vec<Pair>) -> (Vec<Pair>, Vec<String>) {
    let mut merged = existing.to_vec();
    let mut left_out = Vec::new();
    for (key, value) in ours {
        match merged.iter().position(|(found, _)| *found == key) {
            Some(place) => merged[place].1 = value,
            None if merged.len() < MAX_TAGS => merged.push((key, value)),
            None => left_out.push(key),
        }
    }
    (merged, left_out)
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
    fn others_tags_stay_and_ours_change_in_place() {
        let existing = pairs(&[("team", "red"), ("Verdict", "exited"), ("cost", "7")]);
        let (merged, left_out) =
            merge(&existing, pairs(&[("Verdict", "crash"), ("EndReason", "applicationExit")]));
        let expected =
            [("team", "red"), ("Verdict", "crash"), ("cost", "7"), ("EndReason", "applicationExit")];
        assert_eq!((merged, left_out), (pairs(&expected), vec![]));
    }

    #[test]
    fn where_there_is_no_room_ours_give_way_from_the_last() {
        let others: Vec<Pair> = (0..9).map(|n| (format!("k{n}"), "v".to_owned())).collect();
        let (merged, left_out) = merge(&others, pairs(&[("Verdict", "crash"), ("EndReason", "x")]));
        assert_eq!(merged.len(), MAX_TAGS);
        assert_eq!((merged[9].0.as_str(), left_out), ("Verdict", vec!["EndReason".to_owned()]));
    }

    #[test]
    fn a_word_that_s3_would_refuse_is_made_fit() {
        assert_eq!(tag_safe("application exit (new!)é"), "application exit _new___");
        assert_eq!(tag_safe(&"x".repeat(300)).len(), 256);
    }
}
