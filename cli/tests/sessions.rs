//! `show`, `open`, `top`, `missed` and `completions`, as the built binary against the local cloud.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use support::records::{self, FREQUENT, GAME, GROUP, LATEST};
use support::{Deployment, command, ran, snapshot};

#[tokio::test]
async fn all_that_is_known_of_a_session_is_shown() {
    let deployment = Deployment::with_captures().await;
    for (name, session) in
        [("show-crash", LATEST), ("show-missed", "EEE666eee6666"), ("show-open", "III000iii0000")]
    {
        snapshot(name, &deployment.printed(&["show", session]).await);
    }
    let shown = deployment.json(&["show", LATEST]).await;
    assert_eq!(shown, [records::all()[3].1.clone()]);
}

#[tokio::test]
async fn a_record_with_everything_is_shown_whole() {
    let deployment = Deployment::start().await;
    let page = include_str!("../../docs/record.md");
    let example = page.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let record = serde_json::from_str(example).unwrap();
    deployment.put(&records::record_key(&record), example).await;
    snapshot("show-everything", &deployment.printed(&["show", LATEST]).await);
    assert_eq!(deployment.json(&["show", LATEST]).await, [record], "on one line, whatever the object's form");
}

#[tokio::test]
async fn a_session_is_found_by_whatever_one_has_at_hand() {
    let deployment = Deployment::with_captures().await;
    let arn = |id: &str| format!("arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/{GROUP}/{id}");
    for (session, found) in [
        ("ABC", LATEST),
        (&arn(LATEST), LATEST),
        (&format!("{GROUP}/{LATEST}"), LATEST),
        (&format!("{GROUP}/CC"), ""),
        ("CC", "CCC444ccc4444"),
        ("III", "III000iii0000"),
        (&arn("III000iii0000"), "III000iii0000"),
    ] {
        let shown = deployment.run(&["show", session, "--json"]).await;
        if found.is_empty() {
            assert_eq!((shown.code, shown.stdout.as_str()), (Some(3), ""), "{session}");
            continue;
        }
        assert_eq!(shown.code, Some(0), "{session}: {}", shown.stderr);
        assert!(shown.stdout.contains(&format!(r#""id":"{found}""#)), "{session}: {}", shown.stdout);
    }
    let ambiguous = deployment.run(&["show", "A"]).await;
    assert_eq!((ambiguous.code, ambiguous.stdout.as_str()), (Some(4), ""));
    snapshot("ambiguous", &ambiguous.stderr);
    for (session, code) in [("nobody", 3), ("a b", 2), ("arn:aws:s3:::x", 2)] {
        assert_eq!(deployment.run(&["show", session]).await.code, Some(code), "{session}");
    }
}

#[tokio::test]
async fn a_session_that_is_named_in_full_and_has_a_marker_is_found_without_a_listing() {
    let deployment = Deployment::with_captures().await;
    let mark = deployment.mark();
    deployment.printed(&["show", &format!("{GROUP}/HHH999hhh9999")]).await;
    let log = deployment.s3.access_log().since(mark);
    assert!(log.iter().all(|entry| entry.operation == "GetObject"), "{log:?}");
}

#[tokio::test]
async fn a_link_to_a_report_or_a_zip_works_without_credentials() {
    let deployment = Deployment::with_captures().await;
    let day = format!("{GAME}/{GROUP}/2026-11-23/{LATEST}");
    deployment.put(&format!("reports/{day}.html"), "<p>a report").await;
    deployment.put(&format!("exports/{day}.zip"), "a zip").await;
    for (arguments, expected) in
        [(&["open", LATEST] as &[_], "<p>a report"), (&["open", LATEST, "--zip"], "a zip")]
    {
        let opened = deployment.run(arguments).await;
        assert_eq!(opened.code, Some(0), "{}", opened.stderr);
        assert!(opened.stderr.starts_with("Whoever has this link can read it until 2"), "{}", opened.stderr);
        assert_eq!(fetched(opened.stdout.trim()).await, expected);
    }
    let link = &deployment.json(&["open", LATEST, "--expires", "2h"]).await[0];
    assert_eq!(link["key"], format!("reports/{day}.html"));
    assert!(link["url"].as_str().unwrap().contains("X-Amz-Expires=7200&"), "{link}");
}

/// What a link leads to, for somebody without credentials.
async fn fetched(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_link_to_what_is_not_there_is_not_made() {
    let deployment = Deployment::with_captures().await;
    for arguments in
        [&["open", LATEST] as &[_], &["open", LATEST, "--zip"], &["open", "III"], &["open", "EEE", "--zip"]]
    {
        let opened = deployment.run(arguments).await;
        assert_eq!((opened.code, opened.stdout.as_str()), (Some(3), ""), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_browser_gets_the_link() {
    let deployment = Deployment::with_captures().await;
    deployment.put(&format!("reports/{GAME}/{GROUP}/2026-11-23/{LATEST}.html"), "<p>a report").await;
    let (browser, seen) = (deployment.folder().join("browser"), deployment.folder().join("seen"));
    fs::write(&browser, format!("#!/bin/sh\nprintf %s \"$1\" >'{}'\n", seen.display())).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let open = deployment.command(&["open", LATEST, "--browser"]).env("BROWSER", &browser).output().await;
    let opened = ran(open.unwrap());
    assert_eq!(opened.code, Some(0), "{}", opened.stderr);
    assert_eq!(fs::read_to_string(seen).unwrap(), opened.stdout.trim());
    let open = deployment.command(&["open", LATEST, "--browser"]).env("BROWSER", "/nowhere").output().await;
    assert_eq!(ran(open.unwrap()).code, Some(1));
}

#[tokio::test]
async fn crashes_are_counted_by_signature() {
    let deployment = Deployment::with_captures().await;
    snapshot("top", &deployment.printed(&["top"]).await);
    let top = deployment.json(&["top", "--limit", "1"]).await;
    assert_eq!(
        (&top[0]["signature"], &top[0]["count"], &top[0]["share"]),
        (&FREQUENT.into(), &3.into(), &0.75.into())
    );
    assert_eq!(
        (&top[0]["firstSeen"], &top[0]["lastSession"]),
        (&"2026-11-21T08:00:00Z".into(), &LATEST.into())
    );
    assert_eq!(top[0]["builds"], serde_json::json!(["1.0.4711", "1.1.4800"]));
    assert_eq!(deployment.json(&["top", "--since", "2026-11-22"]).await[0]["count"], 2);
    let none = deployment.run(&["top", "--build", "none"]).await;
    assert_eq!((none.code, none.stderr.as_str()), (Some(0), "There is no crash with a signature.\n"));
}

#[tokio::test]
async fn sessions_that_were_not_captured_are_counted_by_reason_with_what_to_do() {
    let deployment = Deployment::with_captures().await;
    snapshot("missed", &deployment.printed(&["missed"]).await);
    let missed = deployment.json(&["missed"]).await;
    assert_eq!((&missed[0]["reason"], &missed[0]["count"]), (&"never-seen".into(), &2.into()));
    let none = deployment.run(&["missed", "--state", "indexed"]).await;
    assert_eq!((none.code, none.stderr.as_str()), (Some(0), "All of 6 sessions were captured.\n"));
}

#[tokio::test]
async fn shells_complete_its_names() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ran(command(&["completions", shell]).output().await.unwrap());
        assert_eq!(script.code, Some(0));
        for name in ["signature", "missed", "since"] {
            assert!(script.stdout.contains(name), "{shell}: {name}");
        }
    }
    let output = std::process::Command::new("bash")
        .args(["-c", "source <(\"$1\" completions bash) && complete -p crash-capture", "bash"])
        .arg(env!("CARGO_BIN_EXE_crash-capture"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
