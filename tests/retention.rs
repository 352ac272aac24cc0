//! How long exports are kept: the lifecycle rules of `template.yaml`, and the day that a record names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::s3::lifecycle::{LifecycleRule, expiry};
use crash_capture_local::streams::StartOptions;
use serde_json::{Value, json};

use support::{Cloud, crash_after, event, long_since, session_event, stack_with};

/// Retention that differs for each verdict. Records go before crashes: then crashes go with them.
const DAYS: [(&str, &str); 5] = [
    ("CrashRetentionDays", "90"),
    ("SuspectRetentionDays", "30"),
    ("ExitedRetentionDays", "7"),
    ("CleanRetentionDays", "2"),
    ("RecordRetentionDays", "60"),
];

fn rules(parameters: &[(&str, &str)]) -> Vec<LifecycleRule> {
    stack_with(parameters).buckets.remove(0).lifecycle
}

/// The rule that makes an export of this tag expire, and after how many days.
fn decides<'a>(rules: &'a [LifecycleRule], tag: Option<&str>) -> (&'a str, i32) {
    let tags: BTreeMap<_, _> = tag.map(|tag| ("Verdict".to_owned(), tag.to_owned())).into_iter().collect();
    let (_, rule) = expiry(rules, "exports/a/b.zip", &tags, "2026-11-24T12:00:00Z".parse().unwrap()).unwrap();
    (&rule.id, rule.days.unwrap())
}

#[test]
fn every_verdict_has_a_rule_of_its_own_and_no_two_are_about_the_same_export() {
    let rules = rules(&[]);
    let expected = [("crash", 180), ("suspect", 30), ("unreadable", 30), ("exited", 7), ("clean", 3)];
    let deciding: BTreeSet<_> = expected
        .into_iter()
        .map(|(verdict, days)| {
            let (rule, found) = decides(&rules, Some(verdict));
            assert_eq!(found, days, "{verdict} by {rule}");
            rule
        })
        .collect();
    assert_eq!(deciding.len(), expected.len());
    for rule in rules.iter().filter(|rule| deciding.contains(rule.id.as_str())) {
        assert!(matches!(rule.tags.as_slice(), [(key, _)] if key == "Verdict"), "{rule:?}");
        assert_eq!(rule.prefix, "exports/", "{rule:?}");
    }
}

#[test]
fn an_export_without_a_verdict_goes_with_the_records_and_none_stays_longer() {
    for days in ["1", "60", "3650"] {
        let rules = rules(&[("CrashRetentionDays", "3650"), ("RecordRetentionDays", days)]);
        let days: i32 = days.parse().unwrap();
        assert_eq!(decides(&rules, None), ("expire-exports", days));
        assert_eq!(decides(&rules, Some("a verdict of next year")), ("expire-exports", days));
        assert_eq!(decides(&rules, Some("crash")).1, days);
        let record =
            expiry(&rules, "index/v1/x.json", &BTreeMap::new(), "2026-11-24T12:00:00Z".parse().unwrap());
        assert_eq!(record.unwrap().1.days, Some(days));
    }
}

#[test]
fn reports_requests_and_answers_have_rules_of_their_own() {
    let rules = rules(&[("ReportRetentionDays", "42")]);
    for (key, days) in [("reports/a/b.html", 42), ("reindex/exports/a.zip.json", 1), ("athena/x.csv", 7)] {
        let written = "2026-11-24T12:00:00Z".parse().unwrap();
        let (_, rule) = expiry(&rules, key, &BTreeMap::new(), written).unwrap();
        assert_eq!(rule.days, Some(days), "{key} by {}", rule.id);
    }
}

#[test]
fn what_is_left_of_an_upload_that_was_broken_off_goes_wherever_it_is() {
    let rules = rules(&[]);
    let aborting: Vec<_> = rules.iter().filter(|rule| rule.unfinished_days.is_some()).collect();
    let [rule] = aborting.as_slice() else { panic!("{aborting:?}") };
    assert_eq!((rule.prefix.as_str(), rule.tags.len(), rule.unfinished_days), ("", 0, Some(7)));
}

#[test]
fn what_the_system_remembers_does_not_expire() {
    let rules = rules(&[]);
    for key in ["signatures/a-1/v1-00.json", "state/first-sweep.json", "open/sg-1/x.json"] {
        assert!(
            expiry(&rules, key, &BTreeMap::new(), "2026-11-24T12:00:00Z".parse().unwrap()).is_none(),
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_record_names_the_day_on_which_s3_deletes_its_export() {
    let cloud = Cloud::start_with(|options| {
        options.parameters.extend(DAYS.map(|(name, days)| (name.to_owned(), days.to_owned())));
    })
    .await;
    let early = StartOptions::new(STREAM_GROUP, APPLICATION);
    let mut sessions = Vec::new();
    for options in [
        early.clone().arguments(crash_after("6")),
        early.clone().arguments(["--exit-after", "6"]),
        long_since(&["--quit-after", "6"]),
        early.arguments(["--quit-after", "6"]),
    ] {
        let session = cloud.play_as(options).await;
        cloud.start_export(&session_event(&cloud, &session)).await;
        sessions.push(session);
    }
    let mut seen = BTreeMap::new();
    for session in sessions {
        cloud.ended(&session).await;
        let record = cloud.record(&session).await.unwrap();
        seen.insert(record["verdict"].as_str().unwrap().to_owned(), record);
    }
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/notazip123456.zip");
    cloud.s3.put(&cloud.bucket, &key, "this is no zip", "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let answer = cloud.index_export(&json!({"bucket": cloud.bucket, "key": key})).await;
    seen.insert("unreadable".to_owned(), answer);

    let rules = &cloud.stack.buckets[0].lifecycle;
    let verdicts: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(verdicts, ["clean", "crash", "exited", "suspect", "unreadable"]);
    for (verdict, record) in &seen {
        let object = cloud.s3.object(&cloud.bucket, record["export"]["key"].as_str().unwrap()).unwrap();
        let (day, rule) = expiry(rules, &object.key, &object.tags, object.last_modified).unwrap();
        assert_eq!(record["export"]["expiresOn"], json!(day.to_string()), "{verdict} by {rule:?}");
    }
    // The same object of another day is another matter: the record follows.
    let export = &seen["crash"]["export"];
    let key = export["key"].as_str().unwrap();
    cloud.s3.backdate(&cloud.bucket, key, std::time::Duration::from_hours(72)).unwrap();
    let bucket = [("/detail/bucket/name", json!(cloud.bucket)), ("/detail/object/key", json!(key))];
    let mut again = event("index-export/object-created.json", &bucket);
    again["detail"]["object"]["etag"] = export["etag"].clone();
    let again: Value = cloud.index_export(&again).await;
    assert!(again["export"]["expiresOn"].as_str() < export["expiresOn"].as_str(), "{again}");
}
