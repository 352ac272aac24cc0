//! Faults, as the SDK sees them.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::faults::Fault;
use crate::s3::Refusal;

use super::{BUCKET, Fixture, refusal, refused};

impl Fixture {
    /// The next request meets this fault, the others none.
    fn next_meets(&self, fault: Fault<Refusal>) {
        let is_over = AtomicBool::new(false);
        self.s3.inject(move |_| (!is_over.swap(true, Ordering::Relaxed)).then(|| fault.clone()));
    }
}

#[tokio::test]
async fn what_is_refused_is_not_performed() {
    let fixture = Fixture::new().await;
    for (fault, expected) in [
        (Refusal::InternalError, refused(500, "InternalError")),
        (Refusal::SlowDown, refused(503, "SlowDown")),
        (Refusal::ConditionalRequestConflict, refused(409, "ConditionalRequestConflict")),
        (Refusal::PreconditionFailed, refused(412, "PreconditionFailed")),
    ] {
        fixture.next_meets(Fault::Refused(fault));
        let put = fixture.client.put_object().bucket(BUCKET).key("k").body(b"new".to_vec().into());
        assert_eq!(refusal(put.send().await), expected);
        assert!(fixture.s3.list(BUCKET, "").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_connection_breaks_before_or_after_a_request_is_performed() {
    let fixture = Fixture::new().await;
    for (fault, is_performed) in [(Fault::Reset, false), (Fault::Unanswered, true)] {
        fixture.next_meets(fault);
        let put = fixture.client.put_object().bucket(BUCKET).key("k").body(b"new".to_vec().into());
        let error = put.send().await.unwrap_err();
        assert!(error.raw_response().is_none(), "{error:?}");
        assert_eq!(fixture.s3.read(BUCKET, "k").await.is_ok(), is_performed);
    }
}

#[tokio::test]
async fn half_of_a_body_arrives() {
    let fixture = Fixture::new().await;
    fixture.put("k", "0123456789").await;
    fixture.next_meets(Fault::CutOff);
    let mut answer = fixture.client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(answer.content_length, Some(10));
    let mut arrived = Vec::new();
    let error = loop {
        match answer.body.try_next().await {
            Ok(Some(piece)) => arrived.extend_from_slice(&piece),
            Ok(None) => panic!("it ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(arrived, b"01234", "{error}");
    assert_eq!(fixture.get("k").await, "0123456789");
}
