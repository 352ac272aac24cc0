//! Roles: what `template.yaml` grants is what is used, no more and no less.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, LocalCloud, Options, STREAM_GROUP, StartError};
use crash_capture_local::iam::{Grant, Ledger};
use crash_capture_local::streams::{SessionId, StartOptions, Status, StatusReason};
use futures_util::{StreamExt, stream};
use serde_json::json;

use support::clients::s3_client;
use support::exports::crashed;
use support::{INDEX_EXPORT, START_EXPORT, SWEEP, crash_news, event, regression_news, session_on_paper};

/// Grants that nothing uses but AWS itself, beyond what the local cloud does: the policy's logical id, the statement,
/// the actions, and why they are needed.
type OnlyAws<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);

const ONLY_AWS: &[OnlyAws<'_>] = &[
    (
        "AlarmActionPermission",
        "permission",
        &["lambda:InvokeFunction"],
        "an alarm whose action is the function; the local cloud's alarms have no actions",
    ),
    ("NewsTopicPolicy", "Alarms", &["sns:Publish"], "the stack's own alarms go off on AWS alone"),
    (
        "ReadRecords",
        "Stack",
        &["cloudformation:DescribeStacks"],
        "the command finds the bucket; the local CloudFormation lets everybody ask",
    ),
    (
        "ReadRecords",
        "Queries",
        &[
            "athena:BatchGetNamedQuery",
            "athena:BatchGetQueryExecution",
            "athena:GetNamedQuery",
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:GetWorkGroup",
            "athena:ListNamedQueries",
            "athena:ListQueryExecutions",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
        ],
        "people ask Athena; the queries run in DuckDB here",
    ),
    (
        "ReadRecords",
        "Table",
        &["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
        "Athena looks the table up in the name of whoever asks",
    ),
];

/// The key of the capture bucket.
const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// How many clouds run at the same time. There is one for each grant, of three or four seconds, most of them spent
/// waiting: 37 grants take about 45 seconds on two cores.
const AT_ONCE: usize = 8;

/// What makes functions and services use everything that they are granted. Nothing in it may fail because of a refusal.
#[derive(Debug, Clone, Copy)]
enum Scenario {
    /// Sessions of a group that is named, from their start to their records, and everything that can go wrong.
    ListedGroups,
    /// A sweep over `StreamGroups: "*"`, which lists the account instead of groups.
    AllGroups,
    /// People read what is there.
    Readers,
}

const SCENARIOS: [Scenario; 3] = [Scenario::ListedGroups, Scenario::AllGroups, Scenario::Readers];

impl Scenario {
    /// What was used, and what was refused.
    async fn run(self, without: Option<Grant>) -> Result<Ledger, StartError> {
        let (cloud, _folder) =
            start(without, if let Self::AllGroups = self { "*" } else { STREAM_GROUP }).await?;
        match self {
            Self::ListedGroups => listed_groups(&cloud).await,
            Self::AllGroups => cloud.bus.fire(SWEEP).unwrap(),
            Self::Readers => readers(&cloud).await,
        }
        cloud.bus.settled().await;
        let ledger = cloud.iam.ledger();
        cloud.stop().await;
        Ok(ledger)
    }
}

async fn start(
    without: Option<Grant>,
    stream_groups: &str,
) -> Result<(LocalCloud, tempfile::TempDir), StartError> {
    let folder = tempfile::tempdir()?;
    let mut options = Options::new(folder.path());
    options.timings.cloudtrail_after = None;
    options.parameters.insert("StreamGroups".to_owned(), stream_groups.to_owned());
    // One pass in a sweep, which would go on for a minute.
    options.parameters.insert("SweepEverySeconds".to_owned(), "60".to_owned());
    options.parameters.insert("EveryCrash".to_owned(), "ENABLED".to_owned());
    // With a key, which takes more.
    options.parameters.insert("KmsKeyArn".to_owned(), KEY.to_owned());
    options.without.extend(without);
    Ok((LocalCloud::start(options).await?, folder))
}

async fn listed_groups(cloud: &LocalCloud) {
    let (missed, captured) = (play(cloud).await, play(cloud).await);
    end(cloud, &missed).await;
    say_active(cloud, &captured);
    say_active(cloud, &missed);
    cloud.events.put_raw(event("start-export/alarm-metric.json", &[]));
    cloud.events.put_raw(event("start-export/cloudtrail-start-stream-session.json", &[]));
    // An export that nobody armed, so that there is no marker.
    let key = format!("exports/by-hand/20261123-010203-{APPLICATION}-{STREAM_GROUP}-ABC123def4567.zip");
    cloud.s3.put(&cloud.bucket, &key, "no zip".as_bytes().to_vec(), "111122223333").await.unwrap();
    // The first of two crashes that are the same.
    let crash = |session| format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{session}.zip");
    cloud.s3.put(&cloud.bucket, &crash("first"), crashed(0), "111122223333").await.unwrap();
    cloud.lambda.invoke_async(START_EXPORT, json!({"hello": "world"})).unwrap();
    cloud.lambda.invoke_async(INDEX_EXPORT, json!({"hello": "world"})).unwrap();
    cloud.bus.settled().await;
    // Somebody takes its tags away, and it comes again, as from a bucket of versions.
    let client = s3_client(&cloud.client_environment());
    client.delete_object_tagging().bucket(&cloud.bucket).key(&key).send().await.ok();
    let mut created =
        event("index-export/object-created.json", &[("/detail/bucket/name", json!(cloud.bucket))]);
    created["detail"]["object"] = json!({"key": key, "version-id": "null"});
    cloud.events.put_raw(created);
    end(cloud, &captured).await;
    cloud.bus.settled().await;
    // A late alarm has the export indexed again.
    cloud.events.put_raw(event("start-export/alarm-contributor.json", &[]));
    cloud.bus.settled().await;
    // One that no alarm is about.
    let quiet = play(cloud).await;
    say_active(cloud, &quiet);
    cloud.bus.settled().await;
    end(cloud, &quiet).await;
    cloud.bus.settled().await;
    // What was done already is met again.
    say_active(cloud, &missed);
    announce_again(cloud);
    cloud.s3.put(&cloud.bucket, &crash("second"), crashed(0), "111122223333").await.unwrap();
    come_back(cloud).await;
    cloud.bus.fire(SWEEP).unwrap();
    cloud.bus.settled().await;
    // Ten minutes later, the markers go.
    for key in cloud.s3.list(&cloud.bucket, "index/").await.unwrap() {
        cloud.s3.backdate(&cloud.bucket, &key, Duration::from_mins(11)).unwrap();
    }
    // It remembers when to look at them.
    cloud.lambda.kill(START_EXPORT).unwrap();
    cloud.bus.fire(SWEEP).unwrap();
    cloud.bus.settled().await;
    tell_of_crashes(cloud);
    cloud.bus.settled().await;
    undeliverable(cloud);
}

/// What the readers' roles are for, as far as it is S3's.
async fn readers(cloud: &LocalCloud) {
    for role in ["RecordReaderRole", "FileReaderRole"] {
        let Ok(environment) = cloud.assume(role) else { continue };
        let client = s3_client(&environment);
        let bucket = || cloud.bucket.clone();
        client.get_bucket_location().bucket(bucket()).send().await.ok();
        client.list_objects_v2().bucket(bucket()).send().await.ok();
        for folder in ["index", "reports", "signatures", "resolutions", "open", "exports"] {
            let key = &format!("{folder}/a.zip");
            cloud.s3.put(&cloud.bucket, key, "{}", "111122223333").await.unwrap();
            if role == "FileReaderRole" || !key.starts_with("exports/") {
                client.get_object().bucket(bucket()).key(key).send().await.ok();
            }
        }
        // As Athena does in their name.
        let answer = "athena/answer.csv";
        client.put_object().bucket(bucket()).key(answer).body(b"a".to_vec().into()).send().await.ok();
        cloud.s3.put(&cloud.bucket, answer, "a", "111122223333").await.unwrap();
        client.get_object().bucket(bucket()).key(answer).send().await.ok();
    }
}

/// A session that is live, and stays it.
async fn play(cloud: &LocalCloud) -> SessionId {
    let session = cloud.streams.start_session(StartOptions::new(STREAM_GROUP, APPLICATION)).unwrap();
    cloud.streams.wait_for(&session, |session| session.status != Status::Activating).await.unwrap();
    session
}

async fn end(cloud: &LocalCloud, session: &SessionId) {
    cloud.streams.terminate(session).unwrap();
    cloud.streams.settled(session).await.unwrap();
}

fn say_active(cloud: &LocalCloud, session: &SessionId) {
    let arn = cloud.account.arn("gameliftstreams", &session.resource());
    let changes = [("/detail/streamSessionArn", json!(arn))];
    cloud.events.put_raw(event("start-export/session-event-arn.json", &changes));
}

/// The export's own event, a second time.
fn announce_again(cloud: &LocalCloud) {
    let created =
        cloud.bus.log().into_iter().find(|routed| routed.rules == ["IndexExportFunctionObjectCreated"]);
    if let Some(created) = created {
        cloud.events.put_raw(created.event);
    }
}

/// Somebody resolves the crash, and it comes back in two sessions.
async fn come_back(cloud: &LocalCloud) {
    for key in cloud.s3.list(&cloud.bucket, "signatures/").await.unwrap() {
        let (_, id) = key.trim_end_matches(".json").rsplit_once("/v1-").unwrap();
        let resolution = json!({"schema": 1, "applicationId": APPLICATION, "version": 1, "signature": id,
            "resolved": {"at": "2026-01-01T00:00:00Z", "builds": []}});
        let key = key.replacen("signatures/", "resolutions/", 1);
        cloud.s3.put(&cloud.bucket, &key, resolution.to_string().into_bytes(), "111122223333").await.unwrap();
    }
    for id in ["back", "again"] {
        let mut session = session_on_paper(STREAM_GROUP, id);
        session.status = Status::Terminated;
        session.status_reason = Some(StatusReason::ApplicationExit);
        cloud.streams.write_down(session);
        let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{id}.zip");
        cloud.s3.put(&cloud.bucket, &key, crashed(0), "111122223333").await.unwrap();
        cloud.bus.settled().await;
    }
}

/// Somebody deletes the functions: no rule can deliver its events any more.
fn undeliverable(cloud: &LocalCloud) {
    cloud.lambda.delete(START_EXPORT).unwrap();
    cloud.lambda.delete(INDEX_EXPORT).unwrap();
    cloud.bus.fire(SWEEP).unwrap();
    for file in ["session-event-arn", "alarm-metric", "alarm-contributor", "cloudtrail-start-stream-session"]
    {
        cloud.events.put_raw(event(&format!("start-export/{file}.json"), &[]));
    }
    let bucket = [("/detail/bucket/name", json!(cloud.bucket))];
    cloud.events.put_raw(event("index-export/object-created.json", &bucket));
    cloud.stack.topics.iter().for_each(|topic| cloud.mailboxes.delete(&topic.arn));
    tell_of_crashes(cloud);
}

/// A crash that was not seen before, one that was, and one that came back.
fn tell_of_crashes(cloud: &LocalCloud) {
    for first_seen in [true, false] {
        cloud.events.put_raw(crash_news(cloud, first_seen));
    }
    cloud.events.put_raw(regression_news(cloud));
}

/// What is wrong between what is granted and what is used, in words.
fn differences(ledger: &Ledger, only_aws: &[OnlyAws<'_>]) -> Vec<String> {
    let listed: Vec<_> = only_aws
        .iter()
        .flat_map(|(policy, statement, actions, _)| {
            actions.iter().map(|action| (*policy, *statement, *action))
        })
        .collect();
    let is_listed = |grant: &Grant| listed.contains(&(&*grant.policy, &*grant.statement, &*grant.action));
    let unused = ledger.unused().filter(|grant| !is_listed(grant));
    let unused = unused.map(|grant| format!("nothing uses {grant}"));
    let used = ledger.grants.iter().filter(|(grant, users)| !users.is_empty() && is_listed(grant));
    let used = used.map(|(grant, _)| format!("used after all: {grant}"));
    let gone = listed.iter().filter(|listed| {
        let mut grants = ledger.grants.keys();
        !grants.any(|it| (&*it.policy, &*it.statement, &*it.action) == **listed)
    });
    let gone = gone.map(|(policy, statement, action)| format!("no grant: {policy}, {statement}: {action}"));
    let refused = ledger.refusals.iter().map(|refusal| format!("nothing grants: {refusal}"));
    unused.chain(used).chain(gone).chain(refused).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_used_every_call_is_granted_and_a_missing_grant_is_noticed() {
    let mut together = Ledger::default();
    let mut used = BTreeMap::new();
    for scenario in SCENARIOS {
        let ledger = scenario.run(None).await.unwrap();
        let of_it = ledger.grants.iter().filter(|(_, users)| !users.is_empty());
        for (grant, _) in of_it {
            used.entry(grant.clone()).or_insert(scenario);
        }
        together.add(ledger);
    }
    let differences = differences(&together, ONLY_AWS);
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    let unnoticed = stream::iter(used).map(|(grant, scenario)| tokio::spawn(unnoticed(grant, scenario)));
    let unnoticed: Vec<_> = unnoticed.buffer_unordered(AT_ONCE).collect().await;
    let unnoticed: Vec<_> = unnoticed.into_iter().filter_map(Result::unwrap).collect();
    assert!(unnoticed.is_empty(), "nothing misses\n{}", unnoticed.join("\n"));
}

/// The grant in words, if nothing in the scenario is refused without it.
async fn unnoticed(grant: Grant, scenario: Scenario) -> Option<String> {
    let noticed = match scenario.run(Some(grant.clone())).await {
        Ok(ledger) => ledger.refusals.iter().any(|refusal| grant.names(&refusal.denied)),
        Err(StartError::Role(_, denied)) => grant.names(&denied),
        Err(error) => panic!("{grant}: {error}"),
    };
    (!noticed).then(|| grant.to_string())
}

#[tokio::test]
async fn the_list_of_what_only_aws_uses_has_to_be_true() {
    let (cloud, _folder) = start(None, STREAM_GROUP).await.unwrap();
    cloud.bus.fire(SWEEP).unwrap();
    cloud.bus.settled().await;
    let ledger = cloud.iam.ledger();
    cloud.stop().await;
    let listed = |action| {
        let actions = [action];
        let entry: [OnlyAws<'_>; 1] = [("StartExportRole", "Logs", &actions, "a reason")];
        let other = |difference: &String| difference.contains("StartExportRole, Logs");
        differences(&ledger, &entry).into_iter().filter(other).collect::<Vec<_>>()
    };
    let used = listed("logs:PutLogEvents");
    assert!(used.len() == 1 && used[0].starts_with("used after all: "), "{used:?}");
    let gone = listed("logs:PutLogEvnts");
    assert_eq!(gone, ["no grant: StartExportRole, Logs: logs:PutLogEvnts"]);
    // What is listed and unused is as it should be.
    let entry: [OnlyAws<'_>; 1] = [("StartExportRole", "Markers", &["s3:DeleteObject"], "a reason")];
    let about = |difference: &String| difference.contains("s3:DeleteObject");
    assert!(!differences(&ledger, &entry).iter().any(about));
    assert!(differences(&ledger, &[]).iter().any(about));
}
