//! One export: from the announced object to its record and tags.

use crate::archive::ArchiveError;
use crate::error::Error;
use crate::layout::ExportName;
use crate::record::{ExportObject, Problem, Record};
use crate::store::{ExportReader, FirstSight, ReadError, RecordWrite, VERDICT};
use crate::triage;

use super::answer::Announced;
use super::input::ObjectRef;
use super::known::{judged, record_key};
use super::{IndexExport, Invocation};

/// How often an export is tagged again, as another invocation has written another record meanwhile.
const MOST_TAGGINGS: usize = 4;

/// What became of an announced object.
#[derive(Debug)]
pub enum Capture {
    /// It is indexed.
    Indexed(Box<Announced>),
    /// It is not, for this reason.
    Ignored(&'static str),
}

impl IndexExport {
    /// Indexes an export that is ours.
    pub(super) async fn capture(
        &self,
        object: &ObjectRef,
        name: &ExportName,
        invocation: &Invocation<'_>,
    ) -> Result<Capture, Error> {
        let reader =
            self.store.export_reader(&object.key, object.version_id.as_deref(), object.etag.as_deref());
        let examining = triage::examine(&reader, object.size, Some(invocation.reading_ends), &self.rules);
        let (examined, known) = tokio::join!(examining, self.learn(name));
        let examined = match examined {
            Ok(findings) => Ok(findings),
            Err(ArchiveError::Source(ReadError::Gone)) => return Ok(Capture::Ignored("gone")),
            Err(ArchiveError::Source(ReadError::Service(error))) => return Err(error.into()),
            Err(error @ (ArchiveError::CutOff | ArchiveError::OutOfTime)) => {
                return Err(Error::Interrupted { key: object.key.clone(), detail: error.to_string() });
            }
            Err(error @ (ArchiveError::NotAZip(_) | ArchiveError::DirectoryTooLong { .. })) => {
                Err(error.to_string())
            }
        };
        let mut record = judged(examined, known?, name);
        record.indexed_by = Some(invocation.request_id.to_owned());
        self.describe_export(&mut record, object, &reader).await?;
        // Before the record, which tells of it: whoever is killed in between finds its own name there.
        let seen_first = match FirstSight::of(&record) {
            Some(sight) => Some(self.store.see(&sight).await?),
            None => None,
        };
        if let Some(signature) = &mut record.judgement.signature {
            signature.first_seen = seen_first;
        }
        let key = record_key(&record.session, name);
        let announced = match self.store.put_record(&key, &record).await? {
            // It may only say more of what was told already.
            RecordWrite::Written(before) => {
                let is_news = before.is_none_or(|before| !record.is_same_news(&before));
                Announced::new(record, is_news)
            }
            // An earlier attempt of this very invocation may have been killed before it could answer.
            RecordWrite::Kept(record) => {
                let announce = record.indexed_by.as_deref() == Some(invocation.request_id);
                Announced::new(*record, announce)
            }
        };
        self.tag(&key, &announced.record).await?;
        tracing::info!(
            session = %name.session,
            verdict = announced.record.judgement.verdict.as_ref().map(ToString::to_string),
            announce = announced.announce,
            requests = reader.requests(),
            bytes = reader.bytes(),
            "indexed"
        );
        Ok(Capture::Indexed(Box::new(announced)))
    }

    /// Notes in the record which object it was made from, which of its tags will find no room there, and when it expires.
    async fn describe_export(
        &self,
        record: &mut Record,
        object: &ObjectRef,
        reader: &ExportReader,
    ) -> Result<(), Error> {
        let mut export = ExportObject {
            bucket: self.store.bucket().to_owned(),
            key: object.key.clone(),
            version_id: reader.version_id(),
            etag: reader.etag(),
            size: reader.size().or(object.size),
            expires_on: None,
        };
        let left_out = self.store.tags_without_room(&export, record).await?;
        let tag = record.judgement.verdict.as_ref().filter(|_| !left_out.iter().any(|key| key == VERDICT));
        let written = self.retention.zip(reader.written_at());
        export.expires_on = written.map(|(retention, at)| retention.expires_on(tag, at));
        record.export = Some(export);
        if !left_out.is_empty() {
            let detail = format!("the export has others' tags: there is no room for {}", left_out.join(", "));
            record.judgement.problems.push(Problem::new("tags-full", detail));
        }
        Ok(())
    }

    /// Tags the export that a record was made from. Another invocation may have put another record into its place, and have
    /// tagged before us: the tags follow the record that is there.
    async fn tag(&self, key: &str, record: &Record) -> Result<(), Error> {
        let mut tagged = record.clone();
        for _ in 0..MOST_TAGGINGS {
            let Some(export) = &tagged.export else { return Ok(()) };
            self.store.merge_tags(export, &tagged).await?;
            match self.store.record_at(key).await? {
                Some(stored) if !stored.value.says_the_same(&tagged) => tagged = stored.value,
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}
