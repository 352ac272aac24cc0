//! IAM: who may do what, as the template's policies say.
//!
//! A call is allowed if a statement grants it and none denies it. Grants come from the policies of the caller's role, or
//! from the policy of the resource (a bucket's, queue's or topic's, a function's permissions, a role's trust); denials
//! from either. Whoever is no function, no AWS service and in no role comes from outside and is an administrator: nothing but a
//! denial stops him, and roles that do not trust the account. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
//!
//! What a policy holds that is not known here is an error at deployment, so that nothing is allowed by oversight. Each
//! use of a grant and each refusal is in the [`Ledger`].
//!
//! - [`statement`]: statements, taken apart into grants of one action on one resource each
//! - [`pattern`], [`condition`]: what a statement matches
//! - [`ledger`]: what was used, and what was refused
//!
//! Not here: session policies, permission boundaries, organizations' policies, KMS keys, other accounts, policy variables.

pub mod condition;
pub mod ledger;
pub mod pattern;
pub mod statement;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use self::condition::Condition;
pub use self::ledger::{Ledger, Refusal};
pub use self::pattern::{ActionPattern, ArnPattern};
pub use self::statement::{Effect, Grant, Principals, Statement, StatementParts};

/// Something in a policy that IAM refuses, or that the local cloud does not evaluate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Neither `*` nor `service:Name`.
    #[error("`{0}` is no action: expected service:Name, or *")]
    Action(String),
    /// Neither `*` nor an ARN.
    #[error("`{0}` is no resource: expected an ARN of six parts, or *")]
    Resource(String),
    /// An operator that nobody would evaluate.
    #[error("the local cloud does not evaluate the condition operator `{0}`")]
    Operator(String),
    /// A condition key that no request here would carry.
    #[error("the local cloud does not know the condition key `{0}`")]
    Key(String),
    /// `${…}` in a policy.
    #[error("the local cloud does not fill in policy variables: `{0}`")]
    Variable(String),
    /// A principal that nobody here could be.
    #[error(
        "the local cloud does not know the principal `{0}`: expected *, the ARN of a role, a service, or this account"
    )]
    Principal(String),
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Somebody from outside of the stack.
    Administrator,
    /// A function, in the name of its role; or somebody who has assumed one.
    Role {
        /// The role's ARN.
        role: String,
        /// The session's name: the function's.
        session: String,
    },
    /// An AWS service of its own accord.
    Service {
        /// For example `events.amazonaws.com`.
        name: &'static str,
        /// The resource on whose behalf it acts: `aws:SourceArn`.
        source: String,
    },
}

impl fmt::Display for Principal {
    /// As in AWS's messages: `User: arn:aws:sts::111122223333:assumed-role/role/function`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrator => formatter.write_str("User: an administrator"),
            Self::Role { role, session } => {
                let account = role.split(':').nth(4).unwrap_or_default();
                let name = role.rsplit('/').next().unwrap_or_default();
                write!(formatter, "User: arn:aws:sts::{account}:assumed-role/{name}/{session}")
            }
            Self::Service { name, source } => write!(formatter, "Service: {name} for {source}"),
        }
    }
}

/// A call that is not allowed. Its text is AWS's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{who} is not authorized to perform: {action} on resource: {resource} {because}")]
pub struct Denied {
    /// Who called, in AWS's words.
    pub who: String,
    /// For example `s3:GetObject`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Why, in AWS's words.
    pub because: String,
}

/// What a statement applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The role of this ARN: the statement is about what its sessions do.
    Role(String),
    /// The resource of this ARN: the statement is about what is done to it, or to what is in it.
    Resource(String),
}

/// A statement where it applies.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// To what it is attached.
    pub holder: Holder,
    /// What it says.
    pub statement: Statement,
}

/// A call, with everything that conditions can ask for.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    /// Condition keys in lower case, as their case does not matter.
    pub(crate) context: BTreeMap<String, String>,
}

/// The account's policies. Clones are the same. The default lets everybody do everything.
#[derive(Debug, Clone, Default)]
pub struct Iam {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    attachments: RwLock<Vec<Attachment>>,
    /// The functions' principals, by their access keys.
    principals: RwLock<HashMap<String, Principal>>,
    is_enforced: bool,
    plain_http: bool,
    ledger: Mutex<Ledger>,
}

impl Iam {
    /// These policies. Requests on the loopback interface count as sent over TLS (`aws:SecureTransport`), unless
    /// `plain_http` says that they count as what they are.
    #[must_use]
    pub fn new(attachments: Vec<Attachment>, plain_http: bool) -> Self {
        let grants = attachments.iter().map(|attachment| &attachment.statement);
        let grants = grants.filter(|statement| statement.effect == Effect::Allow);
        let ledger = Mutex::new(Ledger::of(grants.map(|statement| statement.grant.clone())));
        let attachments = RwLock::new(attachments);
        let inner = Inner { attachments, is_enforced: true, plain_http, ledger, ..Inner::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Lets everything that is signed with this access key be done in the name of a principal.
    pub fn know(&self, access_key_id: &str, principal: Principal) {
        let mut principals = self.inner.principals.write().unwrap_or_else(PoisonError::into_inner);
        principals.insert(access_key_id.to_owned(), principal);
    }

    /// Whose access key this is.
    #[must_use]
    pub fn principal(&self, access_key_id: &str) -> Principal {
        let principals = self.inner.principals.read().unwrap_or_else(PoisonError::into_inner);
        principals.get(access_key_id).cloned().unwrap_or(Principal::Administrator)
    }

    /// Attaches one more statement.
    pub fn attach(&self, attachment: Attachment) {
        let mut attachments = self.inner.attachments.write().unwrap_or_else(PoisonError::into_inner);
        attachments.push(attachment);
    }

    /// Whether the principal may do this, and the ledger's entry about it. `context` holds the condition keys that the
    /// service knows of; those of every request are added.
    pub fn authorize(
        &self,
        principal: &Principal,
        action: &str,
        resource: &str,
        context: &[(&str, &str)],
    ) -> Result<(), Denied> {
        if !self.inner.is_enforced {
            return Ok(());
        }
        let context = self.context(principal, context);
        let request = Request { principal, action, resource, context };
        let attachments = self.inner.attachments.read().unwrap_or_else(PoisonError::into_inner);
        let matching: Vec<_> = attachments.iter().filter(|attachment| attachment.matches(&request)).collect();
        // Into a role comes only whom the role trusts.
        let is_trust = action == "sts:AssumeRole";
        let because = match matching.iter().find(|it| it.statement.effect == Effect::Deny) {
            Some(Attachment { holder: Holder::Role(_), .. }) => {
                "with an explicit deny in an identity-based policy".to_owned()
            }
            Some(Attachment { holder: Holder::Resource(_), .. }) => {
                "with an explicit deny in a resource-based policy".to_owned()
            }
            None if *principal == Principal::Administrator && matching.is_empty() && !is_trust => {
                return Ok(());
            }
            None if matching.is_empty() => match principal {
                Principal::Service { .. } => {
                    format!("because no resource-based policy allows the {action} action")
                }
                _ => format!("because no identity-based policy allows the {action} action"),
            },
            None => {
                let mut ledger = self.ledger_mut();
                for attachment in matching {
                    ledger.count(&attachment.statement.grant, principal);
                }
                return Ok(());
            }
        };
        let denied =
            Denied { who: principal.to_string(), action: action.into(), resource: resource.into(), because };
        self.ledger_mut().refuse(&denied);
        Err(denied)
    }

    /// What was used and what was refused so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger_mut().clone()
    }

    fn context(&self, principal: &Principal, context: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut context: BTreeMap<String, String> =
            context.iter().map(|(key, value)| (key.to_lowercase(), (*value).to_owned())).collect();
        let mut add = |key: &str, value: &str| context.insert(key.to_lowercase(), value.to_owned());
        add("aws:SecureTransport", if self.inner.plain_http { "false" } else { "true" });
        match principal {
            Principal::Administrator => {}
            Principal::Role { role, .. } => {
                add("aws:PrincipalArn", role);
                add("aws:PrincipalAccount", role.split(':').nth(4).unwrap_or_default());
            }
            Principal::Service { source, .. } => {
                add("aws:SourceArn", source);
                add("aws:SourceAccount", source.split(':').nth(4).unwrap_or_default());
            }
        }
        context
    }

    fn ledger_mut(&self) -> MutexGuard<'_, Ledger> {
        self.inner.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attachment {
    fn matches(&self, request: &Request<'_>) -> bool {
        let applies = match &self.holder {
            Holder::Role(arn) => {
                matches!(request.principal, Principal::Role { role, .. } if role == arn)
            }
            Holder::Resource(arn) => arn == owner(request.resource),
        };
        applies && self.statement.matches(request)
    }
}

/// The resource whose policy counts: an object's is its bucket's.
fn owner(resource: &str) -> &str {
    match resource.strip_prefix("arn:aws:s3:::").and_then(|path| path.split_once('/')) {
        Some((_, key)) => &resource[..resource.len() - key.len() - 1],
        None => resource,
    }
}
