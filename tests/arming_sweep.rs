//! The sweep's minute: passes, the closer look, and an end in time.

mod support;

use std::time::{Duration, Instant};

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::streams::{SessionId, Status};
use serde_json::json;

use support::{Cloud, session_on_paper};

async fn cloud_with(parameters: &[(&str, &str)]) -> Cloud {
    Cloud::start_with(|options| {
        for (name, value) in parameters {
            options.parameters.insert((*name).to_owned(), (*value).to_owned());
        }
    })
    .await
}

impl Cloud {
    fn is_armed(&self, session: &SessionId) -> bool {
        self.streams.session(session).is_some_and(|session| session.export.is_some())
    }

    /// How long it takes from now until a session is armed.
    async fn armed_after(&self, session: &SessionId) -> Duration {
        let start = Instant::now();
        while !self.is_armed(session) {
            assert!(start.elapsed() < Duration::from_mins(1), "never");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        start.elapsed()
    }
}

#[tokio::test]
async fn a_session_that_is_being_started_is_armed_within_moments_of_being_live() {
    // There is one pass in the minute.
    let cloud = cloud_with(&[("SweepEverySeconds", "60")]).await;
    let mut starting = session_on_paper(STREAM_GROUP, "starting");
    starting.status = Status::Activating;
    let starting = cloud.write_down([starting]).remove(0);
    let (answer, after) = tokio::join!(cloud.sweep_answer(), async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(!cloud.is_armed(&starting));
        cloud.streams.change(&starting, |session| session.status = Status::Active).unwrap();
        cloud.armed_after(&starting).await
    });
    assert!(after < Duration::from_secs(8), "two seconds, and what a busy machine adds: {after:?}");
    assert_eq!((&answer["counts"], &answer["passes"]), (&json!({"armed": 1}), &json!(1)));
}

#[tokio::test]
async fn passes_follow_each_other_until_the_next_sweep_comes() {
    let cloud = cloud_with(&[("SweepEverySeconds", "5")]).await;
    let start = Instant::now();
    let (answer, ()) = tokio::join!(cloud.sweep_answer(), async {
        for (number, wait) in [(1, 7), (2, 13), (3, 20)] {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            let session = cloud.write_down([session_on_paper(STREAM_GROUP, &format!("s{number}"))]).remove(0);
            let after = cloud.armed_after(&session).await;
            assert!(after < Duration::from_secs(10), "five seconds, and what a busy machine adds: {after:?}");
        }
    });
    let took = start.elapsed();
    assert!((50..75).contains(&took.as_secs()), "{took:?}");
    assert_eq!(answer["counts"], json!({"armed": 3}));
    assert!((8..=12).contains(&answer["passes"].as_u64().unwrap()), "{answer}");
}

#[tokio::test]
async fn a_sweep_leaves_in_time_names_whom_it_did_not_reach_and_the_next_one_reaches_them() {
    let cloud = cloud_with(&[("ApiCallsPerSecond", "1")]).await;
    cloud.write_down((0..100).map(|number| session_on_paper(STREAM_GROUP, &format!("s{number}"))));
    let start = Instant::now();
    let first = cloud.sweep_answer().await;
    assert!(start.elapsed() < Duration::from_secs(74), "{:?}", start.elapsed());
    let count = |name: &str| first["counts"][name].as_u64().unwrap();
    assert_eq!(count("armed") + count("not-reached"), 100, "{first}");
    assert!(count("armed") >= 30 && count("not-reached") >= 30, "{first}");
    let named = first["sessions"].as_array().unwrap().iter().filter(|told| told["outcome"] == "not-reached");
    assert_eq!(named.count() as u64, count("not-reached"));
    let second = cloud.sweep_answer().await;
    assert_eq!(second["counts"]["already-armed"], first["counts"]["armed"]);
    assert!(second["counts"]["armed"].as_u64().unwrap() >= count("not-reached").min(30));
}
