//! `Globals.Function`, merged into every function.

use serde_json::{Map, Value};

use crate::template::error::{Problem, TemplateError};
use crate::template::node::Node;

/// What SAM does not take from Globals.
const NOT_GLOBAL: [&str; 4] = ["Events", "FunctionName", "Policies", "Role"];

/// The section's properties for functions.
pub(super) fn of_functions(globals: Option<&Value>) -> Result<Map<String, Value>, TemplateError> {
    let Some(globals) = globals else { return Ok(Map::new()) };
    let globals = Node::new("Globals", globals);
    globals.only(&[&["Function"]])?;
    let Some(functions) = globals.get("Function")? else { return Ok(Map::new()) };
    let properties = functions.map()?;
    match NOT_GLOBAL.iter().find(|key| properties.contains_key(**key)) {
        Some(key) => Err(functions.fail(Problem::UnknownKey((*key).to_owned()))),
        None => Ok(properties.clone()),
    }
}

/// Maps are merged, everything else is replaced. (SAM joins lists; no list is read here.)
///
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
pub(super) fn merge(global: &Map<String, Value>, local: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = global.clone();
    for (key, value) in local {
        let value = match (merged.remove(key), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) if !is_call(&ours) && !is_call(theirs) => {
                Value::Object(merge(&ours, theirs))
            }
            (_, value) => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}

fn is_call(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}
