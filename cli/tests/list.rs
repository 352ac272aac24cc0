//! `crash-capture list`, as the built binary against the local cloud.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fmt::Write as _;

use serde_json::{Value, json};

use support::records::{self, FREQUENT, GAME, GROUP, HASHED_USER, LATEST, OTHER_GAME, OTHER_GROUP, USER};
use support::{BUCKET, Deployment, STACK, command, ran, snapshot};

fn ids(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["session"]["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn captures_are_listed_newest_first() {
    let deployment = Deployment::with_captures().await;
    snapshot("list", &deployment.printed(&["list"]).await);
    let records = deployment.json(&["list"]).await;
    let created: Vec<_> =
        records.iter().map(|record| record["session"]["createdAt"].as_str().unwrap()).collect();
    assert!(created.is_sorted_by(|one, other| one >= other), "{created:?}");
    assert_eq!(records.len(), 9);
    assert!(records.contains(&records::all()[3].1), "a record is printed as it lies in the index");
}

#[tokio::test]
async fn each_filter_takes_what_meets_it() {
    let deployment = Deployment::with_captures().await;
    let arn = format!("arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/{OTHER_GROUP}");
    for (arguments, expected) in [
        (&["--application", OTHER_GAME] as &[_], &["DDD555ddd5555"] as &[_]),
        (&["--group", &arn], &["CCC444ccc4444"]),
        (&["--application", GAME, "--group", OTHER_GROUP], &["CCC444ccc4444"]),
        (&["--verdict", "clean,suspect"], &["CCC444ccc4444", "DDD555ddd5555"]),
        (&["--state", "failed"], &["GGG888ggg8888"]),
        (&["--signature", &FREQUENT[..6]], &[LATEST, "AAA222aaa2222", "AAA111aaa1111"]),
        (&["--build", "1.1.4800"], &[LATEST, "ABB333bbb3333"]),
        (&["--since", "2026-11-23T09:00:00Z"], &[LATEST, "EEE666eee6666"]),
        (&["--until", "2026-11-21"], &["GGG888ggg8888", "AAA111aaa1111"]),
        (&["--since", "2026-11-22", "--until", "2026-11-22T09:00:01Z"], &["FFF777fff7777"]),
        (&["--limit", "2"], &[LATEST, "EEE666eee6666"]),
        (&["--user", USER], &[LATEST, "AAA222aaa2222"]),
        (&["--user", HASHED_USER], &[LATEST]),
        (&["--user", "nobody"], &[]),
    ] {
        let records = deployment.json(&[&["list"], arguments].concat()).await;
        assert_eq!(ids(&records), expected, "{arguments:?}");
    }
}

#[tokio::test]
async fn sessions_that_are_not_settled_are_listed_apart() {
    let deployment = Deployment::with_captures().await;
    // A marker stays for some minutes once its session is settled.
    let (key, marker) = records::marker(LATEST, "2026-11-23T10:15:02Z", &json!({}));
    deployment.put(&key, marker.to_string()).await;
    snapshot("list-open", &deployment.printed(&["list", "--open"]).await);
    let open = deployment.json(&["list", "--open", "--limit", "1"]).await;
    assert_eq!(ids(&open), ["III000iii0000"]);
}

#[tokio::test]
async fn a_table_fits_the_terminal_and_what_people_copy_stays_whole() {
    let deployment = Deployment::with_captures().await;
    let run = async |columns: &str| {
        let output =
            deployment.command(&["list", "--color", "always"]).env("COLUMNS", columns).output().await;
        ran(output.unwrap()).stdout
    };
    let narrow = run("100").await;
    snapshot("list-100-columns", &narrow);
    assert!(narrow.contains(LATEST) && narrow.contains(FREQUENT));
}

#[tokio::test]
async fn colours_are_for_terminals() {
    let deployment = Deployment::with_captures().await;
    assert!(!deployment.printed(&["list"]).await.contains('\u{1b}'));
    assert!(!deployment.printed(&["list", "--color", "never"]).await.contains('\u{1b}'));
    assert!(deployment.printed(&["list", "--color", "always"]).await.contains("\u{1b}[1m\u{1b}[31mcrash"));
}

#[tokio::test]
async fn only_what_a_filter_may_take_is_read() {
    let deployment = Deployment::with_captures().await;
    let mark = deployment.mark();
    deployment.json(&["list", "--application", OTHER_GAME]).await;
    let reads = deployment.requests_since(mark, "index/v1/dt=");
    assert_eq!(reads.len(), 1, "{reads:?}");
    let mark = deployment.mark();
    deployment.json(&["list", "--since", "2026-11-23", "--group", GROUP]).await;
    assert_eq!(deployment.requests_since(mark, "index/v1/dt=").len(), 3);
}

#[tokio::test]
async fn what_is_no_record_is_told_of_and_left_out() {
    let deployment = Deployment::with_captures().await;
    deployment.put(&format!("index/v1/dt=2026-11-23/{GAME}/{GROUP}/ZZZ.json"), "not\u{1b}JSON").await;
    deployment.put("index/v1/dt=2026-11-23/notes.txt", "notes").await;
    let listed = deployment.run(&["list", "--json"]).await;
    assert_eq!((listed.code, listed.stdout.lines().count()), (Some(0), 9));
    assert!(listed.stderr.contains("ZZZ.json is left out"), "{}", listed.stderr);
}

#[tokio::test]
async fn the_bucket_is_found_by_stack_or_named_itself() {
    let deployment = Deployment::with_captures().await;
    let run = async |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = deployment.command(&[&["list", "--json", "--limit", "1"], arguments].concat());
        ran(command.envs(variables.iter().copied()).output().await.unwrap())
    };
    for (arguments, variables) in [
        (&[] as &[_], &[] as &[_]),
        (&["--stack", STACK], &[("CRASH_CAPTURE_STACK", "other"), ("CRASH_CAPTURE_BUCKET", "other")]),
        (&["--bucket", BUCKET], &[("CRASH_CAPTURE_BUCKET", "other")]),
        (&[], &[("CRASH_CAPTURE_STACK", STACK)]),
        (&[], &[("CRASH_CAPTURE_STACK", "other"), ("CRASH_CAPTURE_BUCKET", BUCKET)]),
        (&["--region", "us-west-2"], &[("AWS_REGION", "")]),
    ] {
        let listed = run(arguments, variables).await;
        assert_eq!(
            (listed.code, listed.stdout.lines().count()),
            (Some(0), 1),
            "{arguments:?} {}",
            listed.stderr
        );
    }
    let mut refusals = String::new();
    for (arguments, variables, code) in [
        (&["--stack", "nowhere"] as &[_], &[] as &[_], 3),
        (&["--bucket", "nowhere"], &[], 3),
        (&["--bucket", BUCKET, "--stack", STACK], &[], 2),
        (&["--since", "yesterday"], &[], 2),
        (&["--verdict", "crsh"], &[], 2),
        (&["--group", "a b"], &[], 2),
        (&[], &[("AWS_REGION", "")], 2),
        (&[], &[("AWS_ACCESS_KEY_ID", "")], 1),
        (&["--bucket", BUCKET], &[("AWS_SECRET_ACCESS_KEY", "wrong")], 1),
        (&["--profile", "nobody"], &[("AWS_ACCESS_KEY_ID", "")], 1),
    ] {
        let refused = run(arguments, variables).await;
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (Some(code), ""),
            "{arguments:?} {}",
            refused.stderr
        );
        writeln!(refusals, "# {arguments:?} {variables:?}\n{}", refused.stderr).unwrap();
    }
    snapshot("refusals", &refusals);
}

#[tokio::test]
async fn without_captures_it_says_so() {
    let deployment = Deployment::start().await;
    let listed = deployment.run(&["list"]).await;
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), ""));
    assert_eq!(listed.stderr, "There is no such capture.\n");
    assert!(deployment.json(&["list"]).await.is_empty());
}

#[tokio::test]
async fn nobody_who_stops_reading_is_told_of_a_failure() {
    let deployment = Deployment::with_captures().await;
    let mut command = deployment.command(&["list", "--json"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = ran(child.wait_with_output().await.unwrap());
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn help_and_version_need_no_cloud() {
    for (name, arguments) in [("help", &["--help"] as &[_]), ("help-list", &["list", "--help"])] {
        let helped = ran(command(arguments).env("COLUMNS", "100").output().await.unwrap());
        assert_eq!((helped.code, helped.stderr.as_str()), (Some(0), ""));
        snapshot(name, &helped.stdout);
    }
}
