//! `Fn::Sub`.

use serde_json::{Map, Value};

use super::error::{Problem, TemplateError};
use super::node::scalar_text;
use super::scope::Scope;

impl Scope<'_> {
    /// `"text ${Name} ${Resource.Attribute} ${!Literal}"`, or a list of such a text and a map of names of its own.
    pub(super) fn substitute(&self, place: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let nothing = Map::new();
        let (text, names) = match argument {
            Value::String(text) => (text, &nothing),
            Value::Array(items) => match items.as_slice() {
                [Value::String(text), Value::Object(names)] => (text, names),
                _ => return Err(bad("a string, or a list of a string and a map").at(place)),
            },
            _ => return Err(bad("a string, or a list of a string and a map").at(place)),
        };
        self.fill_in(place, text, names).map(|text| Some(Value::from(text)))
    }

    fn fill_in(&self, place: &str, text: &str, names: &Map<String, Value>) -> Result<String, TemplateError> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| bad("a } after each ${").at(place))?;
            result.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => result.extend(["${", literal, "}"]),
                None => result.push_str(&self.variable(place, name, names)?),
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn variable(&self, place: &str, name: &str, names: &Map<String, Value>) -> Result<String, TemplateError> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:".contains(c)) {
            return Err(bad("names of letters, digits, underscores, periods and colons").at(place));
        }
        if let Some(value) = names.get(name) {
            return self.text(place, value);
        }
        if let Some((resource, attribute)) = name.split_once('.') {
            return self.attribute(place, resource, attribute);
        }
        let value = self.reference(place, name)?.unwrap_or(Value::Null);
        scalar_text(&value).ok_or_else(|| Problem::expected("a string", &value).at(place))
    }
}

fn bad(expected: &'static str) -> Problem {
    Problem::Arguments { function: "Fn::Sub", expected }
}
