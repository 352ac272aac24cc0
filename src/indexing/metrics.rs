//! What was indexed, as metrics.

use std::io;

use serde_json::Value;

use crate::metrics;
use crate::record::{self, Verdict};
use crate::session::Id;

use super::{Announced, Capture};

/// Writes what became of an object to standard output, as one line.
pub(super) fn write(stack: &str, capture: &Capture) -> io::Result<()> {
    document(stack, capture).map_or(Ok(()), |document| metrics::write(&[document]))
}

/// Each record counts once: by the invocation that put it into the index.
fn document(stack: &str, capture: &Capture) -> Option<Value> {
    let (application, counts) = match capture {
        Capture::Indexed(announced) => {
            let Announced { record, announce: true } = &**announced else { return None };
            let is = |verdict| u64::from(record.judgement.verdict == Some(verdict));
            let counts = vec![
                ("indexed", 1),
                ("crashes", is(Verdict::Crash)),
                ("suspects", is(Verdict::Suspect)),
                ("unreadable", is(Verdict::Unreadable)),
            ];
            (record.session.application_id.as_ref(), counts)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        Capture::Indexed(Box::new(Announced { record, announce }))
    }

    #[test]
    fn a_record_is_counted_by_its_verdict_for_the_stack_and_for_its_application() {
        let document = document("s", &indexed(Verdict::Crash, true)).unwrap();
        assert_embedded_metrics(&document);
        let directive = &document["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Stack"], ["Stack", "Application"]]));
        assert_eq!((&document["Stack"], &document["Application"]), (&json!("s"), &json!("a-1")));
        let values: Vec<_> = directive["Metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|metric| document[metric["Name"].as_str().unwrap()].as_u64().unwrap())
            .collect();
        assert_eq!(values, [1, 1, 0, 0]);
    }

    #[test]
    fn what_another_invocation_indexed_is_not_counted_again() {
        assert_eq!(document("s", &indexed(Verdict::Crash, false)), None);
        assert_eq!(document("s", &Capture::Ignored("gone")), None);
        assert_eq!(document("s", &Capture::Ignored("unknown-key")).unwrap()["unknownKeys"], 1);
    }
}
