//! Whatever is thrown at `start-export`: an error or a refusal, never a dead process, never a call.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::executables::workspace;
use crash_capture_local::lambda::FailureKind;
use serde_json::{Value, json};

use support::{Cloud, START_EXPORT};

/// The files of the collection, each with one of its fields after the other taken away, or made something else.
fn damaged() -> Vec<Value> {
    let mut damaged = Vec::new();
    for file in std::fs::read_dir(workspace().join("events/start-export")).unwrap() {
        let event: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        for root in ["", "/detail", "/alarmData", "/detail/responseElements", "/detail/requestParameters"] {
            let Some(fields) = event.pointer(root).and_then(Value::as_object) else { continue };
            for name in fields.keys() {
                for other in
                    [json!(null), json!([[]]), json!({"a": {}}), json!("../x"), json!("x".repeat(5000))]
                {
                    let mut event = event.clone();
                    event.pointer_mut(root).unwrap()[name] = other;
                    damaged.push(event);
                }
            }
        }
    }
    damaged
}

/// Whether an event asks for nothing, as the library reads it. What is damaged where it does not matter is no garbage.
fn is_garbage(event: &Value) -> bool {
    use crash_capture::trigger::{Scope, Trigger};
    let trigger = Trigger::parse(event, jiff::Timestamp::UNIX_EPOCH);
    trigger.is_err() || trigger.is_ok_and(|trigger| matches!(trigger.scope, Scope::Nothing(_)))
}

#[tokio::test]
async fn garbage_is_refused_by_a_function_that_goes_on() {
    let cloud = Cloud::start().await;
    let mut garbage: Vec<Value> = damaged().into_iter().filter(is_garbage).collect();
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({"detail": deep, "detail-type": [deep]});
        if deep.to_string().len() > 100_000 {
            break;
        }
    }
    garbage.extend([json!(null), json!("x"), json!(1e300), json!([]), json!({"": {}}), deep]);
    assert!(garbage.len() > 200, "{}", garbage.len());
    for event in garbage {
        match cloud.lambda.invoke(START_EXPORT, &event).await.unwrap().result {
            Ok(answer) => assert!(answer["ignored"].is_string(), "{event}"),
            Err(error) => {
                assert_eq!(
                    (error.kind, error.error_type()),
                    (FailureKind::Handled, "unknown-event"),
                    "{event}"
                );
            }
        }
    }
    assert!(cloud.streams.call_log().is_empty());
    assert!(cloud.contents().await.is_empty());
    let invocations = cloud.lambda.invocations();
    assert!(
        invocations.iter().all(|invocation| invocation.outcome.max_memory.is_some()),
        "no process has died"
    );
}
