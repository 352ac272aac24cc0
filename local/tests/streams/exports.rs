//! The export of what a game wrote.

use std::fs;
use std::time::Duration;

use crash_capture_local::streams::{
    Application, ExportAfterError, ExportStatus, ExportedWhile, GeneratedName, SecondExport, SessionId,
    StartOptions, Status, Switches, WrongStatus,
};

use crate::cloud::{BUCKET, Cloud, FOR_EVER, GROUP, SCRIPT, UNTIL_ENDED, code, quick};

async fn with(switches: Switches) -> Cloud {
    Cloud::with(switches, quick()).await
}

/// A live session with an export requested, over the API.
async fn armed(cloud: &Cloud, script: &str, output_uri: &str) -> SessionId {
    let session = cloud.script(script);
    cloud.reach(&session, Status::Active).await;
    arm(cloud, &session, output_uri).await.expect("an export");
    session
}

/// The error's code, if the request is refused.
async fn arm(cloud: &Cloud, session: &SessionId, output_uri: &str) -> Result<(), String> {
    let export = cloud.client().export_stream_session_files().identifier(&session.stream_group_id);
    match export.stream_session_identifier(&session.id).output_uri(output_uri).send().await {
        Ok(_) => Ok(()),
        error => Err(code(error)),
    }
}

fn uri(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

/// The export's status, its reason and its URI.
async fn outcome(cloud: &Cloud, session: &SessionId) -> (ExportStatus, Option<String>, String) {
    let export = cloud.settled(session).await.export.expect("an export");
    (export.status, export.status_reason, export.output_uri)
}

#[tokio::test]
async fn an_export_holds_what_the_game_wrote_and_its_performance() {
    let mut cloud = Cloud::start().await;
    let script = format!(
        r#"echo a >made-here; mkdir -p "$HOME/Saved"; echo p >"$HOME/Saved/game.log";
                    echo t >"$TMPDIR/scratch"; ln -s /etc/passwd "$HOME/link"; {UNTIL_ENDED}"#
    );
    let session = armed(&cloud, &script, &uri("exports/one.zip")).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    cloud.end(&session);
    assert_eq!(outcome(&cloud, &session).await.0, ExportStatus::Succeeded);

    let expected = [
        "application/made-here",
        "profile/Saved/game.log",
        "profile/end",
        "temp/scratch",
        "stats/perf_stats_v1.csv",
    ];
    assert_eq!(cloud.names("exports/one.zip"), expected);
    let stats = cloud.exported("exports/one.zip", "stats/perf_stats_v1.csv").expect("stats");
    let stats = String::from_utf8(stats).expect("text");
    let mut rows = stats.lines();
    assert_eq!(
        rows.next(),
        Some(
            "timestamp,app_cpu_normalized,app_mem_mb,app_mem_normalized,shared_sys_cpu_pct,shared_sys_mem_mb,\
             shared_sys_mem_pct,shared_sys_gpu_pct,shared_sys_vram_mb,shared_sys_vram_pct"
        )
    );
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(',').collect()).collect();
    assert!(rows.len() >= 2, "one row a second: {stats}");
    for row in rows {
        row[0].parse::<jiff::Timestamp>().expect("a time");
        assert!(row[2].parse::<f64>().expect("a number") > 0.0, "the game has memory: {stats}");
        assert!(row[5].parse::<f64>().expect("a number") > 0.0, "the machine has memory: {stats}");
    }

    let upload = cloud.uploads.recv().await.expect("an upload");
    assert_eq!((upload.access_key_id.as_str(), upload.zip.exists()), ("AKIATESTS", false));
}

#[tokio::test]
async fn only_files_that_the_session_changed_are_exported() {
    let cloud = Cloud::start().await;
    let content = cloud.scratch();
    for name in ["untouched.pak", "settings.ini", "same-size.ini"] {
        fs::write(content.join(name), "as installed").expect("a file");
    }
    let application = Application { content: Some(content), ..Application::new("a-1nstalled", "/bin/sh") };
    cloud.streams.add_application(application);
    let script = format!(
        "cat untouched.pak; echo more >>settings.ini; printf 'AS INSTALLED' >same-size.ini; {UNTIL_ENDED}"
    );
    let session = cloud.begin(StartOptions::new(GROUP, "a-1nstalled").arguments(["-c", &script]));
    cloud.reach(&session, Status::Active).await;
    arm(&cloud, &session, &uri("one.zip")).await.expect("an export");
    cloud.end(&session);
    cloud.settled(&session).await;
    let mut names = cloud.names("one.zip");
    names.retain(|name| name.starts_with("application/"));
    assert_eq!(names, ["application/same-size.ini", "application/settings.ini"]);
}

#[tokio::test]
async fn a_folder_gets_a_file_with_a_generated_name() {
    let mut cloud = Cloud::start().await;
    let session = cloud.begin(
        StartOptions::new(GROUP, SCRIPT).arguments([UNTIL_ENDED]).already_running(Duration::from_hours(100)),
    );
    let created =
        cloud.reach(&session, Status::Active).await.created_at.strftime("%Y%m%d-%H%M%S").to_string();
    arm(&cloud, &session, &uri("by-hand/")).await.expect("an export");
    cloud.end(&session);
    let upload = cloud.uploads.recv().await.expect("an upload");
    assert_eq!(upload.key, format!("by-hand/{created}-{SCRIPT}-{GROUP}-{}.zip", session.id));
}

#[tokio::test]
async fn a_generated_name_may_carry_the_sessions_end() {
    let mut cloud = with(Switches { generated_name: GeneratedName::Ended, ..Switches::default() }).await;
    let options = StartOptions::new(GROUP, SCRIPT).arguments([UNTIL_ENDED]);
    let session = cloud.begin(options.already_running(Duration::from_hours(100)));
    let created = cloud.reach(&session, Status::Active).await.created_at.strftime("%Y%m%d").to_string();
    arm(&cloud, &session, &uri("")).await.expect("an export");
    cloud.end(&session);
    let upload = cloud.uploads.recv().await.expect("an upload");
    assert!(!upload.key.starts_with(&created) && upload.key.ends_with(&format!("-{}.zip", session.id)));
}

#[tokio::test]
async fn an_export_is_pending_until_the_session_has_ended() {
    let cloud = Cloud::start().await;
    let session = cloud.script(FOR_EVER);
    assert!(cloud.reach(&session, Status::Active).await.export.is_none());
    arm(&cloud, &session, &uri("one.zip")).await.expect("an export");
    let pending = cloud.streams.session(&session).and_then(|session| session.export).expect("an export");
    assert_eq!((pending.status, pending.output_uri), (ExportStatus::Pending, uri("one.zip")));
    cloud.streams.terminate(&session).expect("a live session");
    assert_eq!(outcome(&cloud, &session).await, (ExportStatus::Succeeded, None, uri("one.zip")));
}

#[tokio::test]
async fn an_export_can_stay_pending_after_the_zip_arrived() {
    let mut cloud =
        with(Switches { pending_after_delivery: Duration::from_millis(300), ..Switches::default() }).await;
    let session = armed(&cloud, UNTIL_ENDED, &uri("one.zip")).await;
    cloud.end(&session);
    cloud.uploads.recv().await.expect("an upload");
    let export = cloud.streams.session(&session).and_then(|session| session.export).expect("an export");
    assert_eq!(export.status, ExportStatus::Pending);
    assert_eq!(outcome(&cloud, &session).await.0, ExportStatus::Succeeded);
}

#[tokio::test]
async fn a_missing_bucket_fails_the_export_with_a_reason() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud, UNTIL_ENDED, "s3://nobodys-bucket/one.zip").await;
    cloud.end(&session);
    let (status, reason, _) = outcome(&cloud, &session).await;
    assert_eq!(status, ExportStatus::Failed);
    assert_eq!(reason.as_deref(), Some("The specified bucket does not exist"));
}

#[tokio::test]
async fn an_export_of_a_session_that_is_not_live_is_refused() {
    for (wrong_status, expected) in [
        (WrongStatus::Validation, "ValidationException"),
        (WrongStatus::ResourceNotFound, "ResourceNotFoundException"),
    ] {
        let cloud = with(Switches { wrong_status, ..Switches::default() }).await;
        let session = cloud.script(UNTIL_ENDED);
        assert_eq!(arm(&cloud, &session, &uri("one.zip")).await, Err(expected.into()), "activating");
        cloud.reach(&session, Status::Active).await;
        cloud.end(&session);
        cloud.settled(&session).await;
        assert_eq!(arm(&cloud, &session, &uri("one.zip")).await, Err(expected.into()), "terminated");
        assert!(cloud.streams.session(&session).expect("a session").export.is_none());
    }
}

#[tokio::test]
async fn a_second_export_replaces_the_first_or_is_refused_or_ignored() {
    for (second_export, answer, winner) in [
        (SecondExport::Replaces, Ok(()), "two.zip"),
        (SecondExport::Refused, Err("ValidationException".to_owned()), "one.zip"),
        (SecondExport::Ignored, Ok(()), "one.zip"),
    ] {
        let cloud = with(Switches { second_export, ..Switches::default() }).await;
        let session = armed(&cloud, FOR_EVER, &uri("one.zip")).await;
        assert_eq!(arm(&cloud, &session, &uri("two.zip")).await, answer);
        cloud.streams.terminate(&session).expect("a live session");
        assert_eq!(outcome(&cloud, &session).await, (ExportStatus::Succeeded, None, uri(winner)));
        assert_ne!(cloud.names(winner).len(), 0);
    }
}

#[tokio::test]
async fn a_session_that_ends_in_an_error_is_exported_or_fails_or_stays_pending() {
    for (export_after_error, expected) in [
        (ExportAfterError::Exported, ExportStatus::Succeeded),
        (ExportAfterError::Fails, ExportStatus::Failed),
        (ExportAfterError::StaysPending, ExportStatus::Pending),
    ] {
        let cloud = with(Switches { export_after_error, ..Switches::default() }).await;
        let session = armed(&cloud, FOR_EVER, &uri("one.zip")).await;
        cloud.streams.fail(&session).expect("a live session");
        cloud.reach(&session, Status::Error).await;
        if expected == ExportStatus::Pending {
            tokio::time::sleep(Duration::from_millis(300)).await;
        } else {
            cloud.settled(&session).await;
        }
        let export = cloud.streams.session(&session).and_then(|session| session.export).expect("an export");
        assert_eq!(export.status, expected);
    }
}

#[tokio::test]
async fn an_export_can_arrive_before_the_sessions_end_is_to_be_seen() {
    let switches = Switches {
        exported_while: ExportedWhile::Terminating,
        terminating: Duration::from_secs(1),
        ..Switches::default()
    };
    let mut cloud = with(switches).await;
    let session = armed(&cloud, UNTIL_ENDED, &uri("one.zip")).await;
    cloud.end(&session);
    cloud.uploads.recv().await.expect("an upload");
    assert_eq!(cloud.streams.session(&session).expect("a session").status, Status::Terminating);
    assert_eq!(outcome(&cloud, &session).await.0, ExportStatus::Succeeded);
}

#[tokio::test]
async fn an_export_can_be_made_to_fail() {
    let cloud = Cloud::start().await;
    let session = armed(&cloud, UNTIL_ENDED, &uri("one.zip")).await;
    cloud.streams.fail_export(&session, "Access Denied").expect("a known session");
    cloud.end(&session);
    let expected = (ExportStatus::Failed, Some("Access Denied".to_owned()), uri("one.zip"));
    assert_eq!(outcome(&cloud, &session).await, expected);
}
