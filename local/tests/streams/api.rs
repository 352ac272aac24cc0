//! How requests are read, refused and logged.

use aws_sdk_gameliftstreams::error::ProvideErrorMetadata;
use aws_sdk_gameliftstreams::types::Protocol;
use crash_capture_local::faults::Fault;
use crash_capture_local::iam::Principal;
use crash_capture_local::streams::{NO_CLIENT_CONNECTION, Operation, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cloud::{ARN, Cloud, FOR_EVER, GAME, GROUP, SCRIPT, code};

#[tokio::test]
async fn ids_and_arns_name_the_same_session() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let started = client
        .start_stream_session()
        .identifier(format!("{ARN}streamgroup/{GROUP}"))
        .application_identifier(format!("{ARN}application/{GAME}"))
        .protocol(Protocol::Webrtc)
        .signal_request(NO_CLIENT_CONNECTION)
        .send()
        .await
        .expect("a session");
    let arn = started.arn().expect("an ARN");
    let id = arn.rsplit('/').next().expect("an id");
    assert_eq!(started.status().expect("a status").as_str(), "ACTIVATING");
    assert_eq!(arn, format!("{ARN}streamsession/{GROUP}/{id}"));
    for (group, session) in [(GROUP, id), (&format!("{ARN}streamgroup/{GROUP}"), arn)] {
        let get = client.get_stream_session().identifier(group).stream_session_identifier(session);
        assert_eq!(get.send().await.expect("the session").arn(), Some(arn));
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let get = |group: &str, session: &str| {
        client.get_stream_session().identifier(group).stream_session_identifier(session).send()
    };
    let elsewhere = format!("arn:aws:gameliftstreams:us-east-2:111122223333:streamgroup/{GROUP}");
    for (group, session) in [("sg-none", "none"), (GROUP, "none"), (&elsewhere, "none")] {
        assert_eq!(code(get(group, session).await), "ResourceNotFoundException");
    }
    let start = client
        .start_stream_session()
        .identifier(GROUP)
        .application_identifier("a-none")
        .protocol(Protocol::Webrtc)
        .signal_request(NO_CLIENT_CONNECTION);
    assert_eq!(code(start.send().await), "ResourceNotFoundException");
}

#[tokio::test]
async fn every_operation_refuses_what_is_malformed_and_does_not_find_what_is_not_there() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    for (group, session, expected) in
        [("no group", "none", "ValidationException"), (GROUP, "none", "ResourceNotFoundException")]
    {
        let get = client.get_stream_session().identifier(group).stream_session_identifier(session);
        assert_eq!(code(get.send().await), expected);
        let end = client.terminate_stream_session().identifier(group).stream_session_identifier(session);
        assert_eq!(code(end.send().await), expected);
        let export = client.export_stream_session_files().identifier(group);
        let export = export.stream_session_identifier(session).output_uri("s3://captures/one.zip");
        assert_eq!(code(export.send().await), expected);
        let connect = client.create_stream_session_connection().identifier(group);
        let connect = connect.stream_session_identifier(session).signal_request("an offer");
        assert_eq!(code(connect.send().await), expected);
    }
    let list = |group: &str| client.list_stream_sessions().identifier(group).send();
    assert_eq!(code(list("no group").await), "ValidationException");
    assert_eq!(code(list("sg-none").await), "ResourceNotFoundException");
    let all = client.list_stream_sessions_by_account().next_token("made up");
    assert_eq!(code(all.send().await), "ValidationException");
}

#[tokio::test]
async fn every_operation_is_denied_to_a_role_without_permissions() {
    let cloud = Cloud::start().await;
    let role = Principal::Role { role: "arn:aws:iam::111122223333:role/nobody".into(), session: "it".into() };
    cloud.iam.know("AKIANOBODY", role);
    let client = cloud.client_of("AKIANOBODY");
    let denied = "AccessDeniedException";
    let start = client.start_stream_session().identifier(GROUP).application_identifier(GAME);
    let start = start.protocol(Protocol::Webrtc).signal_request(NO_CLIENT_CONNECTION);
    assert_eq!(code(start.send().await), denied);
    let get = client.get_stream_session().identifier(GROUP).stream_session_identifier("none");
    assert_eq!(code(get.send().await), denied);
    assert_eq!(code(client.list_stream_sessions().identifier(GROUP).send().await), denied);
    assert_eq!(code(client.list_stream_sessions_by_account().send().await), denied);
    let end = client.terminate_stream_session().identifier(GROUP).stream_session_identifier("none");
    assert_eq!(code(end.send().await), denied);
    let export = client.export_stream_session_files().identifier(GROUP).stream_session_identifier("none");
    assert_eq!(code(export.output_uri("s3://captures/one.zip").send().await), denied);
    let connect = client.create_stream_session_connection().identifier(GROUP);
    let connect = connect.stream_session_identifier("none").signal_request("an offer");
    assert_eq!(code(connect.send().await), denied);
    assert_eq!(cloud.streams.call_log().len(), Operation::ALL.len());
}

#[tokio::test]
async fn a_session_is_found_in_its_own_group_only() {
    let cloud = Cloud::start().await;
    cloud.streams.add_stream_group(crash_capture_local::streams::StreamGroup::new("sg-other", "us-west-2"));
    let session = cloud.script(FOR_EVER);
    let get =
        cloud.client().get_stream_session().identifier("sg-other").stream_session_identifier(session.id);
    assert_eq!(code(get.send().await), "ResourceNotFoundException");
}

#[tokio::test]
async fn all_mistakes_of_a_request_are_reported_together() {
    let cloud = Cloud::start().await;
    let start = cloud
        .client()
        .start_stream_session()
        .identifier(GROUP)
        .application_identifier("not an id")
        .protocol(Protocol::from("Pigeon"))
        .signal_request(NO_CLIENT_CONNECTION)
        .session_length_seconds(-1);
    let error = start.send().await.expect_err("three mistakes");
    let message = error.message().expect("a message");
    assert!(message.starts_with("3 validation errors detected: "), "{message}");
    for part in ["'applicationIdentifier'", "enum value set: [WebRTC]", "greater than or equal to 1"] {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[tokio::test]
async fn a_malformed_output_uri_is_a_validation_error() {
    let cloud = Cloud::start().await;
    let session = cloud.script(FOR_EVER);
    cloud.reach(&session, Status::Active).await;
    let export = cloud.client().export_stream_session_files().identifier(GROUP);
    let export = export.stream_session_identifier(session.id);
    for uri in ["", "s3://bucket/prefix", "https://bucket/one.zip", "s3://one.zip", "s3:///one.zip"] {
        assert_eq!(code(export.clone().output_uri(uri).send().await), "ValidationException", "{uri}");
    }
}

#[tokio::test]
async fn a_repeated_client_token_starts_one_session() {
    let cloud = Cloud::start().await;
    let start = cloud
        .client()
        .start_stream_session()
        .client_token("0123456789abcdef0123456789abcdef")
        .identifier(GROUP)
        .application_identifier(SCRIPT)
        .protocol(Protocol::Webrtc)
        .signal_request(NO_CLIENT_CONNECTION);
    let first = start.clone().send().await.expect("a session");
    let second = start.clone().send().await.expect("the same session");
    assert_eq!(first.arn(), second.arn());
    assert_eq!(code(start.user_id("somebody-else").send().await), "ConflictException");
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let cloud = Cloud::start().await;
    let address = cloud.streams.endpoint().replace("http://", "");
    let mut connection = TcpStream::connect(&address).await.expect("a connection");
    let request = format!("GET /streamsessions HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: MissingAuthenticationTokenException"), "{answer}");
    let log = cloud.streams.call_log();
    assert_eq!((log[0].status, log[0].access_key_id.as_deref()), (403, None));
}

#[tokio::test]
async fn every_call_is_logged_with_its_caller() {
    let cloud = Cloud::start().await;
    let get = cloud.client_of("ASIASOMEBODY").get_stream_session();
    code(get.identifier(GROUP).stream_session_identifier("none").send().await);
    cloud.client().list_stream_sessions_by_account().send().await.expect("a list");
    let log = cloud.streams.call_log();
    assert_eq!(log.len(), 2);
    assert_eq!(log[0].operation, Operation::GetStreamSession);
    assert_eq!(log[0].identifiers, [GROUP, "none"]);
    assert_eq!((log[0].status, log[0].error_code), (404, Some("ResourceNotFoundException")));
    assert_eq!(log[0].access_key_id.as_deref(), Some("ASIASOMEBODY"));
    assert_eq!(log[1].operation, Operation::ListStreamSessionsByAccount);
    assert_eq!((log[1].status, log[1].error_code), (200, None));
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_tell_whether_the_call_was_performed() {
    let cloud = Cloud::start().await;
    let session = cloud.script(FOR_EVER);
    cloud.reach(&session, Status::Active).await;
    for (fault, is_performed) in [(Fault::Reset, false), (Fault::Unanswered, true)] {
        cloud.streams.inject(move |_| Some(fault.clone()));
        let export = cloud.client().export_stream_session_files().identifier(GROUP);
        let export = export.stream_session_identifier(&session.id).output_uri("s3://captures/one.zip");
        let error = export.send().await.expect_err("no answer");
        assert!(error.code().is_none(), "{error:?}");
        let session = cloud.streams.session(&session).expect("a known session");
        assert_eq!(session.export.is_some(), is_performed);
    }
}
