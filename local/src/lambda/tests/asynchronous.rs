use std::time::Duration;

use serde_json::{Value, json};

use crate::delivery::{Message, Recipient};
use crate::iam::{Attachment, Effect, Holder, Iam, StatementParts};
use crate::lambda::testing::{BUS, DEAD_LETTERS, Local, QUEUE, TOPIC, echo, options};
use crate::lambda::{Function, LoggedInvocation, Options};

fn with_destinations(name: &str) -> Function {
    let mut function = echo(name);
    function.asynchronous.on_failure = Some(Recipient::Queue(QUEUE.into()));
    function.asynchronous.on_success = Some(Recipient::EventBus(BUS.into()));
    function
}

async fn run(local: &Local, function: &str, event: Value) -> (String, Vec<LoggedInvocation>) {
    let request_id = local.lambda.invoke_async(function, event).unwrap();
    local.lambda.idle().await;
    let attempts =
        local.lambda.invocations().into_iter().filter(|it| it.outcome.request_id == request_id).collect();
    (request_id, attempts)
}

fn messages(local: &Local, arn: &str) -> Vec<Message> {
    local.mailboxes.messages(arn).unwrap()
}

#[tokio::test]
async fn a_success_is_tried_once_and_told_to_the_event_bus() {
    let mut local = Local::start(vec![with_destinations("Echo")]).await;
    let (request_id, attempts) = run(&local, "Echo", json!({"x": 1})).await;
    assert_eq!(attempts.len(), 1);
    assert!(attempts[0].asynchronous);
    assert_eq!(attempts[0].payload, json!({"x": 1}));

    let event = local.events.try_recv().unwrap();
    let arn = "arn:aws:lambda:us-west-2:111122223333:function:s-Echo-local:$LATEST";
    assert_eq!(event["source"], "lambda");
    assert_eq!(event["detail-type"], "Lambda Function Invocation Result - Success");
    assert_eq!(event["resources"], json!([BUS, arn]));
    let mut record = event["detail"].clone();
    assert_eq!(record["responsePayload"].take()["event"], json!({"x": 1}));
    let timestamp = record["timestamp"].take();
    assert!(
        timestamp.as_str().unwrap().parse::<jiff::Timestamp>().is_ok()
            && timestamp.as_str().unwrap().len() == 24
    );
    let expected = json!({
        "version": "1.0",
        "timestamp": null,
        "requestContext": {
            "requestId": request_id,
            "functionArn": arn,
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"x": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": null,
    });
    assert_eq!(record, expected);
    assert!(messages(&local, QUEUE).is_empty());
}

#[tokio::test]
async fn a_failure_is_tried_three_times_under_one_request_id_and_recorded() {
    let mut local = Local::start(vec![with_destinations("Echo")]).await;
    let event = json!({"do": "fail"});
    let (request_id, attempts) = run(&local, "Echo", event.clone()).await;
    assert_eq!(attempts.iter().map(|it| it.attempt).collect::<Vec<_>>(), [1, 2, 3]);

    let [message] = &messages(&local, QUEUE)[..] else { panic!("one message") };
    let record = message.json();
    assert_eq!(record["requestContext"]["requestId"], request_id.as_str());
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestPayload"], event);
    let context = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"});
    assert_eq!(record["responseContext"], context);
    assert_eq!(record["responsePayload"]["errorType"], "Failure");
    assert!(local.events.try_recv().is_err(), "nobody is told of a success");
}

#[tokio::test]
async fn a_dead_letter_is_the_event_itself_with_the_error_as_attributes() {
    let mut function = with_destinations("Echo");
    function.dead_letter = Some(Recipient::Queue(DEAD_LETTERS.into()));
    let local = Local::start(vec![function]).await;
    let event = json!({"do": "fail", "why": "ü".repeat(2000)});
    let (request_id, _) = run(&local, "Echo", event.clone()).await;
    let [message] = &messages(&local, DEAD_LETTERS)[..] else { panic!("one message") };
    assert_eq!(message.json(), event);
    assert_eq!(message.attributes["RequestID"], request_id);
    assert_eq!(message.attributes["ErrorCode"], "200");
    let error = &message.attributes["ErrorMessage"];
    assert!(error.starts_with("as asked: ") && (1023..=1024).contains(&error.len()));
    assert_eq!(messages(&local, QUEUE).len(), 1, "the destination gets its record too");
}

#[tokio::test]
async fn the_number_of_retries_is_the_templates() {
    let mut once = with_destinations("Once");
    once.asynchronous.maximum_retry_attempts = 0;
    let local = Local::start(vec![once]).await;
    let (_, attempts) = run(&local, "Once", json!({"do": "exit", "code": 1})).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(messages(&local, QUEUE)[0].json()["requestContext"]["approximateInvokeCount"], 1);
}

#[tokio::test]
async fn the_pauses_count_in_full_for_an_events_age_however_short_they_are() {
    let mut function = with_destinations("Echo");
    function.asynchronous.maximum_event_age = Duration::from_mins(1);
    let local = Local::start(vec![function]).await;
    let (_, attempts) = run(&local, "Echo", json!({"do": "fail"})).await;
    assert_eq!(attempts.len(), 1);
    let record = messages(&local, QUEUE)[0].json();
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(record["responsePayload"]["errorType"], "Failure");
}

#[tokio::test]
async fn an_event_that_waited_too_long_is_never_tried() {
    let mut function = with_destinations("Echo");
    function.asynchronous.maximum_event_age = Duration::from_millis(100);
    let local = Local::with(vec![function], Options { concurrency: 1, ..options() }).await;
    let first = local.lambda.invoke_async("Echo", json!({"do": "sleep", "milliseconds": 400})).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    run(&local, "Echo", json!({"late": true})).await;
    let ids: Vec<_> = local.lambda.invocations().into_iter().map(|it| it.outcome.request_id).collect();
    assert_eq!(ids, [first]);
    let record = messages(&local, QUEUE)[0].json();
    assert_eq!(record["requestPayload"], json!({"late": true}));
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(record.get("responsePayload"), None);
}

#[tokio::test]
async fn a_retry_can_succeed() {
    let mut function = with_destinations("Slow");
    function.timeout = Duration::from_millis(400);
    let mut local = Local::with(vec![function], options()).await;
    // The process is killed at the first attempt, and its successor answers.
    let (_, attempts) = run(&local, "Slow", json!({"do": "exit-once"})).await;
    assert_eq!(attempts.len(), 2);
    let record = local.events.try_recv().unwrap()["detail"].take();
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
}

#[tokio::test]
async fn records_can_go_to_functions_and_topics() {
    let mut first = echo("First");
    first.asynchronous.on_success = Some(Recipient::Function(echo("Second").arn));
    let mut second = echo("Second");
    second.asynchronous.on_success = Some(Recipient::Topic(TOPIC.into()));
    let local = Local::start(vec![first, second]).await;
    run(&local, "First", json!({"x": 1})).await;
    let [message] = &messages(&local, TOPIC)[..] else { panic!("one message") };
    let record = message.json();
    assert_eq!(record["requestPayload"]["requestPayload"], json!({"x": 1}));
    let functions: Vec<_> = local.lambda.invocations().into_iter().map(|it| it.function).collect();
    assert_eq!(functions, ["First", "Second"]);
}

#[tokio::test]
async fn the_queue_may_deliver_an_event_twice_with_the_same_request_id() {
    let twice = Options { delivers_twice: true, ..options() };
    let local = Local::with(vec![with_destinations("Echo")], twice).await;
    let (_, attempts) = run(&local, "Echo", json!({"x": 1})).await;
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| attempt.attempt == 1 && attempt.outcome.result.is_ok()));
}

#[tokio::test]
async fn each_destination_takes_a_permission_of_the_functions_role() {
    let other = echo("Other").arn;
    let destinations = [
        (Recipient::Queue(QUEUE.into()), "sqs:SendMessage"),
        (Recipient::Topic(TOPIC.into()), "sns:Publish"),
        (Recipient::EventBus(BUS.into()), "events:PutEvents"),
        (Recipient::Function(other), "lambda:InvokeFunction"),
    ];
    let function = |destination: &Recipient| {
        let mut function = echo("Echo");
        function.asynchronous.on_success = Some(destination.clone());
        function
    };
    for (destination, action) in &destinations {
        for is_allowed in [true, false] {
            let statement = StatementParts {
                policy: "EchoRole".into(),
                statement: "It".into(),
                effect: Effect::Allow,
                principals: None,
                actions: (false, vec!["logs:*".into(), if is_allowed { *action } else { "s3:*" }.into()]),
                resources: Some((false, vec!["*".into()])),
                conditions: Vec::new(),
            };
            let holder = Holder::Role(echo("Echo").role);
            let statements = statement.take_apart().unwrap().into_iter();
            let attach = |statement| Attachment { holder: holder.clone(), statement };
            let iam = Iam::new(statements.map(attach).collect(), false);
            let functions = vec![function(destination), echo("Other")];
            let options = Options { iam: iam.clone(), ..options() };
            let mut local = Local::with(functions, options).await;
            run(&local, "Echo", json!({})).await;
            let told = messages(&local, QUEUE).len()
                + messages(&local, TOPIC).len()
                + usize::from(local.events.try_recv().is_ok())
                + local.lambda.invocations().iter().filter(|it| it.function == "Other").count();
            assert_eq!(told, usize::from(is_allowed), "{action}");
            let refused: Vec<_> = iam.ledger().refusals.into_iter().map(|it| it.denied).collect();
            let expected = if is_allowed { Vec::new() } else { vec![(*action, destination.arn())] };
            let refused: Vec<_> = refused.iter().map(|it| (&*it.action, &*it.resource)).collect();
            assert_eq!(refused, expected);
        }
    }
}
