//! The stack's roles and policies, put into force.

use std::collections::BTreeMap;

use super::{LocalCloud, Options, StartError};
use crate::eventbridge;
use crate::iam::{Attachment, Denied, Effect, Holder, Iam, PolicyError, Principal, StatementParts};
use crate::lambda::Credentials;
use crate::template::Stack;

/// The stack's policies, as far as they are wanted. Functions and schedules get their roles.
pub(super) fn enforce(stack: &mut Stack, options: &Options) -> Result<Iam, StartError> {
    for grant in &options.without {
        let before = stack.policies.len();
        stack.policies.retain(|attachment| attachment.statement.grant != *grant);
        if stack.policies.len() == before {
            return Err(StartError::NoSuchGrant(grant.clone()));
        }
    }
    let iam = Iam::new(stack.policies.clone(), options.plain_http);
    let assume = |role: &str, logical_id: &str, name, source: &str| {
        let service = Principal::Service { name, source: source.to_owned() };
        let assumed = iam.authorize(&service, "sts:AssumeRole", role, &[]);
        assumed.map_err(|denied| StartError::Role(logical_id.to_owned(), denied))
    };
    for function in &stack.functions {
        assume(&function.role, &function.logical_id, "lambda.amazonaws.com", &function.arn)?;
        iam.know(&function.credentials.access_key_id, function.principal());
    }
    for rule in &stack.rules {
        if let eventbridge::Service::Scheduler { role } = &rule.service {
            assume(role, &rule.logical_id, "scheduler.amazonaws.com", &rule.arn)?;
        }
    }
    Ok(iam)
}

impl LocalCloud {
    /// The environment of somebody of the account who has assumed the role of this logical id, which has to trust the account.
    pub fn assume(&self, role: &str) -> Result<BTreeMap<String, String>, Denied> {
        let arn = self.stack.roles.get(role).cloned().unwrap_or_else(|| role.to_owned());
        self.iam.authorize(&Principal::Administrator, "sts:AssumeRole", &arn, &[])?;
        Ok(self.enter(arn))
    }

    /// The environment of somebody of the account who may do these actions on these resources, and nothing else: he is in a role of
    /// his own, which the stack does not have. Both may have wildcards.
    pub fn permit(&self, grants: &[(&str, &str)]) -> Result<BTreeMap<String, String>, PolicyError> {
        let id = &self.account.id;
        let role = format!("arn:aws:iam::{id}:role/somebody-{:08x}", fastrand::u32(..));
        for (action, resource) in grants {
            self.attach(&role, "grant", Effect::Allow, action, resource)?;
        }
        Ok(self.enter(role))
    }

    fn enter(&self, role: String) -> BTreeMap<String, String> {
        let credentials = Credentials::random();
        let session = "somebody".to_owned();
        self.iam.know(&credentials.access_key_id, Principal::Role { role, session });
        self.s3.allow(&credentials.access_key_id, &credentials.secret_access_key);
        self.environment(&credentials)
    }

    /// Denies an action on a resource to the role of the function of this logical id, whatever the template grants, from
    /// now on. Action and resource may have wildcards.
    pub fn deny(&self, name: &str, action: &str, resource: &str) -> Result<(), PolicyError> {
        let function = self.stack.functions.iter().find(|candidate| candidate.logical_id == name);
        let role = function.ok_or_else(|| PolicyError::Principal(name.to_owned()))?.role.clone();
        self.attach(&role, "denial", Effect::Deny, action, resource)
    }

    fn attach(
        &self,
        role: &str,
        statement: &str,
        effect: Effect,
        action: &str,
        resource: &str,
    ) -> Result<(), PolicyError> {
        let parts = StatementParts {
            policy: role.rsplit('/').next().unwrap_or(role).to_owned(),
            statement: statement.to_owned(),
            effect,
            principals: None,
            actions: (false, vec![action.to_owned()]),
            resources: Some((false, vec![resource.to_owned()])),
            conditions: Vec::new(),
        };
        for statement in parts.take_apart()? {
            self.iam.attach(Attachment { holder: Holder::Role(role.to_owned()), statement });
        }
        Ok(())
    }
}
