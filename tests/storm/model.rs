//! What the bucket must hold.

use std::collections::{BTreeMap, BTreeSet};

use crash_capture_local::streams::{EndReason, ExportStatus, Status, StatusReason, StreamSession};
use serde_json::Value;

use crate::census::Census;
use crate::plan::Files;
use crate::stage::{Arrived, OTHERS_TAG, Play, SOMEBODY};

/// What must hold already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strict {
    /// Everything.
    Yes,
    /// Everything but what an event is responsible for alone that failed three times and is kept: an export's tags, and an
    /// export whose name the service made up, so that no sweep can tell it.
    ButWhatFailed,
}

/// What has been seen in the bucket, and must not be gone later.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Exports with a tag of somebody else.
    pub(crate) tagged: BTreeSet<usize>,
    seen: BTreeMap<usize, Seen>,
}

#[derive(Debug, Default, Clone)]
struct Seen {
    was_marked: bool,
    rank: u8,
    end_reason: Option<Value>,
    alarms: BTreeSet<String>,
    was_first: bool,
}

/// A session, and what the bucket holds of it.
struct Found {
    marker: Option<Value>,
    /// All records: there may be one.
    records: Vec<Value>,
}

impl Found {
    async fn of(play: &Play<'_>, session: usize) -> Self {
        let id = &play.sessions[&session];
        let mut records = Vec::new();
        for key in play.record_keys().await {
            if key.ends_with(&format!("/{}.json", id.id)) {
                records.push(play.cloud.read_json(&key).await);
            }
        }
        Self { marker: play.cloud.marker(id).await, records }
    }

    fn rank(&self) -> u8 {
        let rank = |record: &Value| if record["state"] == "indexed" { 2 } else { 1 };
        self.records.iter().map(rank).max().unwrap_or(0)
    }

    fn alarms(&self) -> BTreeSet<String> {
        let all = self.records.iter().chain(&self.marker);
        let alarms = all.flat_map(|it| it["alarms"].as_array().into_iter().flatten());
        alarms.map(|alarm| alarm["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn wrong(play: &Play<'_>, session: usize, what: &str, found: &Found) -> String {
    let now = play.cloud.streams.session(&play.sessions[&session]).unwrap();
    let books = format!("{:?} {:?} {:?}", now.status, now.status_reason, now.export);
    let Found { marker, records } = found;
    let marker = marker.as_ref().map(ToString::to_string).unwrap_or_default();
    format!(
        "session {session}: {what}\n  the service: {books}\n  the marker: {marker}\n  the records: {records:?}"
    )
}

/// At any moment: what was known is known.
pub(crate) async fn nothing_moved_backwards(play: &Play<'_>) -> Result<(), String> {
    for session in play.sessions.keys().copied() {
        let found = Found::of(play, session).await;
        let mut now = play.memory.borrow().seen.get(&session).cloned().unwrap_or_default();
        let before = now.clone();
        let fail = |what: &str| Err(wrong(play, session, what, &found));
        if found.records.len() > 1 {
            return fail("there is more than one record");
        }
        now.rank = found.rank();
        if now.rank < before.rank {
            return fail("the record's state moved backwards");
        }
        now.was_marked |= found.marker.is_some() || now.rank > 0;
        if before.was_marked && found.marker.is_none() && now.rank == 0 {
            return fail("neither marker nor record is left");
        }
        if now.rank == 2 {
            let record = &found.records[0];
            now.end_reason = record["session"].get("endReason").cloned();
            if before.end_reason.is_some() && now.end_reason.is_none() {
                return fail("the end reason was known, and is not any more");
            }
            now.was_first = record["signature"]["firstSeen"] == true;
            if before.was_first && !now.was_first {
                return fail("it was the first sight of its signature, and is not any more");
            }
        }
        now.alarms = found.alarms();
        // A late alarm tells nothing of a session without files.
        if now.rank != 1 && !before.alarms.is_subset(&now.alarms) {
            return fail("an alarm that was noted is not any more");
        }
        play.memory.borrow_mut().seen.insert(session, now);
    }
    Ok(())
}

/// When all is quiet: everything is as it must be.
pub(crate) async fn holds(play: &Play<'_>, strict: Strict) -> Result<(), String> {
    for session in play.sessions.keys().copied() {
        let found = Found::of(play, session).await;
        if strict == Strict::ButWhatFailed && is_overlooked(play, session, &found) {
            continue;
        }
        check(play, session, &found).map_err(|what| wrong(play, session, &what, &found))?;
        if strict == Strict::Yes {
            check_tags(play, session, &found).await.map_err(|what| wrong(play, session, &what, &found))?;
        }
        check_report(play, &found).await.map_err(|what| wrong(play, session, &what, &found))?;
    }
    check_first_sights(play).await
}

/// Whether its export arrived under a name that the service made up, so that only its event tells where it is, and that waits in the
/// queue of failed invocations.
fn is_overlooked(play: &Play<'_>, session: usize, found: &Found) -> bool {
    let has_made_up_name = play.arrived.get(&session).is_some_and(|arrived| arrived.has_made_up_name);
    let reason = found.records.first().and_then(|record| record["reason"]["code"].as_str());
    let reasons = ["not-indexed", "export-stuck", "never-armed", "never-seen"];
    has_made_up_name && reason.is_some_and(|reason| reasons.contains(&reason))
}

/// One session is settled as it has to be, or open.
fn check(play: &Play<'_>, session: usize, found: &Found) -> Result<(), String> {
    let now = play.cloud.streams.session(&play.sessions[&session]).unwrap();
    let is_forgotten = play.cloud.switches.forgotten_after.is_some() && now.status.has_ended();
    let record = found.records.first();
    let state = record.map(|record| record["state"].as_str().unwrap());
    let reason = record.and_then(|record| record["reason"]["code"].as_str()).unwrap_or_default();
    let is_armed = found.marker.as_ref().is_some_and(|marker| marker["armedAt"].is_string());
    if let Some(arrived) = play.arrived.get(&session) {
        let Some(record) = record else {
            return Err("its export arrived, and there is no record".to_owned());
        };
        return check_indexed(play, session, &now, arrived.files, record);
    }
    if !now.status.has_ended() {
        return match (&now.export, state) {
            (Some(_), None) if found.marker.is_some() => Ok(()),
            _ => Err("it lives, and is not armed, or settled already".to_owned()),
        };
    }
    if is_forgotten {
        // Whom nobody saw alive, nobody can tell of.
        let is_told = match state {
            None => found.marker.is_none(),
            Some("failed") => reason == "export-stuck",
            Some(state) => state == "missed" && reason == "never-armed",
        };
        return if is_told {
            Ok(())
        } else {
            Err("it was forgotten, and is settled by something else".to_owned())
        };
    }
    let is_ours = |uri: &str| uri.starts_with(&format!("s3://{}/", play.cloud.bucket));
    let went_elsewhere = now.export.as_ref().is_some_and(|export| !is_ours(&export.output_uri));
    // Of what somebody else asked for, and the service did not tell yet when we asked, nobody knew.
    let was_told_late = !play.cloud.switches.metadata_after.is_zero()
        && now.export.as_ref().is_some_and(|export| export.access_key_id == SOMEBODY);
    let is_missed =
        state == Some("missed") && ["never-armed", "never-seen", "never-started"].contains(&reason);
    if was_told_late && is_missed && !is_armed {
        return Ok(());
    }
    match now.export.map(|export| export.status) {
        None => match (state, reason) {
            (Some("missed"), "never-armed" | "never-seen") => Ok(()),
            (Some("missed"), "never-started") if now.status == Status::Error => Ok(()),
            _ => Err("it ended without an export, and that is not recorded".to_owned()),
        },
        Some(ExportStatus::Failed) => match (state, reason) {
            (Some("failed"), "export-failed") => Ok(()),
            _ => Err("its export failed, and that is not recorded".to_owned()),
        },
        Some(ExportStatus::Pending) => match state {
            None if found.marker.is_some() => Ok(()),
            _ => Err(format!("its export is on its way, and it is not open (armed: {is_armed})")),
        },
        Some(ExportStatus::Succeeded) => match (state, reason) {
            (Some("missed"), "exported-elsewhere") if went_elsewhere => Ok(()),
            (Some("failed"), "not-indexed") if !went_elsewhere => Ok(()),
            _ => Err("its export never arrived here, and that is not recorded".to_owned()),
        },
    }
}

fn check_indexed(
    play: &Play<'_>,
    session: usize,
    now: &StreamSession,
    files: Files,
    record: &Value,
) -> Result<(), String> {
    if record["state"] != "indexed" {
        return Err("its export arrived, and is not indexed".to_owned());
    }
    let tells =
        play.cloud.switches.end_reason != EndReason::Never && play.cloud.switches.forgotten_after.is_none();
    let reason = now.status_reason.filter(|_| tells);
    let told = record["session"].get("endReason").cloned().unwrap_or_default();
    if told != serde_json::to_value(reason).unwrap() {
        return Err(format!("its end reason is {told}, and not {reason:?}"));
    }
    let alarms = record["alarms"].as_array().cloned().unwrap_or_default();
    let location = play.plan.cast[session].location;
    for alarm in &alarms {
        let is_its = |(name, place): &(String, &str)| alarm["name"] == **name && *place == location;
        if !play.alarms.iter().any(is_its) {
            return Err(format!("{alarm} did not select it"));
        }
    }
    let expected = verdict(files, reason, !alarms.is_empty());
    if record["verdict"] != expected {
        return Err(format!("its verdict is not {expected}"));
    }
    Ok(())
}

/// The table of verdicts, for the sessions that the storm plays.
fn verdict(files: Files, reason: Option<StatusReason>, has_alarm: bool) -> &'static str {
    match (files, reason) {
        (Files::NoZip, _) => "unreadable",
        (Files::Crash(_), _) => "crash",
        _ if has_alarm => "suspect",
        (Files::CleanExit, _)
        | (
            Files::Quiet,
            Some(StatusReason::ApiTerminated | StatusReason::IdleTimeout | StatusReason::ReconnectionTimeout),
        ) => "clean",
        (Files::Quiet, Some(StatusReason::ApplicationExit)) => "exited",
        (Files::Quiet, _) => "suspect",
    }
}

/// Tags say what the record says, and nobody else's tag is gone.
async fn check_tags(play: &Play<'_>, session: usize, found: &Found) -> Result<(), String> {
    let Some(Arrived { key, .. }) = play.arrived.get(&session) else { return Ok(()) };
    let tags = play.cloud.tags(key).await;
    let tag = |name: &str| tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let record = &found.records[0];
    if tag("Verdict") != record["verdict"].as_str()
        || tag("EndReason") != record["session"]["endReason"].as_str()
    {
        return Err(format!("its tags are not those of its record: {tags:?}"));
    }
    let is_tagged = play.memory.borrow().tagged.contains(&session);
    if is_tagged && tag(OTHERS_TAG.0) != Some(OTHERS_TAG.1) {
        return Err(format!("somebody else's tag is gone: {tags:?}"));
    }
    Ok(())
}

/// A settled session has a report, which says what its record says.
async fn check_report(play: &Play<'_>, found: &Found) -> Result<(), String> {
    let Some(record) = found.records.first() else { return Ok(()) };
    let Some(key) = record["report"]["key"].as_str() else {
        return Err("its record names no report".to_owned());
    };
    let Ok(report) = play.cloud.s3.read(&play.cloud.bucket, key).await else {
        return Err(format!("there is no report {key}"));
    };
    let report = String::from_utf8_lossy(&report).into_owned();
    let said = record["verdict"].as_str().or(record["state"].as_str()).unwrap();
    let title = report.split_once("<title>").and_then(|(_, rest)| rest.split_once(':'));
    if title.is_none_or(|(word, _)| !word.eq_ignore_ascii_case(said)) {
        return Err(format!("its report does not say {said}: {title:?}"));
    }
    let is_new = record["signature"]["firstSeen"] == true;
    if report.contains(">First seen</span>") != is_new {
        return Err(format!("its report does not say whether it was seen first ({is_new})"));
    }
    Ok(())
}

/// Of the records with one signature one is the first sight, and the first sight names it.
async fn check_first_sights(play: &Play<'_>) -> Result<(), String> {
    let mut firsts = BTreeMap::<String, Vec<String>>::new();
    for key in play.record_keys().await {
        let record = play.cloud.read_json(&key).await;
        let Some(signature) = record["signature"]["id"].as_str() else { continue };
        let firsts = firsts.entry(signature.to_owned()).or_default();
        if record["signature"]["firstSeen"] == true {
            firsts.push(record["session"]["id"].as_str().unwrap().to_owned());
        }
    }
    for (signature, firsts) in firsts {
        let [first] = firsts.as_slice() else {
            return Err(format!("the signature {signature} was seen first in {firsts:?}"));
        };
        let key = format!("signatures/{}/v1-{signature}.json", play.application());
        let sight = play.cloud.read_json(&key).await;
        if sight["streamSessionId"] != **first {
            return Err(format!("the first sight of {signature} is {sight}, and {first} claims it"));
        }
    }
    Ok(())
}

/// Counts the states that were reached.
pub(crate) async fn count_states(play: &Play<'_>, census: &Census) {
    for session in play.sessions.keys().copied() {
        let found = Found::of(play, session).await;
        let lives = !play.cloud.streams.session(&play.sessions[&session]).unwrap().status.has_ended();
        let state = match found.records.first() {
            Some(record) if record["state"] == "indexed" => {
                format!("state indexed/{}", record["verdict"].as_str().unwrap())
            }
            Some(record) => {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                format!("state {}/{}", text(&record["state"]), text(&record["reason"]["code"]))
            }
            None if lives => "state live and armed".to_owned(),
            None => "state open".to_owned(),
        };
        census.count(&state);
    }
}
