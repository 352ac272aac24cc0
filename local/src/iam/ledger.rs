//! What was used of the policies, and what they did not allow.

use std::collections::BTreeMap;
use std::fmt;

use super::pattern::{ActionPattern, ArnPattern};
use super::{Denied, Grant, Principal};

/// The uses of all grants, and all refusals.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// How often each grant was used, by whom.
    pub grants: BTreeMap<Grant, BTreeMap<String, u64>>,
    /// The calls that were not allowed, each once, in the order in which they came first.
    pub refusals: Vec<Refusal>,
}

/// A call that was not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller was told.
    pub denied: Denied,
    /// How often.
    pub times: u64,
}

impl Ledger {
    pub(super) fn of(grants: impl Iterator<Item = Grant>) -> Self {
        Self { grants: grants.map(|grant| (grant, BTreeMap::new())).collect(), refusals: Vec::new() }
    }

    pub(super) fn count(&mut self, grant: &Grant, principal: &Principal) {
        let users = self.grants.entry(grant.clone()).or_default();
        *users.entry(principal.to_string()).or_default() += 1;
    }

    pub(super) fn refuse(&mut self, denied: &Denied) {
        match self.refusals.iter_mut().find(|refusal| refusal.denied == *denied) {
            Some(refusal) => refusal.times += 1,
            None => self.refusals.push(Refusal { denied: denied.clone(), times: 1 }),
        }
    }

    /// The grants that nothing used: too much is granted, or an action or resource is misspelt.
    pub fn unused(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|(_, users)| users.is_empty()).map(|(grant, _)| grant)
    }

    /// Adds what another cloud of the same template has seen.
    pub fn add(&mut self, other: Self) {
        for (grant, users) in other.grants {
            let known = self.grants.entry(grant).or_default();
            for (user, times) in users {
                *known.entry(user).or_default() += times;
            }
        }
        for Refusal { denied, times } in other.refusals {
            match self.refusals.iter_mut().find(|refusal| refusal.denied == denied) {
                Some(refusal) => refusal.times += times,
                None => self.refusals.push(Refusal { denied, times }),
            }
        }
    }
}

impl Grant {
    /// Whether the refused call is of an action on a resource that this grant names, whoever called.
    #[must_use]
    pub fn names(&self, denied: &Denied) -> bool {
        let action = ActionPattern::parse(&self.action).is_ok_and(|it| it.matches(&denied.action));
        let resource = ArnPattern::parse(&self.resource).is_ok_and(|it| it.matches(&denied.resource));
        action && (resource || self.resource.is_empty())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({} times)", self.denied, self.times)
    }
}
