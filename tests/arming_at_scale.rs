//! Ten thousand sessions: all armed, in as few calls as the API allows, in little memory.

mod support;

use crash_capture_local::streams::{Operation, StreamGroup};
use serde_json::json;

use support::{Cloud, START_EXPORT, event, session_on_paper};

const GROUPS: usize = 8;
const SESSIONS: usize = 10_000;

fn group(number: usize) -> String {
    format!("sg-{number}")
}

/// A cloud with ten thousand live sessions in eight groups.
async fn busy_cloud(arm_percent: &str) -> Cloud {
    let cloud = Cloud::start_with(|options| {
        let groups: Vec<_> = (0..GROUPS).map(group).collect();
        for (name, value) in [
            ("StreamGroups", groups.join(",").as_str()),
            ("ApiCallsPerSecond", "99999"),
            ("ArmPercent", arm_percent),
        ] {
            options.parameters.insert(name.to_owned(), value.to_owned());
        }
    })
    .await;
    for number in 0..GROUPS {
        cloud.streams.add_stream_group(StreamGroup::new(&group(number), "us-west-2"));
    }
    cloud.write_down(
        (0..SESSIONS).map(|number| session_on_paper(&group(number % GROUPS), &format!("session{number:05}"))),
    );
    cloud
}

#[tokio::test]
async fn ten_thousand_sessions_are_armed_with_one_call_each_and_little_memory() {
    let cloud = busy_cloud("100").await;
    let mut passes = 0;
    let mut max_memory = 0;
    // One sweep, but for a machine that is so busy that a minute is not enough.
    for _ in 0..5 {
        let outcome = cloud
            .lambda
            .invoke(START_EXPORT, &event("start-export/scheduled-event.json", &[]))
            .await
            .unwrap();
        let answer = outcome.result.unwrap();
        passes += answer["passes"].as_u64().unwrap();
        max_memory = outcome.max_memory.unwrap();
        if answer["counts"].get("not-reached").is_none() {
            break;
        }
    }
    let armed = cloud.streams.sessions().into_iter().filter(|session| session.export.is_some()).count();
    assert_eq!(armed, SESSIONS);
    assert_eq!(cloud.calls(Operation::ExportStreamSessionFiles), SESSIONS);
    assert_eq!(cloud.calls(Operation::GetStreamSession), 0);
    // 1,250 ACTIVE sessions of each group are 13 pages; each of the other four statuses is one.
    let pages = u64::try_from(cloud.calls(Operation::ListStreamSessions)).unwrap();
    assert_eq!(pages, passes * 8 * (13 + 4));
    assert!(max_memory <= 64 << 20, "{} MiB", max_memory >> 20);

    let mark = cloud.s3.access_log().mark();
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"already-armed": SESSIONS}));
    assert_eq!(cloud.calls(Operation::ExportStreamSessionFiles), SESSIONS);
    assert_eq!(cloud.calls(Operation::GetStreamSession), 0);
    let requests = cloud.s3.access_log().since(mark);
    let mut operations: Vec<_> = requests.iter().map(|request| request.operation.as_str()).collect();
    operations.sort_unstable();
    // Ten pages of markers, and when the last hourly look was.
    assert_eq!(operations, [vec!["GetObject"], vec!["ListObjectsV2"; 10]].concat());
}

#[tokio::test]
async fn a_quarter_of_the_sessions_is_armed_and_the_others_leave_nothing() {
    let cloud = busy_cloud("25").await;
    let armed = || {
        let sessions = cloud.streams.sessions().into_iter();
        sessions.filter(|session| session.export.is_some()).map(|session| session.id).collect::<Vec<_>>()
    };
    let first = cloud.sweep_answer().await;
    let taken = armed();
    assert!((2_300..=2_700).contains(&taken.len()), "{}", taken.len());
    assert_eq!(first["counts"], json!({"armed": taken.len(), "unsampled": SESSIONS - taken.len()}));
    assert_eq!(cloud.s3.list(&cloud.bucket, "open/").await.unwrap().len(), taken.len());
    cloud.lambda.kill(START_EXPORT).unwrap();
    let second = cloud.sweep_answer().await;
    assert_eq!(second["counts"], json!({"already-armed": taken.len(), "unsampled": SESSIONS - taken.len()}));
    assert_eq!(armed(), taken);
    cloud.let_an_hour_pass().await;
    for session in cloud.streams.sessions() {
        cloud.streams.terminate(&session.id).unwrap();
    }
    let last = cloud.sweep_answer().await;
    assert_eq!(last["counts"].get("missed"), None, "{}", last["counts"]);
    assert!(cloud.s3.list(&cloud.bucket, "index/").await.unwrap().is_empty());
}
