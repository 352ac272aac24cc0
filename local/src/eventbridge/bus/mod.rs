//! The default event bus.

mod disorder;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::account::Account;
use crate::delivery::{DeliveryError, Mailboxes, Message, Recipient};
use crate::eventbridge::{Rule, Service, Target};
use crate::iam::{Denied, Principal};
use crate::lambda::{InvokeError, Lambda};

use self::disorder::Shuffler;
pub use self::disorder::{Disorder, Lost};

/// Whether schedules run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedules {
    /// Only when [`Bus::fire`] is called.
    ByHand,
    /// By themselves, the first time after one interval.
    Running {
        /// How long a minute of a schedule expression lasts.
        minute: Duration,
    },
}

/// An event that has been on the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutedEvent {
    /// The whole event.
    pub event: Value,
    /// The logical ids of the rules that it matched, or of the one whose schedule it is from.
    pub rules: Vec<String>,
}

/// There is no such rule, it has no schedule, or it is disabled.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no enabled schedule `{0}`")]
pub struct NoSchedule(pub String);

/// The default event bus of the account. Clones are the same bus.
#[derive(Debug, Clone)]
pub struct Bus {
    router: Arc<Router>,
    probes: mpsc::UnboundedSender<oneshot::Sender<bool>>,
    tasks: Arc<Tasks>,
}

/// An event that the bus holds back: see [`Bus::hold`].
#[derive(Debug, Clone)]
pub struct HeldEvent {
    /// The whole event.
    pub event: Value,
    /// The rules that it matched, by their places.
    rules: Vec<usize>,
}

#[derive(Debug)]
struct Router {
    account: Account,
    rules: Vec<Rule>,
    /// Rules that somebody has disabled since, by their names.
    disabled: Mutex<BTreeSet<String>>,
    lambda: Lambda,
    mailboxes: Mailboxes,
    log: Mutex<Vec<RoutedEvent>>,
    shuffler: Shuffler,
    /// Events that are held back, if they are.
    held: Mutex<Option<Vec<HeldEvent>>>,
}

/// Ended with the last clone of the bus.
#[derive(Debug)]
struct Tasks(Vec<AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl Bus {
    /// Begins to route the events of [`crate::account::EventSender`], in their order but for the disorder.
    #[must_use]
    pub fn start(
        account: Account,
        rules: Vec<Rule>,
        events: mpsc::UnboundedReceiver<Value>,
        lambda: Lambda,
        mailboxes: Mailboxes,
        schedules: Schedules,
        disorder: Disorder,
    ) -> Self {
        let shuffler = Shuffler::new(disorder);
        let (disabled, log, held) = (Mutex::default(), Mutex::default(), Mutex::default());
        let router = Arc::new(Router { account, rules, disabled, lambda, mailboxes, log, shuffler, held });
        let (probes, asked) = mpsc::unbounded_channel();
        let mut tasks = vec![tokio::spawn(route(Arc::clone(&router), events, asked)).abort_handle()];
        if let Schedules::Running { minute } = schedules {
            for (index, rule) in router.rules.iter().enumerate() {
                if let Some(rate) = rule.schedule.filter(|_| rule.enabled) {
                    let run = run_schedule(Arc::clone(&router), index, rate.interval(minute));
                    tasks.push(tokio::spawn(run).abort_handle());
                }
            }
        }
        Self { router, probes, tasks: Arc::new(Tasks(tasks)) }
    }

    /// Fires a schedule now, whether or not schedules run. `rule` is a logical id or a name.
    pub fn fire(&self, rule: &str) -> Result<(), NoSchedule> {
        let is_it = |candidate: &&Rule| candidate.logical_id == rule || candidate.name == rule;
        let schedule = |rule: &&Rule| self.is_enabled(rule) && rule.schedule.is_some();
        let is_it = |candidate: &Rule| is_it(&candidate) && schedule(&candidate);
        let index = self.router.rules.iter().position(is_it).ok_or_else(|| NoSchedule(rule.to_owned()))?;
        self.router.fire(index);
        Ok(())
    }

    /// Holds events back from now on that match a rule, schedules' events excepted: whoever holds them decides when, how
    /// often, and in which order they are delivered.
    pub fn hold(&self) {
        self.router.held().get_or_insert_default();
    }

    /// Hands out the events that are held back, in the order in which they came.
    #[must_use]
    pub fn take_held(&self) -> Vec<HeldEvent> {
        self.router.held().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Delivers an event that was held back.
    pub fn deliver(&self, held: &HeldEvent) {
        self.router.deliver_to_all(&held.event, &held.rules);
    }

    /// The rules, enabled or not.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.router.rules
    }

    /// Disables a rule or schedule, as somebody does by hand. `rule` is a logical id or a name.
    pub fn disable(&self, rule: &str) {
        let is_it = |candidate: &&Rule| candidate.logical_id == rule || candidate.name == rule;
        let names = self.rules().iter().filter(is_it).map(|rule| rule.name.clone());
        self.router.disabled.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// Whether a rule matches and fires.
    #[must_use]
    pub fn is_enabled(&self, rule: &Rule) -> bool {
        self.router.is_enabled(rule)
    }

    /// Every event so far, with the rules that it matched.
    #[must_use]
    pub fn log(&self) -> Vec<RoutedEvent> {
        self.router.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until no event is on the bus, none is queued for a function, and no function runs.
    ///
    /// With [`Schedules::Running`] that is a moment between two firings. Events that a service has yet to emit are
    /// unknown here.
    pub async fn settled(&self) {
        loop {
            self.router.lambda.idle().await;
            let (reply, quiet) = oneshot::channel();
            let sent = self.probes.send(reply).is_ok();
            // A bus that was shut down routes nothing any more.
            if !sent || quiet.await.unwrap_or(true) {
                return;
            }
        }
    }

    /// Stops routing and schedules. Functions that run are not stopped: [`Lambda::shut_down`] does that.
    pub fn shut_down(&self) {
        for task in &self.tasks.0 {
            task.abort();
        }
    }
}

/// Routes events as they come. A probe asks whether nothing is going on, once everything sent before it was routed.
async fn route(
    router: Arc<Router>,
    mut events: mpsc::UnboundedReceiver<Value>,
    mut probes: mpsc::UnboundedReceiver<oneshot::Sender<bool>>,
) {
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => router.route(event),
            Some(probe) = probes.recv() => {
                let quiet = events.is_empty() && router.lambda.activity().is_idle();
                probe.send(quiet).ok();
            }
            else => return,
        }
    }
}

async fn run_schedule(router: Arc<Router>, rule: usize, interval: Duration) {
    let mut ticks = interval_at(tokio::time::Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if router.is_enabled(&router.rules[rule]) {
            router.fire(rule);
        }
    }
}

/// Why an event did not reach its target, in the words of a dead letter.
#[derive(Debug)]
struct Undelivered {
    code: &'static str,
    error: String,
}

impl Undelivered {
    fn failed(error: String) -> Self {
        Self { code: "SDK_CLIENT_ERROR", error }
    }

    fn denied(error: &Denied) -> Self {
        Self { code: "NO_PERMISSIONS", error: error.to_string() }
    }
}

impl From<InvokeError> for Undelivered {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Denied(denied) => Self::denied(&denied),
            InvokeError::NoSuchFunction(_) => Self { code: "NO_RESOURCE", error: error.to_string() },
            _ => Self::failed(error.to_string()),
        }
    }
}

impl From<DeliveryError> for Undelivered {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Denied(denied) => Self::denied(&denied),
            DeliveryError::NoRecipient(_) => Self { code: "NO_RESOURCE", error: error.to_string() },
        }
    }
}

/// "You can't use Condition blocks in Amazon SNS topic policies for EventBridge": a topic is not told for which rule
/// EventBridge publishes (EventBridge user guide, "Troubleshooting").
fn without_source(principal: Principal) -> Principal {
    match principal {
        Principal::Service { name, .. } => Principal::Service { name, source: String::new() },
        other => other,
    }
}

impl Router {
    fn is_enabled(&self, rule: &Rule) -> bool {
        let disabled = self.disabled.lock().unwrap_or_else(PoisonError::into_inner);
        rule.enabled && !disabled.contains(&rule.name)
    }

    fn route(self: &Arc<Self>, event: Value) {
        let matches =
            |rule: &Rule| self.is_enabled(rule) && rule.pattern.as_ref().is_some_and(|it| it.matches(&event));
        let rules: Vec<_> = (0..self.rules.len()).filter(|index| matches(&self.rules[*index])).collect();
        if !rules.is_empty()
            && let Some(held) = &mut *self.held()
        {
            return held.push(HeldEvent { event, rules });
        }
        self.give(event, rules);
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<HeldEvent>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A schedule's event goes to the schedule's own targets; it never is on the bus.
    fn fire(self: &Arc<Self>, rule: usize) {
        self.give(self.scheduled_event(&self.rules[rule]), vec![rule]);
    }

    /// Delivers an event for some rules, by their places: now, or whenever the disorder has it.
    fn give(self: &Arc<Self>, event: Value, rules: Vec<usize>) {
        if !rules.is_empty() {
            let text = |field: &str| event[field].as_str().unwrap_or_default();
            for late in self.shuffler.deliveries(text("source"), text("detail-type")) {
                self.deliver_after(late, &event, &rules);
            }
        }
        let rules = rules.into_iter().map(|rule| self.rules[rule].logical_id.clone()).collect();
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(RoutedEvent { event, rules });
    }

    fn deliver_after(self: &Arc<Self>, late: Duration, event: &Value, rules: &[usize]) {
        if late.is_zero() {
            return self.deliver_to_all(event, rules);
        }
        // Until then, nobody may think that the bus is empty.
        let busy = self.lambda.activity().begin();
        let (router, event, rules) = (Arc::clone(self), event.clone(), rules.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep(late).await;
            router.deliver_to_all(&event, &rules);
            drop(busy);
        });
    }

    fn deliver_to_all(&self, event: &Value, rules: &[usize]) {
        for rule in rules.iter().map(|rule| &self.rules[*rule]) {
            for target in &rule.targets {
                self.deliver(event, rule, target);
            }
        }
    }

    fn deliver(&self, event: &Value, rule: &Rule, target: &Target) {
        let body = target.input.of(event);
        let principal = rule.principal();
        let delivered = match &target.recipient {
            Recipient::Function(arn) => {
                let payload = serde_json::from_str(&body).unwrap_or(Value::String(body));
                self.lambda.invoke_async_as(&principal, arn, payload).map(drop).map_err(Undelivered::from)
            }
            Recipient::Queue(arn) => {
                let sent = self.mailboxes.deliver_as(&principal, arn, Message::new(body));
                sent.map_err(Undelivered::from)
            }
            Recipient::Topic(arn) => {
                let sent = self.mailboxes.deliver_as(&without_source(principal), arn, Message::new(body));
                sent.map_err(Undelivered::from)
            }
            Recipient::EventBus(_) => {
                Err(Undelivered::failed("a rule's target cannot be the bus itself".into()))
            }
        };
        if let Err(undelivered) = delivered {
            self.dead_letter(event, rule, target, &undelivered);
        }
    }

    /// The event as it was, and why it was not delivered: attributes from
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>.
    fn dead_letter(&self, event: &Value, rule: &Rule, target: &Target, undelivered: &Undelivered) {
        let Undelivered { code, error } = undelivered;
        tracing::error!(
            rule = rule.logical_id,
            target = target.recipient.arn(),
            error,
            "cannot deliver an event"
        );
        let Some(queue) = &target.dead_letter_queue else { return };
        let attributes = [
            ("ERROR_CODE", *code),
            ("ERROR_MESSAGE", error),
            ("RETRY_ATTEMPTS", "0"),
            ("RULE_ARN", rule.arn.as_str()),
            ("TARGET_ARN", target.recipient.arn()),
        ];
        let message = Message {
            body: event.to_string(),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        };
        if let Err(error) = self.mailboxes.deliver_as(&rule.principal(), queue, message) {
            tracing::error!(rule = rule.logical_id, %error, "cannot keep an undelivered event");
        }
    }

    /// EventBridge's and EventBridge Scheduler's own events.
    fn scheduled_event(&self, rule: &Rule) -> Value {
        let (source, detail) = match &rule.service {
            Service::Rules => ("aws.events", json!({})),
            Service::Scheduler { .. } => ("aws.scheduler", json!("{}")),
        };
        json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "Scheduled Event",
            "source": source,
            "account": self.account.id,
            "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.account.region,
            "resources": [rule.arn],
            "detail": detail,
        })
    }
}
