//! Input transformers: a target gets a text in which placeholders stand for parts of the event.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>. The predefined variables
//! (`<aws.events.…>`) are not here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::input::{InputError, part, steps};

/// An `InputTransformer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformer {
    pieces: Vec<Piece>,
}

/// A piece of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A placeholder: the way to its value, and whether it stands between quotes.
    Placeholder {
        steps: Vec<String>,
        quoted: bool,
    },
}

impl Transformer {
    /// Reads a template and the paths of its placeholders. As in EventBridge, a placeholder without a path is an error.
    pub fn new(template: &str, paths: &BTreeMap<String, String>) -> Result<Self, InputError> {
        let paths = paths.iter().map(|(name, path)| Ok((name.as_str(), steps(path)?)));
        let paths = paths.collect::<Result<BTreeMap<_, _>, InputError>>()?;
        let (mut pieces, mut rest, mut quoted) = (Vec::new(), template, false);
        while let Some((text, name, after)) = placeholder(rest) {
            quoted ^= has_open_quote(text);
            let steps = paths.get(name).ok_or_else(|| InputError::Undefined(name.to_owned()))?.clone();
            pieces.extend([Piece::Text(text.to_owned()), Piece::Placeholder { steps, quoted }]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self { pieces })
    }

    /// The text for an event. Quotes around lines stay, and a path that leads to nothing gives an empty text.
    pub(super) fn of(&self, event: &Value) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder { steps, quoted } => match (part(event, steps), quoted) {
                (None | Some(Value::Null), true) => String::new(),
                (None, false) => "\"\"".to_owned(),
                (Some(Value::String(text)), true) => text.clone(),
                (Some(value), _) => value.to_string(),
            },
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// What is before the next placeholder, its name, and what is after it.
fn placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = template[from..].find('<').map(|at| from + at) {
        let name = &template[at + 1..];
        if let Some(end) = name.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c))
            && end > 0
            && name[end..].starts_with('>')
        {
            return Some((&template[..at], &name[..end], &name[end + 1..]));
        }
        from = at + 1;
    }
    None
}

/// Whether a text has an odd number of quotes that are not escaped.
fn has_open_quote(text: &str) -> bool {
    let (mut open, mut escaped) = (false, false);
    for character in text.chars() {
        open ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    open
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transformed(template: &str, event: &Value) -> Result<String, InputError> {
        let paths =
            [("instance", "$.detail.instance"), ("state", "$.detail.state"), ("count", "$.detail.count")];
        let paths = paths.into_iter().map(|(name, path)| (name.to_owned(), path.to_owned())).collect();
        Ok(Transformer::new(template, &paths)?.of(event))
    }

    #[test]
    fn placeholders_stand_for_parts_of_the_event_in_texts_and_in_json() {
        let event = json!({"detail": {"instance": "i-1", "state": "RUNNING", "count": 2}});
        for (template, expected) in [
            ("\"<instance> is in state <state>\"", "\"i-1 is in state RUNNING\""),
            ("\"<instance>\"\n\"is <state>: <count>\"\n", "\"i-1\"\n\"is RUNNING: 2\"\n"),
            (
                r#"{"instance": <instance>, "n": <count>, "t": "\"<state>\""}"#,
                r#"{"instance": "i-1", "n": 2, "t": "\"RUNNING\""}"#,
            ),
            ("\"1 < 2 > <a b> <\"", "\"1 < 2 > <a b> <\""),
        ] {
            assert_eq!(transformed(template, &event).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_in_the_event_is_empty_and_what_is_not_in_the_map_an_error() {
        assert_eq!(
            transformed("\"a <instance>.\"", &json!({"detail": {"instance": null}})).unwrap(),
            "\"a .\""
        );
        assert_eq!(transformed("\"a <instance>.\"", &json!({})).unwrap(), "\"a .\"");
        assert_eq!(transformed("<other>", &json!({})), Err(InputError::Undefined("other".into())));
    }
}
