//! Lists of sessions: pages, filters, order.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aws_sdk_gameliftstreams::types::{ExportFilesStatus, StreamSessionStatus, StreamSessionSummary};
use crash_capture_local::streams::{
    ExportFiles, ExportStatus, SessionId, StartStreamSession, Status, StatusReason, StreamGroup,
    StreamSession,
};
use jiff::Timestamp;

use crate::cloud::{Cloud, GAME, GROUP, LOCATION, code};

/// A session that is in the books and nowhere else, created so many seconds after the first one.
pub(crate) fn session(group: &str, number: usize, status: Status) -> StreamSession {
    let created_at =
        Timestamp::from_second(1_795_000_000 + i64::try_from(number).expect("small")).expect("a time");
    // A multiplicative hash: ids in no order at all.
    let id = format!("S{:010}", number * 2_654_435_761 % 4_294_967_296);
    StreamSession {
        id: SessionId { stream_group_id: group.into(), id },
        application_id: GAME.into(),
        location: LOCATION.into(),
        status,
        status_reason: (status == Status::Terminated).then_some(StatusReason::ApplicationExit),
        created_at,
        last_updated_at: created_at,
        export: None,
        connection_timeout: Duration::from_mins(2),
        session_length: Duration::from_hours(1),
        request: StartStreamSession::default(),
    }
}

pub(crate) fn ids(items: &[StreamSessionSummary]) -> Vec<&str> {
    items.iter().filter_map(|item| item.arn()?.rsplit('/').next()).collect()
}

#[tokio::test]
async fn ten_thousand_sessions_come_page_by_page_each_once_and_quickly() {
    let cloud = Cloud::start().await;
    for number in 0..10_000 {
        let status = if number == 7_777 { Status::Active } else { Status::Terminated };
        cloud.streams.write_down(session(GROUP, number, status));
    }
    let client = cloud.client();

    let pages = client.list_stream_sessions().identifier(GROUP).max_results(100).into_paginator();
    let all: Vec<_> = pages.items().send().collect::<Result<_, _>>().await.expect("all pages");
    assert_eq!(ids(&all).iter().collect::<HashSet<_>>().len(), 10_000);

    let start = Instant::now();
    let active = client.list_stream_sessions_by_account().status(StreamSessionStatus::Active).send().await;
    assert_eq!(active.expect("a list").items().len(), 1);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "one needle in the haystack took {:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_page_holds_25_sessions_unless_told_otherwise() {
    let cloud = Cloud::start().await;
    for number in 0..26 {
        cloud.streams.write_down(session(GROUP, number, Status::Active));
    }
    let list = cloud.client().list_stream_sessions().identifier(GROUP);
    let first = list.clone().send().await.expect("a page");
    assert_eq!(first.items().len(), 25);
    let rest = list.clone().set_next_token(first.next_token).send().await.expect("a page");
    assert_eq!((rest.items().len(), rest.next_token()), (1, None));
    let whole = list.max_results(26).send().await.expect("a page");
    assert_eq!((whole.items().len(), whole.next_token()), (26, None));
}

#[tokio::test]
async fn a_list_is_not_in_the_order_of_creation() {
    let cloud = Cloud::start().await;
    for number in 0..25 {
        cloud.streams.write_down(session(GROUP, number, Status::Active));
    }
    let list = cloud.client().list_stream_sessions().identifier(GROUP).send().await.expect("a list");
    let created: Vec<_> = list.items().iter().filter_map(|item| item.created_at()).collect();
    assert!(!created.is_sorted() && !created.iter().rev().is_sorted());
}

#[tokio::test]
async fn a_list_holds_its_own_groups_sessions() {
    let cloud = Cloud::start().await;
    for group in ["sg-0", "sg-2"] {
        cloud.streams.add_stream_group(StreamGroup::new(group, LOCATION));
        cloud.streams.write_down(session(group, 1, Status::Active));
    }
    let mine = session(GROUP, 2, Status::Active);
    cloud.streams.write_down(mine.clone());
    let client = cloud.client();
    let group = client.list_stream_sessions().identifier(GROUP).send().await.expect("a list");
    assert_eq!(ids(group.items()), [mine.id.id]);
    let account = client.list_stream_sessions_by_account().send().await.expect("a list");
    assert_eq!(account.items().len(), 3);
}

#[tokio::test]
async fn filters_select_by_status_and_by_the_exports_status() {
    let cloud = Cloud::start().await;
    let export = ExportFiles {
        status: ExportStatus::Failed,
        status_reason: Some("The specified bucket does not exist".into()),
        output_uri: "s3://gone/one.zip".into(),
        access_key_id: "AKIA".into(),
    };
    let failed = StreamSession { export: Some(export), ..session(GROUP, 1, Status::Terminated) };
    cloud.streams.write_down(failed.clone());
    cloud.streams.write_down(session(GROUP, 2, Status::Terminated));
    cloud.streams.write_down(session(GROUP, 3, Status::Active));
    let list = cloud.client().list_stream_sessions().identifier(GROUP);

    let terminated = list.clone().status(StreamSessionStatus::Terminated).send().await.expect("a list");
    assert_eq!(terminated.items().len(), 2);
    let failures = list.export_files_status(ExportFilesStatus::Failed).send().await.expect("a list");
    assert_eq!(ids(failures.items()), [failed.id.id]);
    let metadata = failures.items()[0].export_files_metadata().expect("metadata");
    assert_eq!(metadata.output_uri(), Some("s3://gone/one.zip"));
    assert_eq!(metadata.status_reason(), Some("The specified bucket does not exist"));

    let account = cloud.client().list_stream_sessions_by_account();
    let account = account.export_files_status(ExportFilesStatus::Failed).send().await.expect("a list");
    let metadata = account.items()[0].export_files_metadata().expect("metadata");
    assert_eq!(metadata.status(), Some(&ExportFilesStatus::Failed));
    assert_eq!((metadata.output_uri(), metadata.status_reason()), (None, None));
}

#[tokio::test]
async fn bad_parameters_are_validation_errors() {
    let cloud = Cloud::start().await;
    for number in 0..2 {
        cloud.streams.write_down(session(GROUP, number, Status::Active));
    }
    let list = cloud.client().list_stream_sessions().identifier(GROUP);
    let token = list.clone().max_results(1).send().await.expect("a page").next_token;
    for bad in [
        list.clone().max_results(0),
        list.clone().max_results(101),
        list.clone().status(StreamSessionStatus::from("DEAD")),
        list.clone().next_token("made-up"),
        // The token of a list without a filter.
        list.status(StreamSessionStatus::Active).set_next_token(token),
    ] {
        assert_eq!(code(bad.send().await), "ValidationException");
    }
}
