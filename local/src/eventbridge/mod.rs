//! EventBridge: rules that route events to functions, queues and topics, and schedules.
//!
//! - [`pattern`]: event patterns, with the semantics of AWS's event-ruler
//! - [`schedule`]: schedule expressions
//! - [`input`]: what a target gets of an event
//! - [`transformer`]: texts that are made of an event's parts
//! - [`bus`]: the default event bus, where all of them meet

pub mod bus;
pub mod input;
pub mod pattern;
pub mod schedule;
pub mod transformer;

pub use bus::{Bus, Disorder, HeldEvent, Lost, RoutedEvent, Schedules};
pub use input::{Input, InputError};
pub use pattern::{Pattern, PatternError};
pub use schedule::{Rate, ScheduleError};
pub use transformer::Transformer;

use crate::delivery::Recipient;
use crate::iam::Principal;

/// A rule of the default event bus, or a schedule of EventBridge Scheduler.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in EventBridge.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// A disabled rule matches nothing and never fires.
    pub enabled: bool,
    /// The events that it matches.
    pub pattern: Option<Pattern>,
    /// When it fires by itself.
    pub schedule: Option<Rate>,
    /// Which service runs it.
    pub service: Service,
    /// Who gets the events.
    pub targets: Vec<Target>,
}

/// The service that a rule belongs to; their schedules' events differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// EventBridge: `AWS::Events::Rule`. The targets' own policies say what it may do.
    Rules,
    /// EventBridge Scheduler: `AWS::Scheduler::Schedule`.
    Scheduler {
        /// The ARN of the role that says what it may do.
        role: String,
    },
}

impl Rule {
    /// As whom the service acts for this rule.
    pub(crate) fn principal(&self) -> Principal {
        match &self.service {
            Service::Rules => Principal::Service { name: "events.amazonaws.com", source: self.arn.clone() },
            Service::Scheduler { role } => Principal::Role { role: role.clone(), session: self.name.clone() },
        }
    }
}

/// Who gets a rule's events.
#[derive(Debug, Clone)]
pub struct Target {
    /// Unique within the rule.
    pub id: String,
    /// A function, queue or topic.
    pub recipient: Recipient,
    /// What it gets of the event.
    pub input: Input,
    /// The queue that gets events which could not be delivered.
    pub dead_letter_queue: Option<String>,
}
