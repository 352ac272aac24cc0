//! Sessions that nobody saw while they lived. They are in the books of GameLift Streams as a test writes them, and an hour passes
//! by what lies in the bucket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::faults::Fault;
use crash_capture_local::streams::{
    ExportStatus, Operation, ServiceError, SessionId, Status, StatusReason, StreamSession,
};
use jiff::Timestamp;
use serde_json::json;

use support::{Cloud, export_on_paper, session_on_paper};

const HOURLY_LOOK: &str = "state/hourly-look.json";

/// How many pages one look reads.
const PAGES: usize = 200;

fn exited(session: &mut StreamSession) {
    session.status = Status::Terminated;
    session.status_reason = Some(StatusReason::ApplicationExit);
}

/// Why a session is recorded as missed.
async fn missed(cloud: &Cloud, session: &SessionId) -> String {
    let record = cloud.record(session).await.unwrap();
    assert_eq!(record["state"], "missed");
    record["reason"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_that_nobody_saw_is_recorded_within_the_hour() {
    let cloud = Cloud::start().await;
    cloud.sweep().await;
    let mut unseen = session_on_paper(STREAM_GROUP, "unseen");
    exited(&mut unseen);
    let mut not_started = session_on_paper(STREAM_GROUP, "notstarted");
    not_started.status = Status::Error;
    not_started.status_reason = Some(StatusReason::PlacementTimeout);
    let mut by_hand = session_on_paper(STREAM_GROUP, "byhand");
    exited(&mut by_hand);
    by_hand.export = Some(export_on_paper(ExportStatus::Succeeded, "s3://elsewhere/x.zip"));
    let mut long_ago = session_on_paper(STREAM_GROUP, "longago");
    exited(&mut long_ago);
    long_ago.created_at = Timestamp::now() - Duration::from_hours(48);
    let sessions = cloud.write_down([unseen, not_started, by_hand, long_ago]);
    assert_eq!(cloud.sweep_answer().await["counts"], json!({}));
    cloud.let_an_hour_pass().await;
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"missed": 2, "already-armed": 1}));
    assert_eq!(missed(&cloud, &sessions[0]).await, "never-seen");
    assert_eq!(missed(&cloud, &sessions[1]).await, "never-started");
    assert!(cloud.record(&sessions[3]).await.is_none(), "it ended before the first sweep");
    cloud.sweep_answer().await;
    assert_eq!(missed(&cloud, &sessions[2]).await, "exported-elsewhere");
    // Once is enough, and it is not done again before an hour is over.
    let calls = cloud.calls(Operation::ListStreamSessions);
    let before = cloud.contents().await;
    cloud.sweep_answer().await;
    assert_eq!((cloud.calls(Operation::ListStreamSessions), cloud.contents().await), (calls + 5, before));
    cloud.let_an_hour_pass().await;
    assert_eq!(cloud.sweep_answer().await["counts"], json!({}));
}

/// A cloud in which an hour has passed since the first sweep, and then so many sessions that nobody saw. A page of a listing looks at
/// one session: so many pages need no more sessions.
async fn with_unseen(number: usize, groups: &str) -> (Cloud, Vec<SessionId>) {
    let cloud = Cloud::start_with(|options| {
        options.switches.filtered_by_page = Some(1);
        for (name, value) in [("ApiCallsPerSecond", "99999"), ("StreamGroups", groups)] {
            options.parameters.insert(name.to_owned(), value.to_owned());
        }
    })
    .await;
    cloud.sweep().await;
    cloud.let_an_hour_pass().await;
    let sessions = cloud.write_down((0..number).map(|number| {
        let mut session = session_on_paper(STREAM_GROUP, &format!("s{number:03}"));
        exited(&mut session);
        session
    }));
    (cloud, sessions)
}

async fn recorded(cloud: &Cloud) -> usize {
    cloud.s3.list(&cloud.bucket, "index/").await.unwrap().len()
}

#[tokio::test]
async fn a_look_reads_so_many_pages_and_the_next_sweep_goes_on_where_it_was_cut() {
    let (cloud, sessions) = with_unseen(PAGES + 10, STREAM_GROUP).await;
    let before = cloud.read_json(HOURLY_LOOK).await;
    let answer = cloud.sweep_answer().await;
    assert_eq!(answer["counts"], json!({"missed": PAGES}));
    assert_eq!(
        answer["unlisted"],
        json!([{
            "what": "sessions that nobody saw, after 200 pages", "outcome": "not-reached",
            "detail": "one look reads 200 pages, and the next sweep goes on",
        }])
    );
    let cut = cloud.read_json(HOURLY_LOOK).await;
    assert_ne!(cut["at"], before["at"], "a round has begun");
    assert_eq!(cut["complete"], before["complete"], "it is not complete");
    assert_eq!((&cut["rest"]["group"], &cut["rest"]["status"]), (&json!(STREAM_GROUP), &json!("TERMINATED")));
    // Of this listing ten pages are left, and then there is the other one, of sessions in ERROR, of as many pages.
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 10}));
    assert_eq!(cloud.read_json(HOURLY_LOOK).await["rest"]["status"], "ERROR");
    let calls = cloud.calls(Operation::ListStreamSessions);
    cloud.sweep_answer().await;
    let of_the_pass = 5 * sessions.len();
    assert_eq!(cloud.calls(Operation::ListStreamSessions) - calls, of_the_pass + 20, "nothing is read twice");
    // What ended since the round began is for the next round.
    let end = cloud.read_json(HOURLY_LOOK).await;
    assert_eq!(end, json!({"at": cut["at"], "complete": cut["at"]}));
    assert_eq!(recorded(&cloud).await, sessions.len());
}

#[tokio::test]
async fn a_round_whose_rest_is_not_to_be_had_any_more_begins_again() {
    for (group, status, token) in [
        (STREAM_GROUP, "TERMINATED", "expired"),
        ("sg-n0tOurs", "TERMINATED", "x"),
        (STREAM_GROUP, "LOST", "x"),
    ] {
        let (cloud, sessions) = with_unseen(3, STREAM_GROUP).await;
        let mut round = cloud.read_json(HOURLY_LOOK).await;
        round["rest"] = json!({"group": group, "status": status, "token": token, "isWhole": true});
        cloud.put_json(HOURLY_LOOK, &round).await;
        assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": sessions.len()}));
        assert_eq!(cloud.read_json(HOURLY_LOOK).await.get("rest"), None);
    }
}

#[tokio::test]
async fn a_round_of_which_an_earlier_look_left_something_out_is_not_complete() {
    let (cloud, _) = with_unseen(1, STREAM_GROUP).await;
    let mut round = cloud.read_json(HOURLY_LOOK).await;
    round["rest"] = json!({"group": STREAM_GROUP, "status": "ERROR", "isWhole": false});
    (round["at"], round["complete"]) = (json!(Timestamp::now()), json!("2026-11-01T00:00:00Z"));
    cloud.put_json(HOURLY_LOOK, &round).await;
    assert_eq!(cloud.sweep_answer().await["counts"], json!({}));
    round.as_object_mut().unwrap().remove("rest");
    assert_eq!(cloud.read_json(HOURLY_LOOK).await, round);
}

#[tokio::test]
async fn a_round_is_complete_only_if_all_that_it_found_is_recorded() {
    let (cloud, _) = with_unseen(2, STREAM_GROUP).await;
    let before = cloud.read_json(HOURLY_LOOK).await;
    cloud.s3.inject(|request| {
        let is_record = request.key.as_deref().is_some_and(|key| key.ends_with("/s000.json"));
        (is_record && request.operation == "REST.PUT.OBJECT").then_some(Fault::Reset)
    });
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 1, "not-reached": 1}));
    let after = cloud.read_json(HOURLY_LOOK).await;
    assert_ne!(after["at"], before["at"]);
    assert_eq!(after, json!({"at": after["at"], "complete": before["complete"]}));
    cloud.s3.inject(|_| None);
    cloud.put_json(HOURLY_LOOK, &before).await;
    assert_eq!(cloud.sweep_answer().await["counts"], json!({"missed": 1}));
}

#[tokio::test]
async fn a_round_is_complete_only_if_every_listing_of_a_group_that_exists_could_be_read() {
    let (cloud, _) = with_unseen(1, &format!("sg-g0ne,{STREAM_GROUP}")).await;
    for (error, is_complete) in [
        (ServiceError::InternalServer("not now".to_owned()), false),
        (ServiceError::ResourceNotFound("no such group".to_owned()), true),
    ] {
        cloud.let_an_hour_pass().await;
        let before = cloud.read_json(HOURLY_LOOK).await;
        cloud.streams.inject(move |arrival| {
            (arrival.identifiers[0] == "sg-g0ne").then(|| Fault::Refused(error.clone()))
        });
        cloud.sweep_answer().await;
        let after = cloud.read_json(HOURLY_LOOK).await;
        let complete = if is_complete { &after["at"] } else { &before["complete"] };
        assert_eq!(after, json!({"at": after["at"], "complete": complete}));
    }
}
