//! A session's life: its statuses, and the process behind them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crash_capture_local::streams::{
    SessionId, StartOptions, Status, StatusReason, StreamGroup, Switches, Timings,
};
use jiff::{SignedDuration, Timestamp};

use crate::cloud::{
    BROKEN, Cloud, FOR_EVER, GROUP, LOCATION, SCRIPT, UNTIL_ENDED, code, eventually_read, quick,
};

fn is_alive(process: &str) -> bool {
    // A zombie is not.
    std::fs::read_to_string(Path::new("/proc").join(process.trim()).join("stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

async fn dies(process: &str) {
    let dead = async {
        while is_alive(process) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), dead).await.expect("the process dies");
}

#[tokio::test]
async fn a_session_ends_with_its_game() {
    let cloud = Cloud::start().await;
    let session = cloud.script(UNTIL_ENDED);
    assert_eq!(cloud.streams.session(&session).expect("a session").status, Status::Activating);
    cloud.reach(&session, Status::Active).await;
    cloud.end(&session);
    cloud.reach(&session, Status::Terminating).await;
    let ended = cloud.reach(&session, Status::Terminated).await;
    assert_eq!(ended.status_reason, Some(StatusReason::ApplicationExit));
    assert!(ended.last_updated_at > ended.created_at);
}

#[tokio::test]
async fn a_client_that_is_announced_connects() {
    let cloud = Cloud::start().await;
    let session = cloud.begin(StartOptions::new(GROUP, SCRIPT).arguments([FOR_EVER]).with_client());
    cloud.reach(&session, Status::Active).await;
    cloud.reach(&session, Status::Connected).await;
}

#[tokio::test]
async fn a_client_can_go_and_come_back() {
    let cloud = Cloud::start().await;
    let session = cloud.script(FOR_EVER);
    cloud.reach(&session, Status::Active).await;
    let connect = cloud.client().create_stream_session_connection();
    let connect = connect.identifier(GROUP).stream_session_identifier(&session.id).signal_request("offer");
    connect.clone().send().await.expect("a connection");
    cloud.reach(&session, Status::Connected).await;
    assert_eq!(code(connect.clone().send().await), "ConflictException");
    cloud.streams.disconnect_client(&session).expect("a live session");
    cloud.reach(&session, Status::PendingClientReconnection).await;
    connect.send().await.expect("a connection");
    cloud.reach(&session, Status::Connected).await;
}

#[tokio::test]
async fn a_client_that_does_not_come_ends_the_session() {
    let timings = Timings { connection_timeout: Duration::from_millis(200), ..quick() };
    let cloud = Cloud::with(Switches::default(), timings).await;
    let never = cloud.script(FOR_EVER);
    let gone = cloud.begin(StartOptions::new(GROUP, SCRIPT).arguments([FOR_EVER]).with_client());
    cloud.reach(&gone, Status::Connected).await;
    cloud.streams.disconnect_client(&gone).expect("a live session");
    assert_eq!(cloud.settled(&never).await.status_reason, Some(StatusReason::ConnectionTimeout));
    assert_eq!(cloud.settled(&gone).await.status_reason, Some(StatusReason::ReconnectionTimeout));
}

#[tokio::test]
async fn a_session_ends_at_its_length() {
    let timings = Timings { session_length: Duration::from_millis(200), ..quick() };
    let cloud = Cloud::with(Switches::default(), timings).await;
    let session = cloud.script(FOR_EVER);
    assert_eq!(cloud.settled(&session).await.status_reason, Some(StatusReason::MaxSessionLengthTimeout));
}

#[tokio::test]
async fn terminating_kills_the_game_and_what_it_started() {
    let cloud = Cloud::start().await;
    let session =
        cloud.script(r#"trap "" TERM; sleep 600 & echo $! >"$HOME/child"; echo $$ >"$HOME/game"; wait"#);
    let child = eventually_read(&cloud.profile(&session).join("child")).await;
    let game = eventually_read(&cloud.profile(&session).join("game")).await;
    cloud.reach(&session, Status::Active).await;
    let terminate = cloud.client().terminate_stream_session();
    let terminate = terminate.identifier(GROUP).stream_session_identifier(&session.id);
    terminate.clone().send().await.expect("terminated");
    assert_eq!(cloud.streams.session(&session).expect("a session").status, Status::Terminating);
    let ended = cloud.settled(&session).await;
    assert_eq!((ended.status, ended.status_reason), (Status::Terminated, Some(StatusReason::ApiTerminated)));
    dies(&game).await;
    dies(&child).await;
    terminate.send().await.expect("terminating twice is harmless");
}

#[tokio::test]
async fn a_session_that_activates_cannot_be_terminated() {
    let timings = Timings { activating: Duration::from_mins(1), ..quick() };
    let cloud = Cloud::with(Switches::default(), timings).await;
    let session = cloud.script(FOR_EVER);
    let terminate = cloud.client().terminate_stream_session().identifier(GROUP);
    assert_eq!(code(terminate.stream_session_identifier(session.id).send().await), "ValidationException");
}

#[tokio::test]
async fn a_game_that_dies_while_activating_is_an_error() {
    let timings = Timings { activating: Duration::from_mins(1), ..quick() };
    let cloud = Cloud::with(Switches::default(), timings).await;
    let session = cloud.script("exit 1");
    let ended = cloud.settled(&session).await;
    assert_eq!((ended.status, ended.status_reason), (Status::Error, Some(StatusReason::InternalError)));
}

#[tokio::test]
async fn a_game_that_cannot_be_started_is_an_error() {
    let cloud = Cloud::start().await;
    let session = cloud.begin(StartOptions::new(GROUP, BROKEN));
    let ended = cloud.settled(&session).await;
    assert_eq!((ended.status, ended.status_reason), (Status::Error, Some(StatusReason::InternalError)));
}

fn small_group(cloud: &Cloud) -> (SessionId, StartOptions) {
    cloud.streams.add_stream_group(StreamGroup { capacity: 1, ..StreamGroup::new("sg-small", LOCATION) });
    let options = StartOptions::new("sg-small", SCRIPT).arguments([FOR_EVER]);
    (cloud.begin(options.clone()), options)
}

#[tokio::test]
async fn a_session_without_a_place_fails() {
    let cloud = Cloud::start().await;
    let (_first, options) = small_group(&cloud);
    let second = cloud.begin(options);
    let ended = cloud.settled(&second).await;
    assert_eq!((ended.status, ended.status_reason), (Status::Error, Some(StatusReason::PlacementTimeout)));
}

#[tokio::test]
async fn a_place_that_becomes_free_is_taken() {
    let timings = Timings { placement_timeout: Duration::from_secs(30), ..quick() };
    let cloud = Cloud::with(Switches::default(), timings).await;
    let (first, options) = small_group(&cloud);
    cloud.reach(&first, Status::Active).await;
    let second = cloud.begin(options);
    cloud.streams.terminate(&first).expect("a live session");
    cloud.reach(&second, Status::Active).await;
}

#[tokio::test]
async fn a_full_location_gives_way_to_the_next_wish() {
    let cloud = Cloud::start().await;
    let locations = vec!["us-west-2".to_owned(), "eu-central-1".to_owned()];
    let group =
        StreamGroup { capacity: 1, locations: locations.clone(), ..StreamGroup::new("sg-two", LOCATION) };
    cloud.streams.add_stream_group(group);
    let mut options = StartOptions::new("sg-two", SCRIPT).arguments([FOR_EVER]);
    options.request.locations = Some(locations);
    let (first, second) = (cloud.begin(options.clone()), cloud.begin(options.clone()));
    assert_eq!(cloud.reach(&first, Status::Active).await.location, "us-west-2");
    assert_eq!(cloud.reach(&second, Status::Active).await.location, "eu-central-1");
    options.request.locations = Some(vec!["sa-east-1".into()]);
    assert_eq!(
        cloud.streams.start_session(options).expect_err("no such location").code(),
        "ValidationException"
    );
}

#[tokio::test]
async fn a_game_gets_its_arguments_and_variables_and_nothing_of_ours() {
    let cloud = Cloud::start().await;
    let script = r#"{ pwd; echo "$0 $1"; env; } >"$TMPDIR/seen"; exec sleep 600"#;
    let variables = BTreeMap::from([("LEVEL".to_owned(), "3".to_owned())]);
    let options =
        StartOptions::new(GROUP, SCRIPT).arguments([script, "-windowed", "-log"]).environment(variables);
    let session = cloud.begin(options);
    cloud.reach(&session, Status::Active).await;
    let folder = cloud.streams.folder(&session).expect("a folder").canonicalize().expect("a real folder");
    let seen = eventually_read(&folder.join("temp/seen")).await;
    let part = |name: &str| folder.join(name).display().to_string();
    assert!(seen.starts_with(&format!("{}\n-windowed -log\n", part("application"))), "{seen}");
    assert!(seen.contains("LEVEL=3\n") && seen.contains("HOME=") && !seen.contains("CARGO"), "{seen}");
}

#[tokio::test]
async fn a_session_can_look_older_than_it_is() {
    let cloud = Cloud::start().await;
    let options = StartOptions::new(GROUP, SCRIPT).arguments([FOR_EVER]);
    let session = cloud.begin(options.already_running(Duration::from_hours(2)));
    let active = cloud.reach(&session, Status::Active).await;
    let age = Timestamp::now().duration_since(active.created_at);
    assert!(age >= SignedDuration::from_hours(2) && age < SignedDuration::from_hours(3), "{age:?}");
}

#[tokio::test]
async fn a_service_that_fails_ends_a_live_session_in_an_error() {
    let cloud = Cloud::start().await;
    let session = cloud.script(FOR_EVER);
    cloud.reach(&session, Status::Active).await;
    cloud.streams.fail(&session).expect("a live session");
    let ended = cloud.settled(&session).await;
    assert_eq!((ended.status, ended.status_reason), (Status::Error, Some(StatusReason::InternalError)));
}

#[tokio::test]
async fn stopping_the_service_kills_all_games() {
    let cloud = Cloud::start().await;
    let session = cloud.script(r#"echo $$ >"$HOME/game"; exec sleep 600"#);
    let game = eventually_read(&cloud.profile(&session).join("game")).await;
    assert!(is_alive(&game));
    cloud.streams.stop().await;
    dies(&game).await;
}
