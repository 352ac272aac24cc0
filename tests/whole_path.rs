//! From a session to its record: the built functions, through the runtime API, against the local cloud.
//!
//! What AWS does not document, or does not promise, must not matter: each statement holds under each setting of
//! `support/settings.rs`, which is one test each. `cargo test --test whole_path listings_lag` takes one setting,
//! `… a_crash` one statement, `… as_assumed` what the project assumes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

#[path = "support/settings.rs"]
mod settings;
mod support;
#[path = "support/trials.rs"]
mod trials;

use std::process::ExitCode;
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, OTHER_LOCATION, STREAM_GROUP};
use crash_capture_local::game::crash_site;
use crash_capture_local::streams::{ExportAfterError, SessionId, StartOptions};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use support::{CRASH, Cloud, EXIT, QUIT, event, long_since, session_event};
use trials::{Statement, run, statement};

const STATEMENTS: &[Statement] = &[
    statement!(a_crash_is_recorded_with_module_and_offset),
    statement!(a_clean_exit_is_clean_by_its_log_and_a_quit_is_just_an_exit),
    Statement {
        except: &[("ended_sessions_forgotten", "whom nobody saw alive, nobody can tell of")],
        ..statement!(a_session_that_ended_before_anything_could_arm_it_is_recorded_as_missed)
    },
    Statement {
        asks: |options| {
            options.timings.activating = Duration::from_secs(1);
            options.timings.cloudtrail_after = Some(Duration::ZERO);
        },
        ..statement!(a_session_that_cloudtrail_told_of_too_early_is_armed_by_the_sweep)
    },
    Statement {
        asks: |options| options.timings.activating = Duration::from_secs(2),
        except: &[("ended_sessions_forgotten", "not yet: the sweep waits for ever for a forgotten session")],
        ..statement!(a_session_that_was_seen_too_early_and_never_again_is_recorded_as_missed)
    },
    statement!(all_sessions_of_a_listing_are_armed),
    statement!(no_sweep_at_any_moment_calls_an_armed_session_missed),
    Statement {
        except: &[("ended_sessions_forgotten", "the service's text is forgotten with the session")],
        ..statement!(an_export_that_failed_is_recorded_with_the_services_own_text)
    },
    statement!(a_session_that_ended_in_error_is_indexed_or_failed_or_still_watched),
    statement!(an_alarm_makes_suspect_the_sessions_that_its_dimensions_select_and_no_other),
    statement!(the_same_events_once_more_and_the_other_way_round_change_nothing),
    Statement {
        except: &[("ended_sessions_forgotten", "whom nobody saw alive, nobody can tell of")],
        ..statement!(a_missed_session_stays_missed_whatever_comes_later)
    },
    statement!(an_export_made_by_hand_is_indexed_where_it_is),
    statement!(s3s_own_notification_says_nothing_new),
];

fn main() -> ExitCode {
    run(STATEMENTS)
}

/// The key of the export that a record was made from.
fn export_key(record: &Value) -> &str {
    record["export"]["key"].as_str().unwrap()
}

/// Checks that a record names the end reason, or that nobody could learn it.
fn assert_end_reason(cloud: &Cloud, record: &Value, reason: &str) {
    if cloud.tells_end_reasons() {
        assert_eq!(record["session"]["endReason"], reason, "{record}");
    } else {
        assert_eq!(record["session"].get("endReason"), None, "{record}");
        let problems = record["problems"].as_array().unwrap();
        assert!(problems.iter().any(|problem| problem["code"] == "end-reason-unknown"), "{record}");
    }
}

/// Lets a game do its worst, and waits for everything that follows.
async fn play_to_the_end(cloud: &Cloud, session: &SessionId) {
    cloud.now(session);
    cloud.ended(session).await;
}

/// Starts the process of `start-export`, which takes a while, where the time matters.
async fn warm_up(cloud: &Cloud) {
    cloud.sweep().await;
}

async fn a_crash_is_recorded_with_module_and_offset(cloud: &Cloud) {
    let session = cloud.play(&CRASH).await;
    cloud.tell(&session).await;
    assert!(cloud.marker(&session).await.unwrap()["armedAt"].is_string());
    play_to_the_end(cloud, &session).await;

    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["state"], &record["verdict"]), (&json!("indexed"), &json!("crash")));
    assert_end_reason(cloud, &record, "applicationExit");
    assert_eq!(record["trigger"]["kind"], "session-event");
    let exception = &record["exception"];
    assert!(exception["type"].as_str().unwrap().starts_with("SIGSEGV"), "{exception}");
    assert_eq!(exception["module"], "game");
    let offset = exception["offset"].as_str().unwrap().strip_prefix("0x").unwrap();
    let offset = u64::from_str_radix(offset, 16).unwrap();
    let site = crash_site(&cloud.game).unwrap();
    assert!(site.contains(&offset), "{offset:#x} is not in {site:#x?}");
    assert!(record["evidence"][0]["path"].as_str().unwrap().ends_with("/UEMinidump.dmp"));
    assert_eq!(record["files"]["roots"]["stats"], 1);

    let date = record["session"]["createdAt"].as_str().unwrap()[..10].to_owned();
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/{date}/{}.zip", session.id);
    assert_eq!(export_key(&record), key);
    let tags = cloud.tags(&key).await;
    for tag in [("Verdict", "crash"), ("StreamSession", &session.id)] {
        assert!(tags.contains(&(tag.0.to_owned(), tag.1.to_owned())), "{tags:?}");
    }
    assert_eq!(tags.iter().any(|(key, _)| key == "EndReason"), cloud.tells_end_reasons());
}

async fn a_clean_exit_is_clean_by_its_log_and_a_quit_is_just_an_exit(cloud: &Cloud) {
    let clean = cloud.play(&EXIT).await;
    let quit = cloud.play_as(long_since(&QUIT)).await;
    cloud.sweep_until_armed(&[&clean, &quit]).await;
    play_to_the_end(cloud, &clean).await;
    play_to_the_end(cloud, &quit).await;
    let clean = cloud.record(&clean).await.unwrap();
    assert_eq!((&clean["verdict"], &clean["reason"]["code"]), (&json!("clean"), &json!("clean-exit-mark")));
    assert_eq!(clean["trigger"]["kind"], "sweep");
    let quit = cloud.record(&quit).await.unwrap();
    let expected = if cloud.tells_end_reasons() {
        ["exited", "application-exit"]
    } else {
        ["suspect", "end-reason-unknown"]
    };
    assert_eq!([&quit["verdict"], &quit["reason"]["code"]], expected);
}

async fn a_session_that_ended_before_anything_could_arm_it_is_recorded_as_missed(cloud: &Cloud) {
    let session = cloud.play(&CRASH).await;
    play_to_the_end(cloud, &session).await;
    cloud.tell(&session).await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["state"], &record["reason"]["code"]), (&json!("missed"), &json!("never-armed")));
    assert!(cloud.s3.list(&cloud.bucket, "exports/").await.unwrap().is_empty());
}

async fn a_session_that_cloudtrail_told_of_too_early_is_armed_by_the_sweep(cloud: &Cloud) {
    let session = cloud.play(&CRASH).await;
    cloud.bus.settled().await;
    assert_eq!(cloud.marker(&session).await.unwrap()["trigger"]["kind"], "cloudtrail");
    cloud.sweep_until_armed(&[&session]).await;
    play_to_the_end(cloud, &session).await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!((&record["verdict"], &record["trigger"]["kind"]), (&json!("crash"), &json!("cloudtrail")));
}

async fn a_session_that_was_seen_too_early_and_never_again_is_recorded_as_missed(cloud: &Cloud) {
    warm_up(cloud).await;
    let options = StartOptions::new(STREAM_GROUP, APPLICATION).arguments(CRASH);
    let session = cloud.streams.start_session(options).unwrap();
    let answer = cloud.start_export(&session_event(cloud, &session)).await;
    assert_eq!(answer["counts"], json!({"not-yet": 1}));
    cloud.streams.wait_for(&session, |session| session.status.is_live()).await.unwrap();
    play_to_the_end(cloud, &session).await;
    let record = cloud.sweep_until_recorded(&session, "missed").await;
    assert_eq!(record["trigger"]["kind"], "session-event");
}

/// Whichever pages it comes in, and whatever changes in between. The sweep changes each session by arming it.
async fn all_sessions_of_a_listing_are_armed(cloud: &Cloud) {
    let played = cloud.play(&[]).await;
    let like = cloud.streams.session(&played).unwrap();
    let mut sessions: Vec<SessionId> = (0..8)
        .map(|number| {
            let mut session = like.clone();
            session.id.id = format!("{number}{}", like.id.id);
            cloud.streams.write_down(session.clone());
            session.id
        })
        .collect();
    sessions.push(played);
    cloud.sweep_until_armed(&sessions.iter().collect::<Vec<_>>()).await;
    for session in &sessions {
        let uri = cloud.streams.session(session).unwrap().export.unwrap().output_uri;
        assert!(uri.ends_with(&format!("/{}.zip", session.id)), "{uri}");
    }
}

async fn no_sweep_at_any_moment_calls_an_armed_session_missed(cloud: &Cloud) {
    let sweep = event("start-export/scheduled-event.json", &[]);
    warm_up(cloud).await;
    let session = cloud.play(&CRASH).await;
    cloud.caught_up().await;
    cloud.tell(&session).await;
    cloud.start_export(&sweep).await;
    cloud.now(&session);
    let start = Instant::now();
    // Not by way of the bus, which might be waiting for the zip's own event.
    let record = loop {
        cloud.start_export(&sweep).await;
        if let Some(record) = cloud.record(&session).await {
            break record;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "no record");
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(record["state"], "indexed", "{record}");
    cloud.ended(&session).await;
    cloud.sweep().await;
    let record = cloud.record(&session).await.unwrap();
    assert_eq!([&record["verdict"], &record["trigger"]["kind"]], ["crash", "session-event"]);
}

async fn an_export_that_failed_is_recorded_with_the_services_own_text(cloud: &Cloud) {
    let text = "Access Denied: somebody changed the bucket's policy";
    let session = cloud.play(&CRASH).await;
    cloud.tell(&session).await;
    cloud.streams.fail_export(&session, text).unwrap();
    play_to_the_end(cloud, &session).await;
    cloud.caught_up().await;
    let record = cloud.sweep_until_recorded(&session, "failed").await;
    assert_eq!(record["reason"]["code"], "export-failed");
    assert!(record["reason"]["detail"].as_str().unwrap().ends_with(text), "{record}");
    assert!(record["armedAt"].is_string());
}

async fn a_session_that_ended_in_error_is_indexed_or_failed_or_still_watched(cloud: &Cloud) {
    let session = cloud.play(&[]).await;
    cloud.tell(&session).await;
    cloud.streams.fail(&session).unwrap();
    match cloud.switches.export_after_error {
        ExportAfterError::Exported => {
            cloud.ended(&session).await;
            let record = cloud.record(&session).await.unwrap();
            let reason = if cloud.tells_end_reasons() { "ended-by-fault" } else { "end-reason-unknown" };
            assert_eq!([&record["state"], &record["verdict"]], ["indexed", "suspect"]);
            assert_eq!(record["reason"]["code"], reason);
        }
        ExportAfterError::Fails => {
            cloud.ended(&session).await;
            cloud.caught_up().await;
            let record = cloud.sweep_until_recorded(&session, "failed").await;
            assert_eq!(record["reason"]["code"], "export-failed");
        }
        ExportAfterError::StaysPending => {
            cloud.streams.wait_for(&session, |session| session.status.has_ended()).await.unwrap();
            cloud.sweep().await;
            assert_eq!(cloud.record(&session).await, None);
            assert!(cloud.marker(&session).await.is_some());
        }
    }
}

async fn an_alarm_makes_suspect_the_sessions_that_its_dimensions_select_and_no_other(cloud: &Cloud) {
    let affected = cloud.play(&[]).await;
    let elsewhere = {
        let mut options = StartOptions::new(STREAM_GROUP, APPLICATION);
        options.request.locations = Some(vec![OTHER_LOCATION.to_owned()]);
        cloud.play_as(options).await
    };
    cloud.caught_up().await;
    cloud.events.put_raw(event("start-export/alarm-metric.json", &[]));
    cloud.bus.settled().await;
    cloud.sweep_until_armed(&[&affected, &elsewhere]).await;
    for session in [&affected, &elsewhere] {
        cloud.streams.terminate(session).unwrap();
        cloud.ended(session).await;
    }
    let record = cloud.record(&affected).await.unwrap();
    assert_eq!([&record["verdict"], &record["reason"]["code"]], ["suspect", "alarm"]);
    assert_eq!(record["trigger"]["kind"], "alarm");
    let [alarm] = record["alarms"].as_array().unwrap().as_slice() else { panic!("{record}") };
    assert_eq!(alarm["name"], "gamelift-streams-frame-rate-zero");
    let record = cloud.record(&elsewhere).await.unwrap();
    let verdict = if cloud.tells_end_reasons() { "clean" } else { "suspect" };
    assert_eq!((&record["verdict"], record.get("alarms")), (&json!(verdict), None));
}

/// What was said about a session, said once more, the last first.
async fn repeat_all_events(cloud: &Cloud) {
    let routed = cloud.bus.log().into_iter().filter(|routed| !routed.rules.is_empty());
    for routed in routed.collect::<Vec<_>>().into_iter().rev() {
        cloud.events.put_raw(routed.event);
    }
    cloud.sweep().await;
}

async fn the_same_events_once_more_and_the_other_way_round_change_nothing(cloud: &Cloud) {
    let session = cloud.play(&CRASH).await;
    cloud.tell(&session).await;
    let marker = cloud.marker(&session).await.unwrap();
    cloud.tell(&session).await;
    cloud.sweep().await;
    assert_eq!(cloud.marker(&session).await.unwrap(), marker);
    play_to_the_end(cloud, &session).await;
    let (results, tags) = (cloud.results().await, cloud.tags(&export_key_of(cloud, &session).await).await);
    repeat_all_events(cloud).await;
    cloud.caught_up().await;
    repeat_all_events(cloud).await;
    assert!(cloud.results().await == results, "{:?}", cloud.record(&session).await);
    assert_eq!(cloud.tags(&export_key_of(cloud, &session).await).await, tags);
    let told_of_a_crash = |answer: &Value| answer["verdict"] == "crash" && answer["announce"] == true;
    let outcomes = cloud.lambda.invocations().into_iter().filter_map(|it| {
        let answer = it.outcome.result.ok()?;
        told_of_a_crash(&answer).then_some(it.outcome.request_id)
    });
    let mut announced: Vec<_> = outcomes.collect();
    announced.dedup();
    assert_eq!(announced.len(), 1, "it is announced once, or by one invocation that ran twice");
}

async fn export_key_of(cloud: &Cloud, session: &SessionId) -> String {
    export_key(&cloud.record(session).await.unwrap()).to_owned()
}

async fn a_missed_session_stays_missed_whatever_comes_later(cloud: &Cloud) {
    warm_up(cloud).await;
    let session = cloud.play(&CRASH).await;
    // Long enough for a listing that lags to show it alive after its end.
    cloud.caught_up().await;
    play_to_the_end(cloud, &session).await;
    cloud.tell(&session).await;
    cloud.sweep().await;
    assert_eq!(cloud.record(&session).await.unwrap()["state"], "missed");
    // By then the service tells why it ended.
    cloud.caught_up().await;
    cloud.tell(&session).await;
    let results = cloud.results().await;
    repeat_all_events(cloud).await;
    assert!(cloud.results().await == results, "{:?}", cloud.record(&session).await);
    assert_eq!(cloud.record(&session).await.unwrap()["reason"]["code"], "never-armed");
    // A listing that lags may have made the sweep try once more. That leaves a marker, which goes ten minutes later.
    cloud.sweep().await;
    assert_eq!(cloud.record(&session).await.unwrap()["state"], "missed");
}

/// The record of a crash whose export somebody asked for by hand, with a folder URI.
async fn exported_by_hand(cloud: &Cloud) -> Value {
    let session = cloud.play(&CRASH).await;
    let folder = format!("s3://{}/exports/QA playtest (Linux)/", cloud.bucket);
    cloud.streams.export(&session, &folder, "AKIASOMEBODY00000000").unwrap();
    cloud.caught_up().await;
    cloud.tell(&session).await;
    cloud.sweep().await;
    play_to_the_end(cloud, &session).await;
    cloud.record(&session).await.unwrap()
}

async fn an_export_made_by_hand_is_indexed_where_it_is(cloud: &Cloud) {
    let record = exported_by_hand(cloud).await;
    assert_eq!((&record["verdict"], record.get("armedAt")), (&json!("crash"), None));
    let key = export_key(&record).to_owned();
    assert!(key.starts_with("exports/QA playtest (Linux)/2"), "{key}");
    assert!(cloud.tags(&key).await.contains(&("Verdict".to_owned(), "crash".to_owned())));
    assert_eq!(cloud.s3.list(&cloud.bucket, "exports/").await.unwrap().len(), 1);
}

async fn s3s_own_notification_says_nothing_new(cloud: &Cloud) {
    let record = exported_by_hand(cloud).await;
    let encoded = export_key(&record).replace(' ', "+").replace('(', "%28").replace(')', "%29");
    let notification = event(
        "index-export/s3-notification.json",
        &[
            ("/Records/0/s3/bucket/name", json!(cloud.bucket)),
            ("/Records/0/s3/object/key", json!(encoded)),
            ("/Records/0/s3/object/eTag", record["export"]["etag"].clone()),
            ("/Records/0/s3/object/size", record["export"]["size"].clone()),
        ],
    );
    let results = cloud.results().await;
    let answer = cloud.index_export(&notification).await;
    assert_eq!((&answer["verdict"], &answer["announce"]), (&json!("crash"), &json!(false)));
    assert_eq!(answer["export"]["key"], record["export"]["key"]);
    assert!(cloud.results().await == results);
}
