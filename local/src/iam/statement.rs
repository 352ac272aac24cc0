//! Statements of policies. A statement that allows is taken apart into *grants*: one action on one resource under one
//! value of each condition. Together they allow the same, and each can be counted, and left out, by itself.

use std::fmt;

use super::pattern::{ActionPattern, ArnPattern};
use super::{Condition, PolicyError, Principal, Request};

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows, unless something denies.
    Allow,
    /// Denies, whatever allows.
    Deny,
}

/// What one statement allows, by its place in the template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The logical id of the resource that holds the policy.
    pub policy: String,
    /// The statement's `Sid`, or its place in the policy.
    pub statement: String,
    /// The action, as it is written.
    pub action: String,
    /// The resource, as it is written; empty in a role's trust policy.
    pub resource: String,
    /// The conditions, in words; empty if there are none.
    pub condition: String,
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, statement, action, resource, condition } = self;
        write!(formatter, "{policy}, {statement}: {action}")?;
        if !resource.is_empty() {
            write!(formatter, " on {resource}")?;
        }
        if condition.is_empty() { Ok(()) } else { write!(formatter, " if {condition}") }
    }
}

/// The callers that a resource's policy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// `*`
    Anybody,
    /// AWS services, roles by their ARNs, and accounts.
    These {
        /// For example `events.amazonaws.com`.
        services: Vec<String>,
        /// ARNs.
        roles: Vec<String>,
        /// The ids of accounts whose administrators may let whom they like.
        accounts: Vec<String>,
    },
}

/// A list that a statement matches: anything in it, or with `Not…` anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
struct List<T> {
    negated: bool,
    patterns: Vec<T>,
}

/// A statement, as a policy has it.
#[derive(Debug, Clone)]
pub struct StatementParts {
    /// The logical id of the resource that holds the policy.
    pub policy: String,
    /// Its `Sid`, or its place in the policy.
    pub statement: String,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// `None` in a role's own policy.
    pub principals: Option<Principals>,
    /// `Action`, or `NotAction` if the flag is set.
    pub actions: (bool, Vec<String>),
    /// `Resource`, or `NotResource` if the flag is set; `None` in a role's trust policy.
    pub resources: Option<(bool, Vec<String>)>,
    /// All have to hold.
    pub conditions: Vec<Condition>,
}

/// A statement that can be evaluated. One that allows is a single grant, except with `NotAction` and `NotResource`.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Which it is.
    pub grant: Grant,
    /// Whether it allows or denies.
    pub effect: Effect,
    principals: Option<Principals>,
    actions: List<ActionPattern>,
    resources: Option<List<ArnPattern>>,
    conditions: Vec<Condition>,
}

impl StatementParts {
    /// The statements that it comes to.
    pub fn take_apart(self) -> Result<Vec<Statement>, PolicyError> {
        let split = self.effect == Effect::Allow;
        let actions = List::read(&self.actions, ActionPattern::parse)?;
        let resources =
            self.resources.as_ref().map(|list| List::read(list, ArnPattern::parse)).transpose()?;
        let resources: Vec<_> = match resources {
            Some(list) => list.alternatives(split).into_iter().map(Some).collect(),
            None => vec![None],
        };
        let mut statements = Vec::new();
        for conditions in alternatives(&self.conditions, split) {
            for resources in &resources {
                for actions in actions.alternatives(split) {
                    let (resources, conditions) = (resources.clone(), conditions.clone());
                    let texts: Vec<_> = conditions.iter().map(ToString::to_string).collect();
                    let grant = Grant {
                        policy: self.policy.clone(),
                        statement: self.statement.clone(),
                        action: actions.text(ActionPattern::as_str),
                        resource: resources
                            .as_ref()
                            .map(|list| list.text(ArnPattern::as_str))
                            .unwrap_or_default(),
                        condition: texts.join(" and "),
                    };
                    let principals = self.principals.clone();
                    let effect = self.effect;
                    statements.push(Statement { grant, effect, principals, actions, resources, conditions });
                }
            }
        }
        Ok(statements)
    }
}

/// Every choice of one value for each of the conditions.
fn alternatives(conditions: &[Condition], split: bool) -> Vec<Vec<Condition>> {
    let mut choices = vec![Vec::new()];
    for condition in conditions {
        let values = if split { condition.alternatives() } else { vec![condition.clone()] };
        choices = choices
            .iter()
            .flat_map(|choice: &Vec<Condition>| {
                values.iter().map(|value| choice.iter().chain([value]).cloned().collect())
            })
            .collect();
    }
    choices
}

impl<T: Clone> List<T> {
    fn read(
        (negated, texts): &(bool, Vec<String>),
        parse: impl Fn(&str) -> Result<T, PolicyError>,
    ) -> Result<Self, PolicyError> {
        let patterns = texts.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { negated: *negated, patterns })
    }

    fn alternatives(&self, split: bool) -> Vec<Self> {
        if !split || self.negated {
            return vec![self.clone()];
        }
        let one = |pattern: &T| Self { negated: false, patterns: vec![pattern.clone()] };
        self.patterns.iter().map(one).collect()
    }

    fn matches(&self, matches: impl Fn(&T) -> bool) -> bool {
        self.patterns.iter().any(matches) != self.negated
    }

    fn text(&self, text: impl Fn(&T) -> &str) -> String {
        let texts: Vec<_> = self.patterns.iter().map(text).collect();
        let not = if self.negated { "not " } else { "" };
        format!("{not}{}", texts.join(", "))
    }
}

impl Statement {
    /// Whether it is about this request.
    pub(crate) fn matches(&self, request: &Request<'_>) -> bool {
        self.principals.as_ref().is_none_or(|principals| principals.contain(request.principal))
            && self.actions.matches(|action| action.matches(request.action))
            && self
                .resources
                .as_ref()
                .is_none_or(|list| list.matches(|resource| resource.matches(request.resource)))
            && self.conditions.iter().all(|condition| condition.holds(request))
    }
}

impl Principals {
    fn contain(&self, principal: &Principal) -> bool {
        match (self, principal) {
            (Self::Anybody, _) => true,
            // There is one account here. That it is another's, the template's reader sees to.
            (Self::These { accounts, .. }, Principal::Administrator) => !accounts.is_empty(),
            (Self::These { roles, .. }, Principal::Role { role, .. }) => roles.contains(role),
            (Self::These { services, .. }, Principal::Service { name, .. }) => {
                services.iter().any(|service| service == name)
            }
        }
    }
}
