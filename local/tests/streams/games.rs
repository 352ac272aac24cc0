//! The real game in a session: how it ends, and what it leaves behind.

use std::process::Stdio;

use crash_capture_local::game::{crash_site, saved_folder};
use crash_capture_local::streams::{SessionId, StartOptions, Status, StatusReason};
use minidump::{
    Minidump, MinidumpException, MinidumpMiscInfo, MinidumpModuleList, MinidumpSystemInfo, Module,
};
use tokio::process::Command;
use tokio::time::timeout;

use crate::cloud::{BUCKET, Cloud, GAME, GROUP, PATIENCE, eventually_read};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_game");

/// Plays the game to its end, with its files exported to `one.zip`.
async fn play(cloud: &Cloud, arguments: [&str; 2]) -> SessionId {
    let session = cloud.begin(StartOptions::new(GROUP, GAME).arguments(arguments));
    cloud.reach(&session, Status::Active).await;
    cloud.streams.export(&session, &format!("s3://{BUCKET}/one.zip"), "AKIA").expect("an export");
    let ended = cloud.settled(&session).await;
    assert_eq!(ended.status_reason, Some(StatusReason::ApplicationExit));
    session
}

fn log(cloud: &Cloud) -> String {
    String::from_utf8(cloud.exported("one.zip", "Saved/Logs/Skylark.log").expect("a log")).expect("text")
}

#[tokio::test]
async fn a_crash_leaves_a_dump_whose_instruction_pointer_is_in_the_crash_function() {
    let cloud = Cloud::start().await;
    play(&cloud, ["--crash-after", "1"]).await;

    let dump =
        Minidump::read(cloud.exported("one.zip", "/UEMinidump.dmp").expect("a dump")).expect("a minidump");
    let system = dump.get_stream::<MinidumpSystemInfo>().expect("the system");
    let exception = dump.get_stream::<MinidumpException<'_>>().expect("an exception");
    let reason = exception.get_crash_reason(system.os, system.cpu);
    assert_eq!(reason.to_string(), "SIGSEGV / SEGV_MAPERR");
    assert_eq!(exception.get_crash_address(system.os, system.cpu), 0x20);
    let misc = dump.get_stream::<MinidumpMiscInfo>();
    let context = exception.context(&system, misc.as_ref().ok()).expect("registers");
    let modules = dump.get_stream::<MinidumpModuleList>().expect("modules");
    let module = modules.module_at_address(context.get_instruction_pointer()).expect("a module");
    assert!(module.code_file().ends_with("/game"), "{}", module.code_file());
    let offset = context.get_instruction_pointer() - module.base_address();
    let site = crash_site(EXECUTABLE.as_ref()).expect("a symbol");
    assert!(site.contains(&offset), "{offset:#x} in {site:#x?}");

    let log = log(&cloud);
    assert!(log.contains("LogCore: === Critical error: ===\nUnhandled Exception: SIGSEGV: "), "{log}");
    assert!(log.contains("read memory at address 0x0000000000000020\n"), "{log}");
    assert!(!log.contains("Log file closed"), "{log}");
}

#[tokio::test]
async fn an_exit_says_so_in_the_log() {
    let cloud = Cloud::start().await;
    play(&cloud, ["--exit-after", "1"]).await;
    let log = log(&cloud);
    assert!(log.contains("]LogExit: Exiting.\nLog file closed, "), "{log}");
    assert_eq!(cloud.exported("one.zip", ".dmp"), None);
}

#[tokio::test]
async fn a_quit_leaves_no_word_in_the_log() {
    let cloud = Cloud::start().await;
    play(&cloud, ["--quit-after", "1"]).await;
    let log = log(&cloud);
    assert!(log.contains("World tick 0") && !log.contains("LogExit") && !log.contains("closed"), "{log}");
    assert_eq!(cloud.exported("one.zip", ".dmp"), None);
}

#[tokio::test]
async fn an_unknown_argument_is_no_reason_to_fail() {
    let cloud = Cloud::start().await;
    let session = cloud.begin(StartOptions::new(GROUP, GAME).arguments(["-windowed", "-log"]));
    cloud.reach(&session, Status::Active).await;
}

#[tokio::test]
async fn a_game_ends_when_nobody_takes_its_frames() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut game = Command::new(EXECUTABLE)
        .args(["--hang-after", "0"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a game");
    let log = eventually_read(&saved_folder(folder.path()).join("Logs/Skylark.log")).await;
    assert!(log.starts_with("Log file open"), "{log}");
    assert!(game.try_wait().expect("a status").is_none(), "it lives");
    drop(game.stdout.take());
    timeout(PATIENCE, game.wait()).await.expect("in time").expect("a status");
}
