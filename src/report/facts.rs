//! The facts of a session, in the order in which people want them.

use crate::record::{Build, Record, Signature};

use super::text::{count, duration, number, short, size, time};
use super::{Story, advice};

/// A fact: what it is about, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) term: &'static str,
    pub(super) value: String,
    /// Whether it is an id, a path, a place in a program: something to be copied.
    pub(super) is_code: bool,
}

impl Fact {
    fn text(term: &'static str, value: impl Into<String>) -> Self {
        Self { term, value: value.into(), is_code: false }
    }

    fn code(term: &'static str, value: impl Into<String>) -> Self {
        Self { term, value: short(&value.into(), LONGEST), is_code: true }
    }
}

/// The longest value, in characters.
const LONGEST: usize = 300;

/// What stands at the top: which build, when, where, since when.
pub(super) fn top(story: &Story<'_>) -> Vec<Fact> {
    let record = story.record;
    let session = &record.session;
    let build = record.judgement.build.as_ref();
    let when = story.crashed_at().or(session.created_at);
    let when_term = if story.is_crash() && story.crashed_at().is_some() {
        "Crashed"
    } else if story.ended_at().is_some() {
        "Ended"
    } else {
        "Created"
    };
    [
        build.and_then(build_in_words).map(|it| Fact::code("Build", it)),
        build.and_then(|build| {
            let engine = build.engine.as_deref().map(engine_name);
            // Behind the version, Unreal names its own changelist and branch: the record has them.
            let version = build.engine_version.as_ref().and_then(|it| it.as_str().split('-').next());
            let version = version.map(ToOwned::to_owned);
            let configuration = build.configuration.as_ref().map(ToString::to_string);
            let parts: Vec<_> = [engine, version, configuration].into_iter().flatten().collect();
            (!parts.is_empty()).then(|| Fact::text("Engine", short(&parts.join(" "), LONGEST)))
        }),
        when.map(|at| Fact::text(when_term, time(at))),
        session.location.as_ref().map(|it| Fact::text("Location", short(it, LONGEST))),
        into_the_session(story),
        seen(story),
        back(record),
        session.application_id.as_ref().map(|it| Fact::code("Application", it.as_str())),
        Some(Fact::code("Stream group", session.stream_group_id.as_str())),
        Some(Fact::code("Session", session.id.as_str())),
        session.user_id.as_ref().map(|it| Fact::code("User", it)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What the game calls its build, or else the build's id.
fn build_in_words(build: &Build) -> Option<String> {
    build.version.as_ref().map(ToString::to_string).or_else(|| build.id.clone())
}

fn engine_name(engine: &str) -> String {
    match engine {
        "unreal" => "Unreal Engine".to_owned(),
        "unity" => "Unity".to_owned(),
        "godot" => "Godot".to_owned(),
        other => other.to_owned(),
    }
}

/// How long into the session it happened.
fn into_the_session(story: &Story<'_>) -> Option<Fact> {
    let record = story.record;
    let term = if story.is_crash() { "Into the session" } else { "Lasted" };
    let exact = story.crashed_at().zip(record.session.created_at).map(|(at, from)| at.duration_since(from));
    match (exact, record.judgement.performance.as_ref().and_then(|it| it.seconds)) {
        (Some(exact), _) => Some(Fact::text(term, duration(exact))),
        (None, Some(seconds)) => {
            let seconds = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            Some(Fact::text(term, format!("about {}", duration(seconds))))
        }
        (None, None) => None,
    }
}

/// Since when the same crash has been seen.
fn seen(story: &Story<'_>) -> Option<Fact> {
    let signature = story.record.judgement.signature.as_ref()?;
    let value = match (signature.first_seen, story.first_sight) {
        (Some(true), _) => "in this session".to_owned(),
        (Some(false), Some(first)) => {
            let build = first.build.as_deref().map(|build| format!("in build {}", short(build, 80)));
            let session = Some(format!("session {}", first.session));
            let parts: Vec<_> = [first.at.map(time), build, session].into_iter().flatten().collect();
            parts.join(", ")
        }
        (Some(false), None) => "in another session".to_owned(),
        (None, _) => return None,
    };
    Some(Fact::text("First seen", value))
}

/// That a crash that had been mended was not.
fn back(record: &Record) -> Option<Fact> {
    let signature = record.judgement.signature.as_ref().filter(|it| it.regressed == Some(true))?;
    let value = match signature.first_regressed {
        Some(true) => "it had been, and is back in this build: this session is the first that shows it",
        _ => "it had been, and is back in this build",
    };
    Some(Fact::text("Resolved", value))
}

/// Why the session ended, and what made it be captured.
pub(super) fn what_happened(story: &Story<'_>) -> Vec<Fact> {
    let record = story.record;
    let session = &record.session;
    let end = session.end_reason.as_deref().map(|word| {
        Fact::text("Why it ended", format!("{} ({})", advice::end_reason(word), short(word, LONGEST)))
    });
    let end = end.or_else(|| {
        let status = session.status.as_deref()?;
        let told = format!("nobody told why; its status was {}", short(status, LONGEST));
        Some(Fact::text("Why it ended", told))
    });
    let from = session.created_at.map(|at| Fact::text("Session began", time(at)));
    let to = story.ended_at().map(|at| Fact::text("Session ended", time(at)));
    let trigger = record.trigger.as_ref().map(|trigger| {
        Fact::text("Watched since", format!("{}: {}", time(trigger.at), advice::trigger(&trigger.kind)))
    });
    let armed = record.armed_at.map(|at| Fact::text("Files asked for", time(at)));
    [from, to, end, trigger, armed].into_iter().flatten().chain(alarms(record)).collect()
}

/// How many alarms are named.
const MOST_ALARMS: usize = 8;

fn alarms(record: &Record) -> Vec<Fact> {
    let alarms = record.alarms.iter().take(MOST_ALARMS);
    let told =
        alarms.map(|alarm| Fact::text("Alarm", format!("{}: {}", time(alarm.at), short(&alarm.name, 255))));
    let more = record.alarms.len().saturating_sub(MOST_ALARMS);
    told.chain((more > 0).then(|| Fact::text("Alarm", format!("and {more} more")))).collect()
}

/// Where and how it crashed, and what finds the symbols for it.
pub(super) fn exception(record: &Record) -> Vec<Fact> {
    let Some(exception) = &record.judgement.exception else { return Vec::new() };
    let text = |it: &Option<crate::redacted::Redacted>| it.as_ref().map(ToString::to_string);
    let place = match (text(&exception.module), &exception.offset) {
        (Some(module), Some(offset)) => Some(format!("{module} + {offset}")),
        (module, offset) => module.or_else(|| offset.clone()),
    };
    let build = record.judgement.build.as_ref();
    // Without a version, it stands at the top.
    let build_id = build.filter(|build| build.version.is_some()).and_then(|build| build.id.clone());
    let address = exception.address.as_deref().map(|class| match class {
        "null" => "a null pointer, or a field behind one".to_owned(),
        "non-canonical" => "no address at all: garbage taken for a pointer".to_owned(),
        "other" => "an address that is not mapped, or not to be used so".to_owned(),
        word => short(word, LONGEST),
    });
    [
        text(&exception.kind).map(|it| Fact::code("Exception", it)),
        text(&exception.message).map(|it| Fact { value: short(&it, 512), ..Fact::code("Message", "") }),
        address.map(|it| Fact::text("Address", it)),
        text(&exception.thread).map(|it| Fact::code("Thread", it)),
        place.map(|it| Fact::code("Module and offset", it)),
        build_id.map(|it| Fact::code("Build id", it)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The signature: what other sessions are compared by.
pub(super) fn signature(signature: &Signature) -> Vec<Fact> {
    let confidence = match signature.confidence.as_str() {
        "high" => "high: equal ids mean equal crashes".to_owned(),
        "medium" => "medium: equal ids most likely mean equal crashes".to_owned(),
        "low" => "low: unlike crashes may share the id".to_owned(),
        word => short(word, LONGEST),
    };
    vec![
        Fact::code("Signature", short(&signature.id, 64)),
        Fact::code("Fingerprint in this build", short(&signature.fingerprint, 64)),
        Fact::text("Confidence", confidence),
    ]
}

/// How the session fared, in figures.
pub(super) fn figures(record: &Record) -> Vec<Fact> {
    let Some(performance) = &record.judgement.performance else { return Vec::new() };
    let share = |share: f64| format!("{:.0} %", share * 100.0);
    let last = performance.last_minute.clone().unwrap_or_default();
    let with_last = |highest: String, last: Option<String>, how: &str| match last {
        Some(last) => format!("{highest} at most; {last} {how} in the last minute"),
        None => format!("{highest} at most"),
    };
    let memory = performance.peak_memory_share.map(|peak| {
        let mib =
            performance.peak_memory_mib.map(|mib| format!(" ({} MiB)", number(mib))).unwrap_or_default();
        let told = with_last(share(peak) + &mib, last.memory_share.map(share), "at most");
        Fact::text("Memory", told)
    });
    let cpu = performance
        .peak_cpu_share
        .map(|peak| Fact::text("CPU", with_last(share(peak), last.cpu_share.map(share), "on average")));
    let vram = performance.peak_vram_percent.map(|peak| {
        let last = last.vram_percent.map(|percent| format!("{percent} %"));
        Fact::text("VRAM", with_last(format!("{peak} %"), last, "at most"))
    });
    let short = match performance.pressure.as_slice() {
        [] => None,
        what => Some(Fact::text("Ran short of", short(&what.join(", "), LONGEST))),
    };
    [short, cpu, memory, vram].into_iter().flatten().collect()
}

/// The zip in one line.
pub(super) fn zip(record: &Record) -> Option<String> {
    let files = record.judgement.files.as_ref();
    let zip = record.export.as_ref().and_then(|export| export.size).map(size);
    match (files, zip) {
        (Some(files), Some(zip)) => {
            Some(format!("{}, {}, in a zip of {zip}", count(files.count, "file"), size(files.bytes)))
        }
        (Some(files), None) => Some(format!("{}, {}", count(files.count, "file"), size(files.bytes))),
        (None, Some(zip)) => Some(format!("a zip of {zip}")),
        (None, None) => None,
    }
}
