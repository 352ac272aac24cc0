//! The intrinsic functions, evaluated as CloudFormation does.

use serde_json::{Map, Value};

use super::error::{Problem, TemplateError};
use super::node::scalar_text;
use super::scope::Scope;

type Resolved = Result<Option<Value>, TemplateError>;

impl Scope<'_> {
    /// The value with all its intrinsic functions evaluated; `None` is `AWS::NoValue`.
    pub(super) fn resolve(&self, place: &str, value: &Value) -> Resolved {
        match value {
            Value::Object(map) => match intrinsic(place, map)? {
                Some((function, argument)) => self.call(place, function, argument),
                None => self.resolve_map(place, map).map(Some),
            },
            Value::Array(items) => self.resolve_list(place, items).map(Some),
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn resolve_map(&self, place: &str, map: &Map<String, Value>) -> Result<Value, TemplateError> {
        let mut resolved = Map::new();
        for (key, value) in map {
            if let Some(value) = self.resolve(&format!("{place}.{key}"), value)? {
                resolved.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(resolved))
    }

    fn resolve_list(&self, place: &str, items: &[Value]) -> Result<Value, TemplateError> {
        let mut resolved = Vec::new();
        for (i, item) in items.iter().enumerate() {
            resolved.extend(self.resolve(&format!("{place}[{i}]"), item)?);
        }
        Ok(Value::Array(resolved))
    }

    fn call(&self, place: &str, function: &str, argument: &Value) -> Resolved {
        let place = &format!("{place}.{function}");
        match function {
            "Ref" => self.reference(place, literal(place, "Ref", argument)?),
            "Fn::GetAtt" => self.get_att(place, argument),
            "Fn::Sub" => self.substitute(place, argument),
            "Fn::If" => self.choose(place, argument),
            "Fn::Join" => self.join(place, argument),
            "Fn::Select" => self.select(place, argument),
            "Fn::Split" => self.split(place, argument),
            "Fn::FindInMap" => self.find_in_map(place, argument),
            // A condition's value is no property's value, but it can be compared in another condition.
            "Fn::And" | "Fn::Equals" | "Fn::Not" | "Fn::Or" => {
                Err(Problem::Unsupported("conditions belong into the section Conditions").at(place))
            }
            _ => Err(Problem::UnknownIntrinsic(function.to_owned()).at(place)),
        }
    }

    fn get_att(&self, place: &str, argument: &Value) -> Resolved {
        const BAD: Problem = Problem::Arguments { function: "Fn::GetAtt", expected: "[resource, attribute]" };
        let (resource, attribute) = match argument {
            Value::String(path) => {
                let (resource, attribute) = path.split_once('.').ok_or_else(|| BAD.at(place))?;
                (resource, attribute.to_owned())
            }
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(resource), attribute] => (resource.as_str(), self.text(place, attribute)?),
                _ => return Err(BAD.at(place)),
            },
            _ => return Err(BAD.at(place)),
        };
        self.attribute(place, resource, &attribute).map(|value| Some(Value::from(value)))
    }

    fn choose(&self, place: &str, argument: &Value) -> Resolved {
        let [condition, yes, no] =
            arguments(place, "Fn::If", "[condition, value if true, value if false]", argument)?;
        let holds = self.condition(place, literal(place, "Fn::If", condition)?)?;
        self.resolve(place, if holds { yes } else { no })
    }

    fn join(&self, place: &str, argument: &Value) -> Resolved {
        let [delimiter, list] = arguments(place, "Fn::Join", "[delimiter, list]", argument)?;
        let parts = self.texts(place, list)?;
        Ok(Some(Value::from(parts.join(literal(place, "Fn::Join", delimiter)?))))
    }

    fn split(&self, place: &str, argument: &Value) -> Resolved {
        let [delimiter, text] = arguments(place, "Fn::Split", "[delimiter, string]", argument)?;
        let text = self.text(place, text)?;
        Ok(Some(text.split(literal(place, "Fn::Split", delimiter)?).collect()))
    }

    fn select(&self, place: &str, argument: &Value) -> Resolved {
        let [index, list] = arguments(place, "Fn::Select", "[index, list]", argument)?;
        let index: Option<usize> = self.text(place, index)?.parse().ok();
        let list = self.texts(place, list)?;
        let item = index.and_then(|index| list.get(index));
        let bad = Problem::Arguments { function: "Fn::Select", expected: "an index within the list" };
        item.map(|item| Some(Value::from(item.as_str()))).ok_or_else(|| bad.at(place))
    }

    fn find_in_map(&self, place: &str, argument: &Value) -> Resolved {
        let keys: [&Value; 3] = arguments(place, "Fn::FindInMap", "[map, key, key]", argument)?;
        let mut value = &self.mappings;
        for key in keys {
            let key = self.text(place, key)?;
            value = value.get(&key).ok_or_else(|| Problem::Unresolved(key.clone()).at(place))?;
        }
        Ok(Some(value.clone()))
    }

    /// The value as a string.
    pub(super) fn text(&self, place: &str, value: &Value) -> Result<String, TemplateError> {
        let resolved = self.resolve(place, value)?.unwrap_or(Value::Null);
        scalar_text(&resolved).ok_or_else(|| Problem::expected("a string", &resolved).at(place))
    }

    fn texts(&self, place: &str, value: &Value) -> Result<Vec<String>, TemplateError> {
        let resolved = self.resolve(place, value)?.unwrap_or(Value::Null);
        let strings = resolved.as_array().and_then(|items| items.iter().map(scalar_text).collect());
        strings.ok_or_else(|| Problem::expected("a list of strings", &resolved).at(place))
    }
}

/// The function and its argument, if the map is a call.
pub(super) fn intrinsic<'a>(
    place: &str,
    map: &'a Map<String, Value>,
) -> Result<Option<(&'a str, &'a Value)>, TemplateError> {
    let call = map.iter().find(|(key, _)| *key == "Ref" && map.len() == 1 || key.starts_with("Fn::"));
    match call {
        Some((function, _)) if map.len() > 1 => {
            Err(Problem::UnknownKey(function.clone()).at(format!("{place} (a function has to stand alone)")))
        }
        Some((function, argument)) => Ok(Some((function, argument))),
        None => Ok(None),
    }
}

/// The arguments of a function that takes `N`.
pub(super) fn arguments<'a, const N: usize>(
    place: &str,
    function: &'static str,
    expected: &'static str,
    argument: &'a Value,
) -> Result<[&'a Value; N], TemplateError> {
    let items = argument.as_array().map(|items| items.iter().collect::<Vec<_>>());
    items
        .and_then(|items| items.try_into().ok())
        .ok_or_else(|| Problem::Arguments { function, expected }.at(place))
}

/// An argument that CloudFormation wants written out.
pub(super) fn literal<'a>(
    place: &str,
    function: &'static str,
    argument: &'a Value,
) -> Result<&'a str, TemplateError> {
    argument.as_str().ok_or_else(|| Problem::Arguments { function, expected: "a literal string" }.at(place))
}
