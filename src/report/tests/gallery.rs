//! One capture of each kind, as triage tells it of faithful files.

use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::record::{
    AlarmNote, Evidence, ExportObject, Problem, Reason, Record, SessionFacts, Signature, State, TriggerNote,
    Verdict,
};
use crate::redacted::Redacted;
use crate::report::{FirstSeen, Story};
use crate::session::{Id, SessionName};
use crate::triage::tests::stories::{NULL_READ, PROTON, Run, UNREAL_ON_LINUX, unity, unreal};
use crate::triage::tests::{Session, csv, findings};
use crate::triage::{Details, Excerpt, Folder, Line, Listed, Sample, StackFrame};
use crate::verdict::{self, Ending};

/// A capture.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) record: Record,
    pub(super) details: Details,
    pub(super) first_sight: Option<FirstSeen>,
    pub(super) lasted: Option<SignedDuration>,
}

impl Case {
    pub(super) fn story(&self) -> Story<'_> {
        Story {
            record: &self.record,
            details: &self.details,
            first_sight: self.first_sight.as_ref(),
            lasted: self.lasted,
            bucket: "captures",
        }
    }

    pub(super) fn page(&self) -> String {
        self.story().page()
    }
}

fn id(text: &str) -> Id {
    Id::try_from(text.to_owned()).unwrap()
}

fn facts(end_reason: &str) -> SessionFacts {
    let name = SessionName { stream_group: id("sg-1AB2C3De4"), id: id("ABC123def4567") };
    SessionFacts {
        application_id: Some(id("a-9ZY8X7Wv6")),
        location: Some("us-west-2".to_owned()),
        created_at: Some("2026-11-23T09:59:30Z".parse().unwrap()),
        status: Some("TERMINATED".to_owned()),
        end_reason: Some(end_reason.to_owned()),
        ..SessionFacts::of_name(&name)
    }
}

const LASTED: SignedDuration = SignedDuration::from_secs(149);

/// What is made of these files, of a session that ended so.
fn indexed(name: &'static str, files: &[(&str, Vec<u8>)], end_reason: &str, alarms: &[&str]) -> Case {
    let mut findings = findings(files);
    let details = std::mem::take(&mut findings.details);
    let at = "2026-11-23T10:01:20Z".parse().unwrap();
    let alarms: Vec<_> = alarms.iter().map(|name| AlarmNote { name: (*name).to_owned(), at }).collect();
    let ending = Ending { reason: Some(end_reason.to_owned()), lasted: Some(LASTED) };
    let mut record = Record::new(State::Indexed, facts(end_reason));
    record.judgement = verdict::judge(findings, &ending, &alarms);
    record.alarms = alarms;
    captured(&mut record);
    Case { name, record, details, first_sight: None, lasted: Some(LASTED) }
}

fn captured(record: &mut Record) {
    let at = "2026-11-23T09:59:41Z".parse().unwrap();
    record.trigger = Some(TriggerNote { kind: "sweep".to_owned(), at });
    record.armed_at = Some(at);
    record.export = Some(ExportObject {
        bucket: "captures".to_owned(),
        key: "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip".to_owned(),
        version_id: None,
        etag: None,
        size: Some(19_390_411),
        expires_on: Some("2027-05-23".parse().unwrap()),
    });
    if let Some(signature) = &mut record.judgement.signature {
        signature.first_seen = Some(true);
    }
}

/// Two minutes of a game that takes more and more memory.
fn stats() -> (&'static str, Vec<u8>) {
    let row = |n: u32| {
        let wave = f64::from(n % 17) / 40.0;
        (0.5 + wave, 0.35 + f64::from(n) * 0.0053, 40.0 + f64::from(n / 20) * 4.0)
    };
    ("stats/perf_stats_v1.csv", csv(&(0..119).map(row).collect::<Vec<_>>()))
}

/// The crash of an Unreal game, with all that can be known of one.
pub(super) fn crash() -> Case {
    let mut files = unreal(&NULL_READ);
    files.push(stats());
    files.push(("profile/AppData/Local/Skylark/Saved/SaveGames/slot1.sav", vec![7; 70_000]));
    files.push(("application/Skylark/Content/Paks/Skylark-Windows.pak", vec![0; 900_000]));
    let mut case = indexed("crash-unreal", &files, "applicationExit", &[]);
    case.details.crashed_at = None;
    case.record.judgement.problems.push(Problem::new("time-limit", "reading ended 20 s before the deadline"));
    if let Some(signature) = &mut case.record.judgement.signature {
        signature.first_seen = Some(false);
    }
    case.first_sight = Some(FirstSeen {
        session: id("FIRST1"),
        at: Some("2026-11-20T18:33:12Z".parse().unwrap()),
        build: Some("1B2C".to_owned()),
    });
    case
}

/// A session that was not captured, for this reason.
pub(super) fn not_captured(code: &str) -> Case {
    let (name, state, detail) = match code {
        "never-armed" => (
            "missed-never-armed",
            State::Missed,
            "the session ended (applicationExit) before its export was requested; it could not be: ExportStreamSessionFiles: AccessDeniedException: not authorised",
        ),
        "never-seen" => (
            "missed-never-seen",
            State::Missed,
            "the session was over (applicationExit) before anything told of it or a pass met it",
        ),
        "never-started" => (
            "missed-never-started",
            State::Missed,
            "the session ended in ERROR (placementTimeout) without running",
        ),
        "exported-elsewhere" => (
            "missed-exported-elsewhere",
            State::Missed,
            "its files were exported to s3://somebody-elses-bucket/a/b.zip",
        ),
        "export-failed" => (
            "failed-export",
            State::Failed,
            "GameLift Streams could not export the session's files: Access Denied",
        ),
        "export-stuck" => (
            "failed-stuck",
            State::Failed,
            "its export is PENDING since the session's end at 2026-11-23T10:02:00Z",
        ),
        "not-indexed" => (
            "failed-not-indexed",
            State::Failed,
            "GameLift Streams says that its files are exported, but after 4 requests to index them there is no record",
        ),
        other => panic!("no such reason: {other}"),
    };
    let record = Record::not_captured(state, Reason::new(code, detail), facts("applicationExit"), None);
    Case { name, record, details: Details::default(), first_sight: None, lasted: None }
}

fn unreadable() -> Case {
    let mut record = Record::new(State::Indexed, facts("applicationExit"));
    record.judgement = verdict::unreadable("not a zip: no end record in its last 64 KiB");
    captured(&mut record);
    Case { name: "unreadable", record, details: Details::default(), first_sight: None, lasted: Some(LASTED) }
}

/// What must not get into a report, and a text that has it.
pub(super) const SECRETS: [(&str, &str); 4] = [
    ("hunter2", "-AUTH_PASSWORD=hunter2"),
    ("jane@example.com", "mail of jane@example.com"),
    ("203.0.113.7", "peer 203.0.113.7:7777"),
    ("c2lnbmF0dXJl", "jwt eyJhbGciOiJub25l.eyJzdWIiOiJqYW5l.c2lnbmF0dXJl"),
];

/// Files whose names and contents try to get out of their places.
pub(super) fn hostile() -> Case {
    let mut log = format!("{}\n{}\n", "x".repeat(5000), "many words ".repeat(800));
    log += "\u{202e}Log \u{2066}file\u{2069} \u{1b}[31mred\u{1b}[0m\u{7}\n";
    for (_, text) in SECRETS {
        writeln!(log, "said {text}").unwrap();
    }
    log +=
        "<script>alert(1)</script> \"><img src=x onerror=alert(1)> </title><style>*{display:none}</style>\n";
    log += "{{ 7*7 }} {% raw %} &amp; &#60; ' \" ` אבגד 日本語 🙂\n";
    log += "Assertion failed: <b>bold</b> && \"quoted\" > 0 [File:C:/Users/jane/<img src=x>.cpp] [Line: 1]\n";
    let mut log = log.into_bytes();
    log.extend_from_slice(b"invalid \xff\xfe\xc3( utf-8\n");
    let deep = format!("profile/{}/deep.log", ["a-folder-with-quite-a-long-name"; 20].join("/"));
    let files: Session<'_> = vec![
        ("profile/<script>alert(1)</script>/\"game\".log", log),
        ("profile/$(reboot)`id`'; rm -rf ~/\u{202e}gnp.exe", vec![0; 60_000]),
        ("-rf", vec![0; 50_000]),
        ("../../etc/passwd", vec![0; 40_000]),
        ("profile/users/jane doe/AppData/x.sav", vec![0; 30_000]),
        ("profile/שלום עולם/قطعة.sav", vec![0; 20_000]),
        (deep.as_str(), vec![0; 10_000]),
    ];
    let mut case =
        indexed("hostile", &files, "</dd><script>alert(1)</script>", &["\"><svg onload=alert(1)>\u{202e}"]);
    case.record.session.location = Some("<i>\u{202e}nowhere".to_owned());
    case.record.alarms[0].name = "\"><svg onload=alert(1)>".to_owned();
    case.record.session.location = Some("<i>nowhere".to_owned());
    case
}

/// Everything at its bounds, made of a text.
pub(super) fn largest(text: &str) -> Case {
    let long = Redacted::new(&format!("x{}", text.repeat(600)));
    let mut case = crash();
    (case.name, case.details.crashed_at) = ("largest", None);
    let string = || long.to_string();
    let judgement = &mut case.record.judgement;
    judgement.signature = Some(Signature {
        version: 1,
        id: string(),
        title: long.clone(),
        fingerprint: string(),
        confidence: string(),
        first_seen: Some(false),
        regressed: Some(true),
        first_regressed: Some(true),
        muted: Some(true),
    });
    if let Some(exception) = &mut judgement.exception {
        (exception.kind, exception.message, exception.address) =
            (Some(long.clone()), Some(long.clone()), Some(string()));
        (exception.module, exception.offset, exception.thread) =
            (Some(long.clone()), Some(string()), Some(long.clone()));
    }
    if let Some(build) = &mut judgement.build {
        (build.id, build.version, build.engine) = (Some(string()), Some(long.clone()), Some(string()));
        (build.engine_version, build.configuration) = (Some(long.clone()), Some(long.clone()));
    }
    judgement.reason = Some(Reason::new("evidence", string()));
    judgement.verdict = Some(Verdict::Crash);
    let evidence = Evidence { kind: string(), path: long.clone(), size: u64::MAX, tells: Some(long.clone()) };
    judgement.evidence = vec![evidence; 100];
    judgement.problems = vec![Problem::new(&string(), string()); 1000];
    if let Some(performance) = &mut judgement.performance {
        performance.pressure = vec![string(); 10];
    }
    let at = "2026-11-23T10:01:20Z".parse().unwrap();
    case.record.alarms = vec![AlarmNote { name: string(), at }; 1000];
    (case.record.session.location, case.record.session.end_reason) = (Some(string()), Some(string()));
    case.record.session.user_id = Some(string());
    let frame = StackFrame {
        module: long.clone(),
        offset: Some("0xffffffffffffffff".to_owned()),
        function: Some(long.clone()),
        is_games: true,
    };
    let listed = Listed { path: long.clone(), size: u64::MAX, is_exact: true };
    case.details.stack = vec![frame; 32];
    case.details.log =
        Some(Excerpt { path: long.clone(), lines: vec![Line { text: long.clone(), tells: true }; 48] });
    case.details.samples = (0..320)
        .map(|n| {
            let high = Some(if n % 2 == 0 { u16::MAX } else { 9999 });
            Sample { at: n * 1000, cpu: high, memory: high, gpu: high, vram: high }
        })
        .collect();
    case.details.listing.largest = vec![listed; 40];
    case.details.listing.folders = ["application", "profile", "temp", "stats", "other"]
        .map(|name| Folder { name, count: u64::MAX, bytes: u64::MAX })
        .to_vec();
    case
}

/// One capture of each kind.
pub(super) fn gallery() -> Vec<Case> {
    let log =
        |name, path: &'static str, text: &str| indexed(name, &[(path, text.into())], "applicationExit", &[]);
    let quiet = "LogInit: Build: 1.2\nLogNet: connected\nLogLoad: Took 1.2 s to load the arena\n";
    let mut cases = vec![
        crash(),
        indexed(
            "crash-unreal-assert",
            &unreal(&Run {
                kind: "Assert",
                message: "Assertion failed: Health > 0 [File:D:\\x\\Shield.cpp] [Line: 214] \nHealth was -3",
                ..NULL_READ
            }),
            "applicationExit",
            &[],
        ),
        log("crash-unreal-linux", "profile/.config/Epic/Skylark/Saved/Logs/Skylark.log", UNREAL_ON_LINUX),
        indexed("crash-unity", &unity(0x1_4000_0000), "applicationExit", &[]),
        log("crash-proton", "profile/steam-4711.log", PROTON),
        log(
            "crash-godot",
            "profile/.local/share/godot/app_userdata/Skylark/logs/godot.log",
            "Godot Engine v4.2.1.stable.official.b09f793f5 - https://godotengine.org\n\nhandle_crash: Program crashed with signal 11\nEngine version: \
             Godot Engine v4.2.1.stable.official (b09f793f5)\nDumping the backtrace.\n[1] /lib/x86_64-linux-gnu/libc.so.6(+0x42520) [0x7f3a11e29d90] \
             (??:0)\n[2] ./skylark.x86_64(+0x1a2b3c) [0x5561d2f01788] (??:0)\n-- END OF BACKTRACE --\n",
        ),
        log(
            "crash-dotnet",
            "profile/Skylark/log.txt",
            "Unhandled exception. System.InvalidOperationException: Shield 17 of jane@example.com is gone\n   at System.Linq.ThrowHelper.Throw()\n   \
             at Skylark.Shield.Apply(Int32 damage) in C:\\Users\\jane\\Shield.cs:line 12\n",
        ),
        indexed(
            "crash-by-a-files-presence",
            &[("profile/x/.sentry-native/last_crash", b"2026-11-23T10:00:00Z".to_vec())],
            "applicationExit",
            &[],
        ),
        indexed(
            "suspect-alarm",
            &[("profile/Skylark/Saved/Logs/Skylark.log", quiet.into()), stats()],
            "apiTerminated",
            &["gamelift-streams-no-frames"],
        ),
        indexed("suspect-pressure", &[stats()], "applicationExit", &[]),
        indexed(
            "exited",
            &[("profile/Skylark/Saved/Logs/Skylark.log", quiet.into())],
            "applicationExit",
            &[],
        ),
        indexed("clean-without-files", &[], "idleTimeout", &[]),
        unreadable(),
        hostile(),
        largest("w "),
    ];
    let codes = [
        "never-armed",
        "never-seen",
        "never-started",
        "exported-elsewhere",
        "export-failed",
        "export-stuck",
        "not-indexed",
    ];
    cases.extend(codes.map(not_captured));
    cases
}
