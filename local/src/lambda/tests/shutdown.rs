use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::{is_running, kill, until_gone};
use crate::lambda::testing::{Local, echo, options};
use crate::lambda::{InvokeError, Options};

/// Set for the process that [`no_process_outlives_a_local_cloud_that_is_killed`] kills.
const VICTIM: &str = "CRASH_CAPTURE_TEST_VICTIM";

#[tokio::test]
async fn shutting_down_ends_idle_and_busy_processes() {
    let local = Local::start(vec![echo("Echo")]).await;
    let short = json!({"do": "sleep", "milliseconds": 200});
    let (one, two) = tokio::join!(local.answer("Echo", short.clone()), local.answer("Echo", short));
    let long = json!({"do": "sleep", "milliseconds": 60_000});
    let busy = tokio::spawn({
        let lambda = local.lambda.clone();
        async move { lambda.invoke("Echo", &long).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(one["pid"] != two["pid"] && is_running(&one["pid"]) && is_running(&two["pid"]));

    local.lambda.shut_down().await;
    assert!(!is_running(&one["pid"]) && !is_running(&two["pid"]));
    let interrupted = busy.await.unwrap().unwrap().result.unwrap_err();
    assert!(interrupted.error_message().ends_with("signal: terminated"), "{interrupted:?}");
    assert_eq!(local.lambda.invoke("Echo", &json!({})).await.unwrap_err(), InvokeError::ShuttingDown);
}

#[tokio::test]
async fn no_process_outlives_its_lambda() {
    let local = Local::start(vec![echo("Echo")]).await;
    let pid = local.answer("Echo", json!({})).await["pid"].clone();
    drop(local);
    until_gone(&pid).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_process_outlives_a_local_cloud_that_is_killed() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "lambda::tests::shutdown::be_the_victim"])
        .env(VICTIM, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stderr.take().unwrap()).lines();
    let sleeping = |line: String| line.strip_prefix("[Echo] sleeping ")?.parse::<u32>().ok();
    let pid = lines.map_while(Result::ok).find_map(sleeping);
    let pid = json!(pid.expect("the victim's function is busy"));
    assert!(is_running(&pid));
    kill(&json!(victim.id()));
    victim.wait().unwrap();
    until_gone(&pid).await;
}

/// Not a test of its own: starts a function that is busy for a minute, and echoes its log.
#[tokio::test]
async fn be_the_victim() {
    if std::env::var_os(VICTIM).is_none() {
        return;
    }
    let local = Local::with(vec![echo("Echo")], Options { echo: true, ..options() }).await;
    local.lambda.invoke("Echo", &json!({"do": "sleep", "milliseconds": 60_000})).await.unwrap();
}
