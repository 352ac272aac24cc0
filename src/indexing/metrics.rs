//! What was indexed, as metrics: log lines in CloudWatch's embedded metric format, of which CloudWatch Logs makes them.
//!
//! User guide, "Specification: Embedded metric format".

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::record::{self, Verdict};

use super::{Announced, Capture};

/// The namespace of this system's metrics.
const NAMESPACE: &str = "CrashCapture";

/// Writes what became of an object to standard output, as one line.
pub(super) fn write(stack: &str, capture: &Capture) -> io::Result<()> {
    let Some(mut document) = document(stack, capture) else { return Ok(()) };
    // Lambda drops lines below the function's log level, and takes a line without level and time for INFO.
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
    document["level"] = level.into();
    writeln!(io::stdout().lock(), "{document}")
}

/// A metric's name, unit and value.
type Metric = (&'static str, &'static str, u64);

/// Each record counts once: by the invocation that put it into the index. What reading took counts each time.
fn document(stack: &str, capture: &Capture) -> Option<Value> {
    let (application, metrics) = match capture {
        Capture::Indexed(announced, cost) => {
            let read = [("requests", "Count", cost.requests), ("bytes", "Bytes", cost.bytes)];
            let metrics = counts(announced).into_iter().chain(read).collect();
            (announced.record.session.application_id.clone(), metrics)
        }
        Capture::Ignored("unknown-key") => (None, vec![("unknownKeys", "Count", 1)]),
        Capture::Ignored(_) => return None,
    };
    let mut dimensions = vec![vec!["Stack"]];
    dimensions.extend(application.as_ref().map(|_| vec!["Stack", "Application"]));
    let names: Vec<_> = metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let at = record::now();
    let mut document = json!({
        "_aws": {
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": names}],
        },
        "timestamp": at,
        "Stack": stack,
    });
    if let Some(application) = application {
        document["Application"] = application.as_str().into();
    }
    for (name, _, value) in metrics {
        document[name] = value.into();
    }
    Some(document)
}

fn counts(announced: &Announced) -> Vec<Metric> {
    let Announced { record, announce: true } = announced else { return Vec::new() };
    let is = |verdict| u64::from(record.judgement.verdict == Some(verdict));
    vec![
        ("indexed", "Count", 1),
        ("crashes", "Count", is(Verdict::Crash)),
        ("suspects", "Count", is(Verdict::Suspect)),
        ("unreadable", "Count", is(Verdict::Unreadable)),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::Cost;
    use super::*;
    use crate::record::{Judgement, Record, SessionFacts, State};
    use crate::session::{Id, SessionName};

    fn indexed(verdict: Verdict, announce: bool) -> Capture {
        let id = |text: &str| Id::try_from(text.to_owned()).unwrap();
        let name = SessionName { stream_group: id("sg-1"), id: id("abc") };
        let session = SessionFacts { application_id: Some(id("a-1")), ..SessionFacts::of_name(&name) };
        let judgement = Judgement { verdict: Some(verdict), ..Judgement::default() };
        let record = Record { judgement, ..Record::new(State::Indexed, session) };
        let cost = Cost { requests: 6, bytes: 1_094_690 };
        Capture::Indexed(Box::new(Announced { record, announce }), cost)
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
