use std::time::Duration;

use serde_json::{Value, json};

use super::{is_running, kill, until_gone};
use crate::lambda::testing::{Local, echo, options};
use crate::lambda::{FailureKind, FunctionError, InvokeError, Lambda, Outcome, StartError};

async fn failure(local: &Local, function: &str, event: Value) -> (Outcome, FunctionError) {
    let outcome = local.lambda.invoke(function, &event).await.unwrap();
    let error = outcome.result.clone().expect_err("it fails");
    (outcome, error)
}

#[tokio::test]
async fn a_function_gets_the_event_and_its_answer_comes_back() {
    let local = Local::start(vec![echo("Echo")]).await;
    for name in ["Echo", "s-Echo-local", "arn:aws:lambda:us-west-2:111122223333:function:s-Echo-local"] {
        let outcome = local.lambda.invoke(name, &json!({"x": "ä"})).await.unwrap();
        let answer = outcome.result.unwrap();
        assert_eq!(answer["event"], json!({"x": "ä"}));
        assert_eq!(answer["requestId"], outcome.request_id.as_str());
        assert_eq!(answer["functionArn"], "arn:aws:lambda:us-west-2:111122223333:function:s-Echo-local");
        assert_eq!(answer["functionName"], "s-Echo-local");
        assert!(answer["traceId"].as_str().unwrap().starts_with("Root=1-"));
        let left = answer["deadline"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond();
        assert!((15_000..=20_000).contains(&left), "{left}");
    }
}

#[tokio::test]
async fn an_environment_is_used_again_and_only_its_start_is_cold() {
    let local = Local::start(vec![echo("Echo")]).await;
    let mut processes = Vec::new();
    for n in 0..3 {
        let outcome = local.lambda.invoke("Echo", &json!({})).await.unwrap();
        assert_eq!(outcome.init_duration.is_some(), n == 0);
        assert!(outcome.max_memory.is_some_and(|bytes| (1 << 20..1 << 30).contains(&bytes)));
        assert!(outcome.processor_time.is_some_and(|time| time < Duration::from_mins(1)));
        processes.push(outcome.result.unwrap()["pid"].clone());
    }
    assert_eq!(processes[0], processes[2]);
}

#[tokio::test]
async fn several_environments_work_at_once_up_to_the_limit() {
    let mut single = echo("Single");
    single.reserved_concurrency = Some(1);
    let local = Local::start(vec![echo("Echo"), single]).await;
    let event = json!({"do": "sleep", "milliseconds": 300});
    for (function, cold_starts) in [("Echo", 2), ("Single", 1)] {
        let (one, two) =
            tokio::join!(local.lambda.invoke(function, &event), local.lambda.invoke(function, &event));
        let cold = [one.unwrap(), two.unwrap()].into_iter().filter(|it| it.init_duration.is_some()).count();
        assert_eq!(cold, cold_starts, "{function}");
    }
}

#[tokio::test]
async fn a_reported_error_is_handled_and_the_environment_lives_on() {
    let local = Local::start(vec![echo("Echo")]).await;
    let before = local.answer("Echo", json!({})).await;
    let (_, error) = failure(&local, "Echo", json!({"do": "fail"})).await;
    assert_eq!(error.kind, FailureKind::Handled);
    assert_eq!(error.error_type(), "Failure");
    assert_eq!(error.error_message(), r#"as asked: {"do":"fail"}"#);
    let (_, error) = failure(&local, "Echo", json!({"do": "panic"})).await;
    assert_eq!(error.kind, FailureKind::Handled, "the runtime reports panics");
    assert_eq!(local.answer("Echo", json!({})).await["pid"], before["pid"]);
}

#[tokio::test]
async fn a_process_that_ends_is_an_error_and_is_replaced() {
    let local = Local::start(vec![echo("Echo")]).await;
    let before = local.answer("Echo", json!({})).await;
    for (event, how) in [
        (json!({"do": "exit", "code": 3}), "Runtime exited with error: exit status 3"),
        (json!({"do": "exit", "code": 0}), "Runtime exited without providing a reason"),
        (json!({"do": "abort"}), "Runtime exited with error: signal: aborted"),
    ] {
        let (outcome, error) = failure(&local, "Echo", event).await;
        assert_eq!(error.kind, FailureKind::Unhandled);
        assert_eq!(error.error_type(), "Runtime.ExitError");
        assert_eq!(error.error_message(), format!("RequestId: {} Error: {how}", outcome.request_id));
    }
    assert_ne!(local.answer("Echo", json!({})).await["pid"], before["pid"]);
}

#[tokio::test]
async fn a_process_that_takes_too_long_is_killed_and_replaced() {
    let mut slow = echo("Slow");
    slow.timeout = Duration::from_millis(250);
    let local = Local::start(vec![slow]).await;
    let before = local.answer("Slow", json!({})).await;
    let (outcome, error) = failure(&local, "Slow", json!({"do": "sleep", "milliseconds": 60_000})).await;
    assert_eq!(error.kind, FailureKind::Timeout);
    assert_eq!(error.error_type(), "Sandbox.Timedout");
    let expected = format!("RequestId: {} Error: Task timed out after 0.25 seconds", outcome.request_id);
    assert_eq!(error.error_message(), expected);
    assert!((250..2000).contains(&outcome.duration.as_millis()));
    assert!(!is_running(&before["pid"]), "the process is gone");
    local.answer("Slow", json!({})).await;
}

#[tokio::test]
async fn a_process_that_dies_between_two_events_is_replaced_unnoticed() {
    let local = Local::start(vec![echo("Echo")]).await;
    let before = local.answer("Echo", json!({})).await["pid"].clone();
    kill(&before);
    until_gone(&before).await;
    assert_ne!(local.answer("Echo", json!({})).await["pid"], before);
}

#[tokio::test]
async fn a_function_that_cannot_be_initialised_is_tried_twice_and_reported() {
    let mut broken = echo("Broken");
    broken.environment.insert("FAIL_INIT".into(), "1".into());
    let local = Local::start(vec![broken]).await;
    let (_, error) = failure(&local, "Broken", json!({})).await;
    assert_eq!(error.error_type(), "Runtime.ExitError");
    assert!(error.error_message().ends_with("exit status 7"));
    let lines: Vec<_> =
        local.lambda.logs("Broken").into_iter().map(|line| (line.request_id, line.text)).collect();
    assert_eq!(lines, vec![(None, "no initialisation today".to_owned()); 2]);
}

#[tokio::test]
async fn payloads_have_lambdas_limits() {
    let local = Local::start(vec![echo("Echo")]).await;
    // A JSON string has two quotes.
    let sync = |size: usize| Value::from("x".repeat(size - 2));
    let accepted = local.lambda.invoke("Echo", &sync(5 << 20)).await.unwrap();
    assert!(accepted.result.is_ok());
    let refused = local.lambda.invoke("Echo", &sync((6 << 20) + 1)).await.unwrap_err();
    assert_eq!(refused, InvokeError::PayloadTooLarge { size: (6 << 20) + 1, limit: 6 << 20 });
    assert!(local.lambda.invoke_async("Echo", sync(1 << 20)).is_ok());
    let refused = local.lambda.invoke_async("Echo", sync((1 << 20) + 1)).unwrap_err();
    assert_eq!(refused, InvokeError::PayloadTooLarge { size: (1 << 20) + 1, limit: 1 << 20 });

    let (_, error) = failure(&local, "Echo", json!({"do": "large", "bytes": 6_291_555})).await;
    assert_eq!(error.error_type(), "Function.ResponseSizeTooLarge");
    assert_eq!(
        local.answer("Echo", json!({"do": "large", "bytes": 6_291_554})).await.as_str().unwrap().len(),
        6_291_554
    );
}

#[tokio::test]
async fn there_is_no_function_but_those_deployed() {
    let local = Local::start(vec![echo("Echo")]).await;
    let nothing = InvokeError::NoSuchFunction("Other".into());
    assert_eq!(local.lambda.invoke("Other", &json!({})).await.unwrap_err(), nothing);
    assert_eq!(local.lambda.invoke_async("Other", json!({})).unwrap_err(), nothing);
    assert!(local.lambda.function("Other").is_none());
    assert_eq!(local.lambda.function("Echo").unwrap().name, "s-Echo-local");
}

#[tokio::test]
async fn a_function_that_has_not_been_built_is_noticed_at_the_start() {
    let local = Local::start(vec![]).await;
    let mut function = echo("Echo");
    function.binary = "no-such-function".into();
    let (account, events) = (crate::account::Account::default(), local.lambda.events().clone());
    let started = Lambda::start(&account, vec![function], local.mailboxes, events, options()).await;
    assert!(matches!(started, Err(StartError::NoExecutable { .. })), "{started:?}");
}

#[tokio::test]
async fn an_invocation_runs_to_its_end_though_nobody_waits_for_it() {
    let local = Local::start(vec![echo("Echo")]).await;
    let event = json!({"do": "sleep", "milliseconds": 200});
    let impatient = tokio::time::timeout(Duration::from_millis(100), local.lambda.invoke("Echo", &event));
    assert!(impatient.await.is_err());
    local.lambda.idle().await;
    let [invocation] = &local.lambda.invocations()[..] else { panic!("one invocation") };
    assert!(invocation.outcome.result.is_ok());
}
