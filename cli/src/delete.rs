//! `crash-capture delete`: everything that is kept of a session.

use std::io::{self, IsTerminal as _, Write as _};

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use crash_capture::layout::{self, RecordName};
use crash_capture::record::{Marker, Record};
use crash_capture::report::size;
use crash_capture::service::ServiceError;
use crash_capture::session::SessionName;
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::captures::{Capture, Captures, SessionArgument};
use crate::failure::Failure;
use crate::format::counted;
use crate::output::{Column, Output, note};

/// How many objects one request deletes (S3 API reference, `DeleteObjects`).
const AT_ONCE: usize = 1000;

/// For so long after a session was settled, the sweep's hourly look may find that it knows nothing of it, and record it.
const WATCHED: SignedDuration = SignedDuration::from_hours(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The session: its whole id, group/id, or its ARN
    session: SessionArgument,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Also a session that the sweep may still look at, which may then be recorded again
    #[arg(long)]
    force: bool,
}

/// One version of an object that is kept of a session.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    what: &'static str,
    key: String,
    version_id: String,
    size: u64,
}

impl Kept {
    fn is_record(&self) -> bool {
        self.what == RECORD
    }
}

/// What the rest is found by.
const RECORD: &str = "record";

/// A session, and all that is known of it.
struct Known {
    name: RecordName,
    record: Option<Record>,
    marker: Option<Marker>,
}

/// Deletes everything that is kept of a session.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let known = known(captures, &arguments.session).await?;
    if !arguments.force {
        known.refuse_early()?;
    }
    let kept: Vec<_> = try_join_all(
        known.keys(&captures.store().uri("")).into_iter().map(|(what, key)| versions(captures, what, key)),
    )
    .await?
    .into_iter()
    .flatten()
    .collect();
    if !output.is_json() {
        list(&kept, output)?;
    }
    if !arguments.yes && !confirmed(&known.name.session)? {
        return Err(Failure::other("nothing was deleted"));
    }
    // One request says nothing of an order, and may fail in part: what the rest is found by is in requests of its own.
    for one_or_other in kept.chunk_by(|one, other| one.is_record() == other.is_record()) {
        for some in one_or_other.chunks(AT_ONCE) {
            delete(captures, some).await?;
        }
    }
    if output.is_json() {
        kept.iter().try_for_each(|kept| output.json(kept))?;
    } else {
        output.text(&format!(
            "{} of {} deleted.",
            counted(kept.len() as u64, "object"),
            known.name.session
        ))?;
    }
    if let Some(signature) = known.first_sight() {
        note(format!(
            "{signature} stays: it names the session as the one in which the crash was seen first."
        ));
    }
    Ok(())
}

async fn known(captures: &Captures, wanted: &SessionArgument) -> Result<Known, Failure> {
    let (name, record) = match captures.find(wanted).await? {
        Capture::Settled(recorded) => {
            let record = serde_json::from_slice(&recorded.text).map_err(Failure::other)?;
            (recorded.name, Some(record))
        }
        Capture::Open(open) => {
            let facts = &open.marker.session;
            let (date, application, session) = (facts.date(), facts.application(), facts.name());
            (RecordName { date, application, session }, None)
        }
    };
    // What was deleted cannot be had back: the beginning of an id may be that of another session tomorrow.
    if !wanted.is_exactly(&name.session) {
        return Err(Failure::not_found(format!(
            "there is no session {wanted}. {} begins like it, but what is to be deleted has to be named in full",
            name.session
        )));
    }
    let marker = captures.marker(&name.session).await?.map(|open| open.marker);
    Ok(Known { name, record, marker })
}

impl Known {
    /// What is written down again by those who watch the session need not be deleted yet.
    fn refuse_early(&self) -> Result<(), Failure> {
        if self.marker.is_some() {
            return Err(Failure::other(format!(
                "{} is still watched: its marker goes ten minutes after it is settled. Wait, or delete it with --force; \
                 the sweep may then record it again",
                self.name.session
            )));
        }
        let indexed = self.record.as_ref().and_then(|record| record.indexed_at);
        if indexed.is_some_and(|at| Timestamp::now().duration_since(at) < WATCHED) {
            return Err(Failure::other(format!(
                "{} ended less than two hours ago: the sweep's hourly look may record it again, as never seen. Wait, or \
                 delete it with --force",
                self.name.session
            )));
        }
        Ok(())
    }

    /// Everything that may be kept of the session, in the bucket of this URI. The record comes last: without it, nobody
    /// finds the rest.
    fn keys(&self, bucket: &str) -> Vec<(&'static str, String)> {
        let facts = self.record.as_ref().map(|record| &record.session);
        let facts = facts.or(self.marker.as_ref().map(|marker| &marker.session));
        let mut exports: Vec<String> = Vec::new();
        exports
            .extend(self.record.iter().filter_map(|record| record.export.as_ref()).map(|it| it.key.clone()));
        let requested = self.marker.as_ref().and_then(|marker| marker.output_uri.as_deref());
        exports.extend(requested.and_then(|uri| uri.strip_prefix(bucket)).map(ToOwned::to_owned));
        let created = facts.and_then(|facts| Some((facts, facts.created_at?)));
        exports
            .extend(created.map(|(facts, at)| layout::export_key(&facts.application(), &facts.name(), at)));
        exports.sort_unstable();
        exports.dedup();
        let requests: Vec<_> =
            exports.iter().map(|export| ("request", layout::reindex_key(export))).collect();
        let mut keys: Vec<_> = exports.into_iter().map(|export| ("export", export)).collect();
        keys.extend(requests);
        let RecordName { date, application, session } = &self.name;
        keys.push(("report", layout::report_key(*date, application, session)));
        keys.push(("marker", layout::marker_key(session)));
        keys.push((RECORD, layout::record_key(*date, application, session)));
        keys
    }

    /// The key of the signature that was seen first in this session.
    fn first_sight(&self) -> Option<String> {
        let record = self.record.as_ref()?;
        let signature = record.judgement.signature.as_ref().filter(|it| it.first_seen == Some(true))?;
        Some(layout::signature_key(&record.session.application(), signature.version, &signature.id))
    }
}

/// All versions of an object, and its delete markers; of one that is not there, none.
async fn versions(captures: &Captures, what: &'static str, key: String) -> Result<Vec<Kept>, Failure> {
    let (mut kept, mut after) = (Vec::new(), None);
    loop {
        let list = captures.s3().list_object_versions().bucket(captures.bucket()).prefix(&key);
        let (key_marker, version_marker) = after.unzip();
        let page = list.set_key_marker(key_marker).set_version_id_marker(version_marker).send().await;
        let page =
            page.map_err(|error| captures.explained(ServiceError::new("ListObjectVersions", &error)))?;
        let mut add = |found: Option<&str>, version: Option<&str>, size: Option<i64>| {
            // Others may begin with the same key.
            if found == Some(key.as_str()) {
                let version_id = version.unwrap_or("null").to_owned();
                let size = size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                kept.push(Kept { what, key: key.clone(), version_id, size });
            }
        };
        page.versions().iter().for_each(|it| add(it.key(), it.version_id(), it.size()));
        page.delete_markers().iter().for_each(|it| add(it.key(), it.version_id(), None));
        // The key itself comes first of those that begin with it.
        after = page.next_key_marker.filter(|next| *next == key).zip(page.next_version_id_marker);
        if after.is_none() {
            return Ok(kept);
        }
    }
}

async fn delete(captures: &Captures, kept: &[Kept]) -> Result<(), Failure> {
    let identifier = |kept: &Kept| {
        ObjectIdentifier::builder()
            .key(&kept.key)
            .version_id(&kept.version_id)
            .build()
            .map_err(Failure::other)
    };
    let objects = kept.iter().map(identifier).collect::<Result<Vec<_>, _>>()?;
    let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(Failure::other)?;
    let request = captures.s3().delete_objects().bucket(captures.bucket()).delete(delete);
    let answer = request.send().await.map_err(|error| ServiceError::new("DeleteObjects", &error))?;
    match answer.errors().first() {
        None => Ok(()),
        Some(error) => Err(Failure::other(format!(
            "{} could not be deleted: {}: {}; the rest may be",
            error.key().unwrap_or_default(),
            error.code().unwrap_or_default(),
            error.message().unwrap_or_default()
        ))),
    }
}

fn list(kept: &[Kept], output: Output) -> Result<(), Failure> {
    let columns = [Column::whole("what"), Column::number("size"), Column::whole("key")];
    let row = |kept: &Kept| [kept.what.into(), size(kept.size).into(), kept.key.as_str().into()];
    output.rows(columns, kept.iter().map(row))
}

fn confirmed(session: &SessionName) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to be asked: --yes deletes without asking"));
    }
    write!(io::stderr(), "Delete all of it? Nothing of {session} can be had back. [y/N] ").ok();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::other)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
