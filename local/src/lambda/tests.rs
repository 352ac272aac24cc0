use serde_json::json;

use super::*;

const NAME: &str = "stack-probe";
const QUEUE: &str = "arn:aws:sqs:us-west-2:111122223333:failed";
const BUS: &str = "arn:aws:events:us-west-2:111122223333:event-bus/default";

fn function() -> FunctionConfig {
    FunctionConfig {
        name: NAME.into(),
        arn: format!("arn:aws:lambda:us-west-2:111122223333:function:{NAME}"),
        binary: "probe".into(),
        environment: BTreeMap::from([("COLOUR".into(), "red".into())]),
        timeout: Duration::from_secs(1),
        memory_mib: 128,
        logging: Logging { format: Some("JSON".into()), ..Logging::default() },
        asynchronous: Asynchronous {
            on_success: Some(Destination::EventBus(BUS.into())),
            on_failure: Some(Destination::Queue(QUEUE.into())),
            dead_letter_queue: Some(format!("{QUEUE}-old")),
            ..Asynchronous::default()
        },
    }
}

async fn start() -> (Lambda, Queues, tokio::sync::mpsc::UnboundedReceiver<Value>) {
    let options = Options {
        account: Account::default(),
        executables: crate::executables::build_examples(&["probe"]).unwrap(),
        environment: BTreeMap::from([("AWS_ENDPOINT_URL_S3".into(), "http://127.0.0.1:1".into())]),
        credentials: BTreeMap::from([(NAME.into(), ("AKIDPROBE".into(), "secret".into()))]),
        retry_delays: [Duration::from_millis(1); 2],
        concurrency: 4,
    };
    let (events, receiver) = EventSender::new(Account::default());
    let queues = Queues::default();
    let lambda = Lambda::start(vec![function()], options, events, queues.clone()).await.unwrap();
    (lambda, queues, receiver)
}

#[tokio::test]
async fn a_function_has_the_environment_that_lambda_gives_and_no_other() {
    let (lambda, ..) = start().await;
    let invocation = lambda.invoke(NAME, &json!({})).await.unwrap();
    let answer = invocation.outcome.answer().unwrap();
    assert_eq!(answer["requestId"], invocation.request_id.as_str());
    assert_eq!(answer["functionArn"], function().arn.as_str());
    let variables = &answer["variables"];
    for (name, value) in [
        ("COLOUR", "red"),
        ("AWS_LAMBDA_FUNCTION_NAME", NAME),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_ACCESS_KEY_ID", "AKIDPROBE"),
        ("AWS_REGION", "us-west-2"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
    ] {
        assert_eq!(variables[name], value, "{name}");
    }
    assert_eq!(variables.get("PATH"), None);
    assert!(invocation.peak_memory.unwrap() > 1 << 20);
}

#[tokio::test]
async fn an_environment_is_reused_and_several_run_at_once() {
    let (lambda, ..) = start().await;
    let process = |invocation: Invocation| invocation.outcome.answer().unwrap()["process"].clone();
    let first = process(lambda.invoke(NAME, &json!({})).await.unwrap());
    assert_eq!(process(lambda.invoke(NAME, &json!({})).await.unwrap()), first);
    let event = json!({});
    let (one, two) = tokio::join!(lambda.invoke(NAME, &event), lambda.invoke(NAME, &event));
    assert_ne!(process(one.unwrap()), process(two.unwrap()));
}

#[tokio::test]
async fn errors_exits_and_timeouts_are_reported_as_lambda_does() {
    let (lambda, ..) = start().await;
    for (what, error_type) in [("fail", "probe"), ("exit", "Runtime.ExitError")] {
        let invocation = lambda.invoke(NAME, &json!({"do": what})).await.unwrap();
        assert_eq!(invocation.outcome.error().unwrap().error_type, error_type);
    }
    lambda.invoke(NAME, &json!({})).await.unwrap();
    let invocation = lambda.invoke(NAME, &json!({"do": "sleep"})).await.unwrap();
    let error = invocation.outcome.error().unwrap();
    assert_eq!(error.error_type, "Sandbox.Timedout");
    assert!(error.error_message.contains("Task timed out after 1.00 seconds"), "{error:?}");
}

#[tokio::test]
async fn a_failed_event_is_tried_three_times_and_then_kept() {
    let (lambda, queues, _) = start().await;
    let id = lambda.invoke_async(NAME, json!({"do": "fail"})).unwrap();
    lambda.settled().await;
    let attempts: Vec<_> = lambda.invocations().iter().map(|i| (i.request_id.clone(), i.attempt)).collect();
    assert_eq!(attempts, [(id.clone(), 1), (id.clone(), 2), (id.clone(), 3)]);
    let [kept] = &queues.messages(QUEUE)[..] else { panic!() };
    assert_eq!(kept.body["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(kept.body["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(kept.body["requestPayload"], json!({"do": "fail"}));
    assert_eq!(kept.body["responsePayload"]["errorType"], "probe");
    let [old] = &queues.messages(&format!("{QUEUE}-old"))[..] else { panic!() };
    assert_eq!((&old.body, &old.attributes["RequestID"]), (&json!({"do": "fail"}), &id));
}

#[tokio::test]
async fn a_result_goes_to_the_success_destination() {
    let (lambda, queues, mut events) = start().await;
    let id = lambda.invoke_async(NAME, json!({"n": 1})).unwrap();
    lambda.settled().await;
    let event = events.try_recv().unwrap();
    assert_eq!(event["source"], "lambda");
    assert_eq!(event["detail-type"], "Lambda Function Invocation Result - Success");
    assert_eq!(event["resources"], json!([BUS, format!("{}:$LATEST", function().arn)]));
    assert_eq!(event["detail"]["requestContext"]["condition"], "Success");
    assert_eq!(event["detail"]["responsePayload"]["requestId"], id.as_str());
    assert!(queues.all().is_empty());
}

#[tokio::test]
async fn what_lambda_would_not_take_is_refused() {
    let (lambda, ..) = start().await;
    assert!(matches!(lambda.invoke_async("other", json!({})), Err(InvokeError::NoSuchFunction(_))));
    let large = json!("x".repeat(MAX_ASYNCHRONOUS));
    assert!(matches!(lambda.invoke_async(NAME, large), Err(InvokeError::TooLarge { .. })));
}
