//! News of crashes: what reaches the topic that people subscribe to.

mod support;

use support::exports::crashed_by;
use support::{Cloud, INDEX_EXPORT, crash_after, crash_news, session_event};

const TOPIC: &str = "NewsTopic";

async fn cloud(every_crash: &str) -> Cloud {
    let every_crash = every_crash.to_owned();
    Cloud::start_with(|options| drop(options.parameters.insert("EveryCrash".to_owned(), every_crash))).await
}

fn mails(cloud: &Cloud) -> Vec<String> {
    cloud.published(TOPIC).into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn a_crash_that_was_not_seen_before_is_told_with_ids_title_and_what_to_do() {
    let cloud = Cloud::start().await;
    cloud.events.put_raw(crash_news(&cloud, true));
    cloud.bus.settled().await;
    let console = "https://us-west-2.console.aws.amazon.com/s3/object";
    let report = "reports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-20/ABC123def4567.html";
    let expected = [
        "\"A game crashed as none did before: EXCEPTION_ACCESS_VIOLATION_READ/null in game-win64-shipping.exe\"",
        "\" \"",
        "\"Build: 5F3C2A1B\"",
        "\"Application: a-9ZY8X7Wv6\"",
        "\"Location: us-west-2\"",
        "\"Stream group: sg-1AB2C3De4\"",
        "\"Session: ABC123def4567\"",
        "\"Signature: 9f86d081884c7d65\"",
        "\" \"",
        &format!("\"Report: {console}/{}?region=us-west-2&prefix={report}\"", cloud.bucket),
        "\"Without the console: crash-capture open ABC123def4567\"",
        "\"Files, until 2027-05-20: crash-capture get ABC123def4567\"",
        "",
    ];
    assert_eq!(mails(&cloud), [expected.join("\n")]);
}

#[tokio::test]
async fn a_crash_that_was_seen_before_is_told_only_to_those_who_want_to_hear_of_every_crash() {
    for (every_crash, count) in [("DISABLED", 0), ("ENABLED", 1)] {
        let cloud = cloud(every_crash).await;
        cloud.events.put_raw(crash_news(&cloud, false));
        cloud.bus.settled().await;
        assert_eq!(mails(&cloud).len(), count, "EveryCrash: {every_crash}");
    }
}

#[tokio::test]
async fn what_index_export_answers_is_told_of_once_however_often_the_export_is_announced() {
    let cloud = cloud("ENABLED").await;
    let crashed = cloud.play(&crash_after("6")).await;
    let ended = cloud.play(&[]).await;
    for session in [&crashed, &ended] {
        cloud.start_export(&session_event(&cloud, session)).await;
    }
    cloud.streams.terminate(&ended).unwrap();
    cloud.ended(&ended).await;
    cloud.ended(&crashed).await;
    for routed in cloud.bus.log() {
        if routed.rules == ["IndexExportFunctionObjectCreated"] {
            cloud.events.put_raw(routed.event);
        }
    }
    cloud.bus.settled().await;
    let mails = mails(&cloud);
    let [mail] = mails.as_slice() else { panic!("{mails:#?}") };
    let expires = cloud.record(&crashed).await.unwrap()["export"]["expiresOn"].as_str().unwrap().to_owned();
    let record = cloud.record(&crashed).await.unwrap();
    let report = record["report"]["key"].as_str().unwrap();
    for line in [
        format!("Session: {}", crashed.id),
        format!(
            "Report: https://us-west-2.console.aws.amazon.com/s3/object/{}?region=us-west-2&prefix={report}",
            cloud.bucket
        ),
        format!("Files, until {expires}: crash-capture get {}", crashed.id),
    ] {
        assert!(mail.lines().any(|it| it == format!("\"{line}\"")), "{mail}");
    }
}

#[tokio::test]
async fn what_a_player_made_the_game_say_is_in_no_mail_and_in_no_log() {
    let cloud = Cloud::start_with(|options| {
        options.parameters.insert("LogLevel".to_owned(), "TRACE".to_owned());
    })
    .await;
    let key = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip";
    let words = "buy-gold.example says Jane";
    cloud.s3.put(&cloud.bucket, key, crashed_by(words), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let mails = mails(&cloud);
    let [mail] = mails.as_slice() else { panic!("{mails:#?}") };
    assert!(mail.starts_with("\"A game crashed as none did before: Assert\"\n"), "{mail}");
    assert!(mail.contains("\"Session: ABC123def4567\"\n"), "{mail}");
    let log =
        cloud.lambda.logs(INDEX_EXPORT).into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n");
    assert!(log.contains("sg-1AB2C3De4/ABC123def4567"), "{log}");
    for part in ["buy-gold", "Jane", "Pawn"] {
        assert!(!mail.contains(part), "{mail}");
        assert!(!log.contains(part), "{log}");
    }
    // For those who look it up.
    let record = cloud.contents().await.into_iter().find(|(key, _)| key.starts_with("index/")).unwrap().1;
    assert!(String::from_utf8_lossy(&record).contains(words));
}
