//! Tells what happens, as the local cloud's services saw it.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

use super::Chapter;
use crate::cloud::LocalCloud;
use crate::lambda::LoggedInvocation;
use crate::streams::{SessionId, Status};

/// Looks at the services' logs again and again, and tells what is new.
pub(super) struct Narrator<'a, T> {
    cloud: &'a LocalCloud,
    tell: T,
    started: Instant,
    names: BTreeMap<String, Chapter>,
    statuses: BTreeMap<String, Status>,
    told_invocations: usize,
    told_events: usize,
}

impl<'a, T: FnMut(String)> Narrator<'a, T> {
    pub(super) fn new(cloud: &'a LocalCloud, tell: T) -> Self {
        Self {
            cloud,
            tell,
            started: Instant::now(),
            names: BTreeMap::new(),
            statuses: BTreeMap::new(),
            told_invocations: 0,
            told_events: 0,
        }
    }

    /// Introduces the sessions.
    pub(super) fn meet(&mut self, sessions: &[(Chapter, SessionId)]) {
        self.started = Instant::now();
        self.told_invocations = self.cloud.lambda.invocations().len();
        self.told_events = self.cloud.bus.log().len();
        for (chapter, session) in sessions {
            self.names.insert(session.id.clone(), *chapter);
            self.say(&format!("session {} starts; its game {}", session.id, chapter.title()));
        }
    }

    /// Tells a step.
    pub(super) fn say(&mut self, step: &str) {
        let seconds = self.started.elapsed().as_secs_f32();
        (self.tell)(format!("{seconds:5.1} s  {step}"));
    }

    /// Tells what is new.
    pub(super) fn look(&mut self) {
        for session in self.cloud.streams.sessions() {
            let id = session.id.id;
            if self.names.contains_key(&id)
                && self.statuses.insert(id.clone(), session.status) != Some(session.status)
            {
                self.tell_status(
                    &id,
                    session.status,
                    session.status_reason.map(|reason| serde_json::json!(reason)),
                );
            }
        }
        let events = self.cloud.bus.log();
        for routed in events.iter().skip(self.told_events) {
            self.tell_event(&routed.event, routed.rules.is_empty());
        }
        self.told_events = events.len();
        let invocations = self.cloud.lambda.invocations();
        for invocation in invocations.iter().skip(self.told_invocations) {
            self.tell_invocation(invocation);
        }
        self.told_invocations = invocations.len();
    }

    fn tell_status(&mut self, id: &str, status: Status, reason: Option<Value>) {
        let game = self.names[id].title();
        match (status, reason) {
            (Status::Active, _) => {
                self.say(&format!("GameLift Streams: {id} is ACTIVE (the game that {game})"));
            }
            (Status::Terminated | Status::Error, Some(reason)) => {
                let reason = reason.as_str().unwrap_or_default();
                self.say(&format!("GameLift Streams: {id} has ended, {reason} (the game that {game})"));
            }
            _ => {}
        }
    }

    fn tell_event(&mut self, event: &Value, is_ignored: bool) {
        match event["detail-type"].as_str() {
            Some("CloudWatch Alarm State Change") if !is_ignored => {
                let (name, state) = (&event["detail"]["alarmName"], &event["detail"]["state"]["value"]);
                let (name, state) = (name.as_str().unwrap_or_default(), state.as_str().unwrap_or_default());
                self.say(&format!("CloudWatch: alarm {name} goes to {state}, no frames come any more"));
            }
            Some("Object Created") if !is_ignored => {
                let object = &event["detail"]["object"];
                let key = object["key"].as_str().unwrap_or_default();
                self.say(&format!("S3: {key} has arrived, {} bytes", object["size"]));
            }
            _ => {}
        }
    }

    fn tell_invocation(&mut self, invocation: &LoggedInvocation) {
        let answer = match &invocation.outcome.result {
            Ok(answer) => answer,
            Err(error) => {
                return self.say(&format!("{}: failed, {}", invocation.function, error.error_message()));
            }
        };
        if let Some(verdict) = answer["verdict"].as_str() {
            let (id, reason) = (&answer["session"]["id"], &answer["reason"]["detail"]);
            let (id, reason) = (id.as_str().unwrap_or_default(), reason.as_str().unwrap_or_default());
            return self.say(&format!("index-export: {id} is {verdict}: {reason}"));
        }
        let trigger = answer["trigger"].as_str().unwrap_or_default();
        for session in answer["sessions"].as_array().into_iter().flatten() {
            let id = session["streamSessionId"].as_str().unwrap_or_default();
            let outcome = session["outcome"].as_str().unwrap_or_default();
            // Of an armed session the detail is the long URI of what will arrive.
            let detail = session["detail"].as_str().filter(|_| outcome != "armed");
            let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
            self.say(&format!("start-export ({trigger}): {id} {outcome}{detail}"));
        }
    }
}
