//! Everything that a name in a template can stand for.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{Problem, TemplateError};
use super::kinds;
use super::node::scalar_text;
use crate::account::Account;

/// A resource as the template declares it, its intrinsic functions not yet evaluated.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    /// For example `AWS::SQS::Queue`.
    pub(super) kind: String,
    /// The condition under which it exists.
    pub(super) condition: Option<String>,
    /// Its properties, a map.
    pub(super) properties: Value,
    /// Its metadata, a map or null.
    pub(super) metadata: Value,
}

/// The names of one stack: pseudo parameters, parameters, mappings, conditions and resources.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) stack: &'a str,
    pub(super) account: &'a Account,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) mappings: Value,
    pub(super) conditions: Map<String, Value>,
    pub(super) resources: BTreeMap<String, Declared>,
    /// What is being worked out, so that a circle is noticed.
    pub(super) pending: RefCell<Vec<String>>,
}

impl Scope<'_> {
    /// What `Ref` gives; `None` is `AWS::NoValue`.
    pub(super) fn reference(&self, place: &str, name: &str) -> Result<Option<Value>, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        let value = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => self.account.id.clone(),
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => self.account.region.clone(),
            "AWS::StackId" => self.account.arn("cloudformation", &format!("stack/{}/local", self.stack)),
            "AWS::StackName" => self.stack.to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            _ => self.attribute(place, name, "Ref")?,
        };
        Ok(Some(Value::from(value)))
    }

    /// What `Fn::GetAtt` gives, or `Ref` of a resource.
    pub(super) fn attribute(
        &self,
        place: &str,
        resource: &str,
        attribute: &str,
    ) -> Result<String, TemplateError> {
        let declared = self.existing(place, resource)?;
        let form = kinds::find(&declared.kind).and_then(|kind| kind.value(attribute)).ok_or_else(|| {
            Problem::UnknownAttribute {
                resource: resource.to_owned(),
                kind: declared.kind.clone(),
                attribute: attribute.to_owned(),
            }
            .at(place)
        })?;
        Ok(form
            .replace("{region}", &self.account.region)
            .replace("{account}", &self.account.id)
            .replace("{name}", &self.physical_name(place, resource)?))
    }

    /// The name that the resource has in its service.
    pub(super) fn physical_name(&self, place: &str, resource: &str) -> Result<String, TemplateError> {
        let declared = self.existing(place, resource)?;
        let Some(kind) = kinds::find(&declared.kind) else {
            return Err(Problem::Unresolved(resource.to_owned()).at(place));
        };
        let given = kind.name.iter().try_fold(&declared.properties, |value, key| value.get(key));
        let given = match given {
            Some(value) => self.once(place, resource, |place| self.resolve(place, value))?,
            None => None,
        };
        match given {
            Some(name) => scalar_text(&name).ok_or_else(|| Problem::expected("a name", &name).at(place)),
            None => Ok(kind.generated_name(self.stack, resource)),
        }
    }

    /// The resource, unless its condition is false.
    fn existing(&self, place: &str, resource: &str) -> Result<&Declared, TemplateError> {
        match self.resources.get(resource) {
            Some(declared) if self.exists(declared)? => Ok(declared),
            _ => Err(Problem::Unresolved(resource.to_owned()).at(place)),
        }
    }

    /// Whether the resource's condition holds.
    pub(super) fn exists(&self, declared: &Declared) -> Result<bool, TemplateError> {
        declared.condition.as_ref().map_or(Ok(true), |condition| self.condition("Resources", condition))
    }

    /// Works something out, unless that is what is being done already.
    pub(super) fn once<T>(
        &self,
        place: &str,
        name: &str,
        work: impl FnOnce(&str) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.pending.borrow().iter().any(|pending| pending == name) {
            return Err(Problem::Circular(name.to_owned()).at(place));
        }
        self.pending.borrow_mut().push(name.to_owned());
        let result = work(place);
        self.pending.borrow_mut().pop();
        result
    }
}
