use serde_json::json;

use crate::lambda::testing::{Local, echo, examples, options};
use crate::lambda::{LogFormat, Options};

#[tokio::test]
async fn a_function_has_lambdas_variables_and_its_own_and_no_others() {
    let mut function = echo("Echo");
    function.environment.insert("OWN".into(), "x".into());
    function.environment.insert("BOTH".into(), "own".into());
    let (credentials, logging) = (function.credentials.clone(), function.logging.clone());
    let variables = [("ENDPOINT", "http://127.0.0.1:1"), ("BOTH", "everybody's")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let local = Local::with(vec![function], Options { variables, ..options() }).await;

    let mut seen = local.answer("Echo", json!({"do": "environment"})).await;
    let seen = seen.as_object_mut().unwrap();
    let api = seen.remove("AWS_LAMBDA_RUNTIME_API").unwrap();
    assert!(api.as_str().unwrap().starts_with("http://127.0.0.1:"), "{api}");
    let stream = seen.remove("AWS_LAMBDA_LOG_STREAM_NAME").unwrap();
    assert!(stream.as_str().unwrap().contains("/[$LATEST]"), "{stream}");
    // Set by the runtime itself, in its own process.
    seen.remove("_X_AMZN_TRACE_ID");
    let expected = json!({
        "_HANDLER": "bootstrap",
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "s-Echo-local",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.group,
        "AWS_REGION": "us-west-2",
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "BOTH": "own",
        "ENDPOINT": "http://127.0.0.1:1",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": examples(),
        "LANG": "en_US.UTF-8",
        "OWN": "x",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": ":UTC",
    });
    assert_eq!(json!(seen), expected);
}

#[tokio::test]
async fn a_log_level_is_told_with_json_logs_alone() {
    let mut json_logs = echo("Json");
    json_logs.logging.level = Some("DEBUG".into());
    let mut text_logs = json_logs.clone();
    text_logs.logical_id = "Text".into();
    text_logs.logging.format = LogFormat::Text;
    let local = Local::start(vec![json_logs, text_logs]).await;
    let ask = json!({"do": "environment"});
    assert_eq!(local.answer("Json", ask.clone()).await["AWS_LAMBDA_LOG_LEVEL"], "DEBUG");
    let text = local.answer("Text", ask).await;
    assert_eq!((&text["AWS_LAMBDA_LOG_FORMAT"], text.get("AWS_LAMBDA_LOG_LEVEL")), (&json!("Text"), None));
}

#[tokio::test]
async fn each_function_has_credentials_of_its_own() {
    let (one, two) = (echo("One").credentials, echo("Two").credentials);
    assert_ne!(one.access_key_id, two.access_key_id);
    assert!(one.access_key_id.starts_with("ASIA") && one.access_key_id.len() == 20);
    assert_eq!(one.secret_access_key.len(), 40);
}

#[tokio::test]
async fn what_a_function_writes_before_it_answers_is_in_the_log_when_the_answer_is_known() {
    let local = Local::start(vec![echo("Echo"), echo("Other")]).await;
    local.answer("Other", json!({"do": "log", "lines": 1})).await;
    for lines in [1, 300, 2] {
        let before = local.lambda.logs("Echo").len();
        let outcome = local.lambda.invoke("Echo", &json!({"do": "log", "lines": lines})).await.unwrap();
        let log = local.lambda.logs("Echo").split_off(before);
        for output in ["out", "err"] {
            let written: Vec<_> = log.iter().filter(|line| line.text.starts_with(output)).collect();
            let expected: Vec<_> = (1..=lines).map(|n| format!("{output} {n}")).collect();
            assert_eq!(
                written.iter().map(|line| &line.text).collect::<Vec<_>>(),
                expected.iter().collect::<Vec<_>>()
            );
            assert!(written.iter().all(|line| line.request_id.as_ref() == Some(&outcome.request_id)));
        }
    }
}
