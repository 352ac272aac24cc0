//! What callers are shown of sessions, which may lag behind what happens: see `Switches`.

use std::time::Duration;

use aws_sdk_gameliftstreams::operation::get_stream_session::GetStreamSessionOutput;
use aws_sdk_gameliftstreams::types::StreamSessionStatus;
use crash_capture_local::streams::{EndReason, Listings, PageOrder, SessionId, Status, Switches};
use tokio::time::sleep;

use crate::cloud::{Cloud, GROUP, code, quick};
use crate::lists::{ids, session};

/// How long things lag here: longer than a few calls take, on a busy machine too.
const LAG: Duration = Duration::from_secs(1);

async fn with(switches: Switches) -> Cloud {
    Cloud::with(switches, quick()).await
}

/// Writes a live session into the books.
fn live(cloud: &Cloud, number: usize) -> SessionId {
    let session = session(GROUP, number, Status::Active);
    cloud.streams.write_down(session.clone());
    session.id
}

/// The ids in a listing of one status, all pages together.
async fn listed(cloud: &Cloud, status: StreamSessionStatus) -> Vec<String> {
    let pages = cloud.client().list_stream_sessions().identifier(GROUP).status(status).into_paginator();
    let items: Vec<_> = pages.items().send().collect::<Result<_, _>>().await.expect("all pages");
    ids(&items).into_iter().map(str::to_owned).collect()
}

async fn alive_and_ended(cloud: &Cloud) -> (Vec<String>, Vec<String>) {
    (listed(cloud, StreamSessionStatus::Active).await, listed(cloud, StreamSessionStatus::Terminated).await)
}

async fn get(cloud: &Cloud, session: &SessionId) -> Result<GetStreamSessionOutput, String> {
    let get = cloud.client().get_stream_session().identifier(GROUP);
    match get.stream_session_identifier(&session.id).send().await {
        Ok(session) => Ok(session),
        error => Err(code(error)),
    }
}

#[tokio::test]
async fn a_listing_may_lag_behind_get_stream_session() {
    let cloud = with(Switches { listings: Listings::Lag(LAG), ..Switches::default() }).await;
    let session = live(&cloud, 1);
    let id = vec![session.id.clone()];
    assert_eq!(alive_and_ended(&cloud).await, (vec![], vec![]));
    sleep(LAG).await;
    assert_eq!(alive_and_ended(&cloud).await, (id.clone(), vec![]));
    cloud.streams.terminate(&session).expect("a live session");
    assert_eq!(alive_and_ended(&cloud).await, (id.clone(), vec![]));
    let status = get(&cloud, &session).await.expect("a session").status;
    assert_eq!(status, Some(StreamSessionStatus::Terminated));
    sleep(LAG).await;
    assert_eq!(alive_and_ended(&cloud).await, (vec![], id));
}

#[tokio::test]
async fn a_session_that_changed_just_now_may_stand_in_two_listings_or_in_none() {
    for listings in [Listings::Double(LAG), Listings::Miss(LAG)] {
        let cloud = with(Switches { listings, ..Switches::default() }).await;
        let session = live(&cloud, 1);
        let id = vec![session.id.clone()];
        sleep(LAG).await;
        assert_eq!(alive_and_ended(&cloud).await, (id.clone(), vec![]));
        cloud.streams.terminate(&session).expect("a live session");
        let meanwhile = if listings == Listings::Double(LAG) { id.clone() } else { vec![] };
        assert_eq!(alive_and_ended(&cloud).await, (meanwhile.clone(), meanwhile));
        sleep(LAG).await;
        assert_eq!(alive_and_ended(&cloud).await, (vec![], id));
    }
}

#[tokio::test]
async fn a_page_that_is_filtered_afterwards_may_be_empty_and_not_the_last() {
    for page_order in [PageOrder::Fixed, PageOrder::LastChangedFirst] {
        let cloud = with(Switches { filtered_by_page: Some(2), page_order, ..Switches::default() }).await;
        let mut sessions: Vec<_> = (0..9).map(|number| live(&cloud, number)).collect();
        for ended in sessions.drain(..7) {
            cloud.streams.terminate(&ended).expect("a live session");
        }
        let mut alive = listed(&cloud, StreamSessionStatus::Active).await;
        alive.sort();
        let mut expected: Vec<_> = sessions.into_iter().map(|session| session.id).collect();
        expected.sort();
        assert_eq!(alive, expected);
        let list = cloud.client().list_stream_sessions().identifier(GROUP);
        let first = list.status(StreamSessionStatus::Active).max_results(1).send().await.expect("a page");
        assert!(first.items().len() <= 1 && first.next_token().is_some());
    }
}

#[tokio::test]
async fn between_two_pages_a_session_may_be_pushed_onto_the_second_or_slip_from_it() {
    let cloud = with(Switches { page_order: PageOrder::LastChangedFirst, ..Switches::default() }).await;
    let ordered: Vec<_> = (0..4).rev().map(|number| session(GROUP, number, Status::Active)).collect();
    for session in &ordered {
        cloud.streams.write_down(session.clone());
    }
    let list = cloud
        .client()
        .list_stream_sessions()
        .identifier(GROUP)
        .status(StreamSessionStatus::Active)
        .max_results(2);
    let first = list.clone().send().await.expect("a page");
    assert_eq!(ids(first.items()), [&ordered[0].id.id, &ordered[1].id.id]);
    let uri = "s3://captures/one.zip";
    cloud.streams.export(&ordered[3].id, uri, "AKIATESTS").expect("a live session");
    let second = list.clone().set_next_token(first.next_token.clone()).send().await.expect("a page");
    assert_eq!(ids(second.items()), [&ordered[1].id.id, &ordered[2].id.id], "one stands on both pages");
    let first = list.clone().send().await.expect("a page");
    assert_eq!(ids(first.items()), [&ordered[3].id.id, &ordered[0].id.id]);
    cloud.streams.terminate(&ordered[0].id).expect("a live session");
    let second = list.set_next_token(first.next_token).send().await.expect("a page");
    assert_eq!(ids(second.items()), [&ordered[2].id.id], "one stands on neither page");
}

#[tokio::test]
async fn an_exports_metadata_may_be_absent_for_a_while_after_the_request() {
    let cloud = with(Switches { metadata_after: LAG, ..Switches::default() }).await;
    let session = live(&cloud, 1);
    cloud.streams.export(&session, "s3://captures/one.zip", "AKIATESTS").expect("a live session");
    assert!(get(&cloud, &session).await.expect("a session").export_files_metadata.is_none());
    sleep(LAG).await;
    assert!(get(&cloud, &session).await.expect("a session").export_files_metadata.is_some());
}

#[tokio::test]
async fn an_end_may_have_its_reason_late_or_never() {
    for (end_reason, comes) in [(EndReason::After(LAG), true), (EndReason::Never, false)] {
        let cloud = with(Switches { end_reason, ..Switches::default() }).await;
        let session = live(&cloud, 1);
        cloud.streams.terminate(&session).expect("a live session");
        let ended = get(&cloud, &session).await.expect("a session");
        assert_eq!((ended.status, ended.status_reason), (Some(StreamSessionStatus::Terminated), None));
        sleep(LAG).await;
        assert_eq!(get(&cloud, &session).await.expect("a session").status_reason.is_some(), comes);
    }
}

#[tokio::test]
async fn an_ended_session_may_be_forgotten() {
    let cloud = with(Switches { forgotten_after: Some(LAG), ..Switches::default() }).await;
    let session = live(&cloud, 1);
    cloud.streams.terminate(&session).expect("a live session");
    assert!(get(&cloud, &session).await.is_ok());
    sleep(LAG).await;
    assert_eq!(get(&cloud, &session).await.map(drop), Err("ResourceNotFoundException".into()));
    assert_eq!(alive_and_ended(&cloud).await, (vec![], vec![]));
    assert!(cloud.streams.session(&session).is_some(), "who looks from within still sees it");
}
