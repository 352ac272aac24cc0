//! What was indexed, as metrics.

use std::io;

use serde_json::Value;

use crate::metrics::{self, BYTES};
use crate::record::{self, Verdict};
use crate::session::Id;

use super::{Announced, Capture};

/// Writes what became of an object to standard output, as one line.
pub(super) fn write(stack: &str, capture: &Capture) -> io::Result<()> {
    document(stack, capture).map_or(Ok(()), |document| metrics::write(&[document]))
}

/// Each record counts once: by the invocation that put it into the index. What reading took counts each time.
fn document(stack: &str, capture: &Capture) -> Option<Value> {
    let (application, counts) = match capture {
        Capture::Indexed(announced, cost) => {
            let read = [("requests", cost.requests), (BYTES, cost.bytes)];
            let counts = counts(announced).into_iter().chain(read).collect();
            (announced.record.session.application_id.as_ref(), counts)
        }
        Capture::Ignored("unknown-key") => (None, vec![("unknownKeys", 1)]),
        Capture::Ignored(_) => return None,
    };
    let mut dimensions = vec![("Stack", stack)];
    let mut sets: Vec<&[&str]> = vec![&["Stack"]];
    if let Some(application) = application.map(Id::as_str) {
        dimensions.push(("Application", application));
        sets.push(&["Stack", "Application"]);
    }
    Some(metrics::document(record::now(), &dimensions, &sets, &counts))
}

fn counts(announced: &Announced) -> Vec<(&'static str, u64)> {
    let Announced { record, announce: true, .. } = announced else { return Vec::new() };
    let is = |verdict| u64::from(record.judgement.verdict == Some(verdict));
    vec![
        ("indexed", 1),
        ("crashes", is(Verdict::Crash)),
        ("suspects", is(Verdict::Suspect)),
        ("unreadable", is(Verdict::Unreadable)),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Cost;
    use super::*;
    use crate::metrics::tests::assert_embedded_metrics;
    use crate::record::{Judgement, Record, SessionFacts, State};
    use crate::session::SessionName;

    fn indexed(verdict: Verdict, announce: bool) -> Capture {
        let id = |text: &str| Id::try_from(text.to_owned()).unwrap();
        let name = SessionName { stream_group: id("sg-1"), id: id("abc") };
        let session = SessionFacts { application_id: Some(id("a-1")), ..SessionFacts::of_name(&name) };
        let judgement = Judgement { verdict: Some(verdict), ..Judgement::default() };
        let record = Record { judgement, ..Record::new(State::Indexed, session) };
        let cost = Cost { requests: 6, bytes: 1_094_690 };
        Capture::Indexed(Box::new(Announced::new(record, announce)), cost)
    }

    fn values(document: &Value) -> Vec<(&str, &str, u64)> {
        let metrics = document["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().iter();
        let named =
            metrics.map(|metric| (metric["Name"].as_str().unwrap(), metric["Unit"].as_str().unwrap()));
        named.map(|(name, unit)| (name, unit, document[name].as_u64().unwrap())).collect()
    }

    #[test]
    fn a_record_is_counted_by_its_verdict_for_the_stack_and_for_its_application() {
        let document = document("s", &indexed(Verdict::Crash, true)).unwrap();
        assert_embedded_metrics(&document);
        let directive = &document["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Stack"], ["Stack", "Application"]]));
        assert_eq!((&document["Stack"], &document["Application"]), (&json!("s"), &json!("a-1")));
        assert_eq!(
            values(&document),
            [
                ("indexed", "Count", 1),
                ("crashes", "Count", 1),
                ("suspects", "Count", 0),
                ("unreadable", "Count", 0),
                ("requests", "Count", 6),
                ("bytes", "Bytes", 1_094_690),
            ]
        );
    }

    #[test]
    fn what_another_invocation_indexed_is_not_counted_again_but_reading_it_is() {
        let again = document("s", &indexed(Verdict::Crash, false)).unwrap();
        assert_eq!(values(&again), [("requests", "Count", 6), ("bytes", "Bytes", 1_094_690)]);
        assert_eq!(document("s", &Capture::Ignored("gone")), None);
        assert_eq!(document("s", &Capture::Ignored("unknown-key")).unwrap()["unknownKeys"], 1);
    }
}
