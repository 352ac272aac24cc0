//! One export: from the announced object to its record and tags.

use crate::archive::ArchiveError;
use crate::error::Error;
use crate::layout::ExportName;
use crate::record::{ExportObject, Problem, Record, ReportObject, TRIAGE_VERSION};
use crate::report::{FirstSeen, Story};
use crate::store::{ExportReader, FirstSight, PresentTags, ReadError, RecordWrite, VERDICT};
use crate::triage::{self, Details};

use super::answer::Announced;
use super::input::ObjectRef;
use super::known::{judged, record_key, report_key};
use super::{IndexExport, Invocation};

/// How often an export is tagged again, as another invocation has written another record meanwhile.
const MOST_TAGGINGS: usize = 4;

/// What became of an announced object.
#[derive(Debug)]
pub enum Capture {
    /// It is indexed.
    Indexed(Box<Announced>, Cost),
    /// It is not, for this reason.
    Ignored(&'static str),
}

/// What reading an export took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// GET requests, retries by the SDK not counted.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
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
        let tags = self.store.present_tags(&object.key);
        let (examined, known, tags) = tokio::join!(examining, self.learn(name), tags);
        let (examined, details) = match examined {
            Ok(mut findings) => {
                let details = std::mem::take(&mut findings.details);
                (Ok(findings), details)
            }
            Err(ArchiveError::Source(ReadError::Gone)) => return Ok(Capture::Ignored("gone")),
            Err(ArchiveError::Source(ReadError::Service(error))) => return Err(error.into()),
            Err(error @ (ArchiveError::CutOff | ArchiveError::OutOfTime)) => {
                return Err(Error::Interrupted { key: object.key.clone(), detail: error.to_string() });
            }
            Err(error @ (ArchiveError::NotAZip(_) | ArchiveError::DirectoryTooLong { .. })) => {
                (Err(error.to_string()), Details::default())
            }
        };
        let (known, tags) = (known?, tags?);
        let lasted = known.lasted();
        let mut record = judged(examined, known, name);
        record.indexed_by = Some(invocation.request_id.to_owned());
        self.describe_export(&mut record, object, &reader, &tags);
        let first_sight = Box::pin(self.recognize(&mut record)).await?.map(first_seen);
        record.report = Some(ReportObject { key: report_key(&record.session, name) });
        let key = record_key(&record.session, name);
        let export = record.export.clone();
        // The details are those of this object, as this version reads it: of another record's they may not be.
        let page = |record: &Record| {
            let is_of_it = record.judgement.triage_version == Some(TRIAGE_VERSION) && record.export == export;
            let first_sight = first_sight.as_ref();
            let story = Story { record, details: &details, first_sight, lasted, bucket: self.store.bucket() };
            is_of_it.then(|| story.page())
        };
        let announced = match self.store.settle(&key, &record, page).await? {
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
        let confirmed = self.store.confirm_report(&key, &announced.record, page);
        let (confirmed, tagged) = tokio::join!(confirmed, self.tag(&key, &announced.record));
        confirmed.and(tagged)?;
        let cost = Cost { requests: reader.requests(), bytes: reader.bytes() };
        tracing::info!(
            session = %name.session,
            verdict = announced.record.judgement.verdict.as_ref().map(ToString::to_string),
            announce = announced.announce,
            requests = cost.requests,
            bytes = cost.bytes,
            "indexed"
        );
        Ok(Capture::Indexed(Box::new(announced), cost))
    }

    /// Whether a crash was seen before, and what people decided about it. Before the record, which tells of it: whoever is
    /// killed in between finds its own name there. Gives the first sight of it.
    async fn recognize(&self, record: &mut Record) -> Result<Option<FirstSight>, Error> {
        let Some(sight) = FirstSight::of(record) else { return Ok(None) };
        let FirstSight { application_id, version, signature, .. } = &sight;
        let (first, resolution) = tokio::try_join!(
            self.store.see(sight.clone()),
            self.store.resolution(application_id, *version, signature)
        )?;
        let back = match resolution.as_ref().and_then(|resolution| resolution.regressed(record)) {
            Some(resolved) => Some(self.store.see_again(sight, resolved).await?),
            None => None,
        };
        if let Some(signature) = &mut record.judgement.signature {
            signature.first_seen = Some(first.is_of(&record.session));
            signature.regressed = back.as_ref().map(|_| true);
            signature.first_regressed = back.map(|back| back.is_of(&record.session));
            signature.muted = resolution.and_then(|resolution| resolution.muted_at).map(|_| true);
        }
        Ok(Some(first))
    }

    /// Notes in the record which object it was made from, which of its tags will find no room there, and when it expires.
    fn describe_export(
        &self,
        record: &mut Record,
        object: &ObjectRef,
        reader: &ExportReader,
        tags: &PresentTags,
    ) {
        let mut export = ExportObject {
            bucket: self.store.bucket().to_owned(),
            key: object.key.clone(),
            version_id: reader.version_id(),
            etag: reader.etag(),
            size: reader.size().or(object.size),
            expires_on: None,
        };
        let left_out = tags.without_room(record);
        let tag = record.judgement.verdict.as_ref().filter(|_| !left_out.iter().any(|key| key == VERDICT));
        let written = self.retention.zip(reader.written_at());
        export.expires_on = written.map(|(retention, at)| retention.expires_on(tag, at));
        record.export = Some(export);
        if !left_out.is_empty() {
            let detail = format!("the export has others' tags: there is no room for {}", left_out.join(", "));
            record.judgement.problems.push(Problem::new("tags-full", detail));
        }
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

fn first_seen(sight: FirstSight) -> FirstSeen {
    FirstSeen { session: sight.stream_session_id, at: sight.at, build: sight.build }
}
