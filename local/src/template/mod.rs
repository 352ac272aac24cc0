//! `template.yaml`, read and resolved as SAM and CloudFormation would: what the template says is what runs.
//!
//! In order: `yaml` turns short tags into long forms, `parameters` get their values, `sam` turns functions and
//! their events into the resources that CloudFormation sees, `intrinsics` and `conditions` are evaluated in their
//! `scope`, with what `kinds` knows of each type; then `functions`, `rules`, `policies` and the rest of the
//! `stack` are read. What none of them knows is an error that names the place.

mod buckets;
mod conditions;
mod error;
mod functions;
mod intrinsics;
mod kinds;
mod node;
mod parameters;
mod policies;
mod rules;
mod sam;
mod scope;
mod stack;
mod substitute;
mod tables;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use error::{Problem, TemplateError};
pub use stack::{Bucket, Mailbox, Stack, StackResource, Table};

use crate::account::Account;

/// A template, read but not yet resolved.
#[derive(Debug, Clone)]
pub struct Template {
    document: Value,
}

/// What a stack is made with.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// The stack's name, with which the names of its resources begin.
    pub name: String,
    /// Where it is deployed.
    pub account: Account,
    /// Values for the template's parameters; the others have their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Template {
    /// Reads a template, in YAML or JSON.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        yaml::parse(text).map(|document| Self { document })
    }

    /// Reads a template file.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problem::from(error).at(path.display().to_string()))?;
        Self::parse(&text)
    }

    /// What the template comes to.
    pub fn resolve(&self, options: &StackOptions) -> Result<Stack, TemplateError> {
        Stack::of(&self.document, options)
    }
}
