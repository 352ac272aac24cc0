//! What each command needs: no more than the roles for readers have, or than `docs/managing.md` says. The local cloud enforces what S3 and
//! GameLift Streams are asked for; CloudFormation, Lambda's API, EventBridge, SQS and CloudWatch it does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/cloud.rs"]
mod cloud;

use std::collections::BTreeMap;

use cloud::Cloud;

const BUILD: &str = "++Game+Main-CL-1";
const SESSION: &str = "sg-1AB2C3De4/session";

/// A cloud with a crash, whose signature it gives too.
async fn with_a_crash() -> (Cloud, String) {
    let cloud = Cloud::start(&[]).await;
    let session = cloud.crash("session", BUILD).await;
    let signature = cloud.record(&session).await.unwrap()["signature"]["id"].as_str().unwrap().to_owned();
    (cloud, signature)
}

#[tokio::test]
async fn readers_can_use_every_command_that_reads_and_the_zips_are_for_those_who_may() {
    let (cloud, signature) = with_a_crash().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let of_records: [&[&str]; 8] = [
        &["list"],
        &["list", "--open"],
        &["list", "--signature", &signature],
        &["show", "session"],
        &["show", SESSION],
        &["open", SESSION],
        &["top"],
        &["missed"],
    ];
    let of_zips: [&[&str]; 3] =
        [&["files", SESSION], &["get", SESSION, "*.log", "--to", to], &["open", SESSION, "--zip"]];
    for (role, may_read_zips) in [("RecordReaderRole", false), ("FileReaderRole", true)] {
        let environment = cloud.assume(role).unwrap();
        for arguments in of_records {
            let (code, _, stderr) = cloud.run_as(&environment, arguments).await;
            assert_eq!(code, Some(0), "{role}: {arguments:?}: {stderr}");
        }
        for arguments in of_zips {
            let (code, _, stderr) = cloud.run_as(&environment, arguments).await;
            assert_eq!(code == Some(0), may_read_zips, "{role}: {arguments:?}: {stderr}");
            assert!(may_read_zips || is_refused(&stderr), "{stderr}");
        }
        for changing in
            [&["delete", SESSION, "--yes", "--force"][..], &["reindex", SESSION], &["mute", &signature]]
        {
            let (code, _, stderr) = cloud.run_as(&environment, changing).await;
            assert_eq!(code, Some(1), "{role}: {changing:?}");
            assert!(is_refused(&stderr), "{stderr}");
        }
    }
}

fn is_refused(stderr: &str) -> bool {
    stderr.contains("AccessDenied") && stderr.contains("The credentials may not do this")
}

/// A row of the table: which commands, and actions on patterns of keys; on the bucket where there is none.
fn documented() -> BTreeMap<String, Vec<(String, Option<String>)>> {
    let page = include_str!("../../docs/managing.md");
    let table = page.split("## What each command needs").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let rows = rows.map(|row| {
        let (commands, needs) = row.split_once(" | ").unwrap();
        let needs = needs.split(';').flat_map(|part| {
            let (actions, keys) = part.split_once(" on ").unwrap_or((part, ""));
            let keys: Vec<_> = quoted(keys).map(Some).collect();
            let keys = if keys.is_empty() { vec![None] } else { keys };
            let pairs = quoted(actions).flat_map(|action| keys.iter().map(move |key| (action, *key)));
            let pairs = pairs.map(|(action, key)| (action.to_owned(), key.map(ToOwned::to_owned)));
            pairs.collect::<Vec<_>>()
        });
        (format!("`{commands}"), needs.collect())
    });
    rows.collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[tokio::test]
async fn each_command_needs_what_is_documented_and_all_of_it() {
    let (cloud, signature) = with_a_crash().await;
    cloud.printed(&["reindex", SESSION]).await;
    cloud.bus.settled().await;
    cloud.printed(&["resolve", &signature]).await;
    cloud.put_marker("session").await;
    let before = cloud.contents().await;
    let bucket = format!("arn:aws:s3:::{}", cloud.bucket);
    let documented = documented();
    let environment = |needs: &[(String, Option<String>)]| {
        let resources = needs.iter().map(|(action, keys)| match keys {
            Some(keys) => format!("{bucket}/{keys}"),
            None if action.starts_with("s3:") => bucket.clone(),
            None => "*".to_owned(),
        });
        let resources: Vec<_> = resources.collect();
        let grants = needs.iter().zip(&resources).map(|((action, _), on)| (action.as_str(), on.as_str()));
        cloud.permit(&grants.collect::<Vec<_>>()).unwrap()
    };
    // A session is looked for in the lists, or by its marker.
    let commands: [(&str, &[&[&str]]); 3] = [
        ("`reindex`", &[&["reindex", "session"], &["reindex", SESSION]]),
        ("`resolve`, `mute`", &[&["mute", &signature], &["resolve", &signature]]),
        ("`delete`", &[&["delete", "session", "--yes", "--force"]]),
    ];
    for (row, forms) in commands {
        let needs = documented.get(row).unwrap_or_else(|| panic!("no row {row} in {documented:?}"));
        for left_out in 0..needs.len() {
            let mut less = needs.clone();
            let (action, keys) = less.remove(left_out);
            let mut refused = 0;
            for arguments in forms {
                let (code, _, stderr) = cloud.run_as(&environment(&less), arguments).await;
                assert_eq!(code == Some(0), !is_refused(&stderr), "{arguments:?}: {stderr}");
                refused += u32::from(is_refused(&stderr));
                // What was not refused is done.
                cloud.put_back(&before).await;
            }
            assert!(refused > 0, "{row} does without {action} on {keys:?}");
        }
        for arguments in forms {
            let (code, _, stderr) = cloud.run_as(&environment(needs), arguments).await;
            assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        }
        cloud.bus.settled().await;
    }
    let kept = cloud.keys("").await;
    assert!(!kept.iter().any(|key| key.ends_with("/session.zip")), "{kept:?}");

    let (_, stdout, stderr) =
        cloud.run_as(&environment(&documented["`doctor`"]), &["doctor", "--json"]).await;
    assert!(stdout.contains("\"good\"") && !stdout.contains("\"unknown\""), "{stdout}{stderr}");
}

#[test]
fn all_of_the_table_is_read() {
    let documented = documented();
    let names: Vec<_> = documented.keys().map(String::as_str).collect();
    assert_eq!(names, ["`arm`", "`delete`", "`doctor`", "`reindex`", "`resolve`, `mute`"]);
    assert_eq!(documented["`arm`"], [("lambda:InvokeFunction".to_owned(), None)]);
    assert!(documented["`reindex`"].contains(&("s3:PutObject".to_owned(), Some("reindex/*".to_owned()))));
}
