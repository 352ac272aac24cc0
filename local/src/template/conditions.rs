//! Conditions.

use serde_json::Value;

use super::error::{Problem, TemplateError};
use super::intrinsics::{arguments, literal};
use super::scope::Scope;

impl Scope<'_> {
    /// Whether the named condition holds.
    pub(super) fn condition(&self, place: &str, name: &str) -> Result<bool, TemplateError> {
        let expression =
            self.conditions.get(name).ok_or_else(|| Problem::Unresolved(name.to_owned()).at(place))?;
        self.once(place, &format!("Conditions.{name}"), |_| {
            self.holds(&format!("Conditions.{name}"), expression)
        })
    }

    fn holds(&self, place: &str, expression: &Value) -> Result<bool, TemplateError> {
        let call = expression.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let Some((function, argument)) = call else {
            return Err(Problem::expected("a condition function", expression).at(place));
        };
        let place = &format!("{place}.{function}");
        match function.as_str() {
            "Condition" => self.condition(place, literal(place, "Condition", argument)?),
            "Fn::Equals" => {
                let [left, right] = arguments(place, "Fn::Equals", "[value, value]", argument)?;
                Ok(self.text(place, left)? == self.text(place, right)?)
            }
            "Fn::Not" => {
                let [condition] = arguments(place, "Fn::Not", "[condition]", argument)?;
                Ok(!self.holds(place, condition)?)
            }
            "Fn::And" => {
                let all = self.several(place, "Fn::And", argument)?;
                Ok(all.into_iter().all(|holds| holds))
            }
            "Fn::Or" => {
                let all = self.several(place, "Fn::Or", argument)?;
                Ok(all.into_iter().any(|holds| holds))
            }
            _ => Err(Problem::UnknownIntrinsic(function.clone()).at(place)),
        }
    }

    /// Two to ten conditions. All are evaluated, so that a mistake in any is found.
    fn several(
        &self,
        place: &str,
        function: &'static str,
        argument: &Value,
    ) -> Result<Vec<bool>, TemplateError> {
        let items = argument.as_array().filter(|items| (2..=10).contains(&items.len()));
        let items = items
            .ok_or_else(|| Problem::Arguments { function, expected: "two to ten conditions" }.at(place))?;
        items.iter().map(|item| self.holds(place, item)).collect()
    }
}
