//! The events of a function, as the rules and schedules that SAM makes of them.

use serde_json::{Map, Value, json};

use super::{Expansion, Function};
use crate::template::error::{Problem, TemplateError};
use crate::template::node::Node;

const COMMON: [&str; 5] = ["DeadLetterConfig", "Enabled", "Input", "RetryPolicy", "State"];

impl Expansion {
    pub(super) fn event(
        &mut self,
        function: &Function<'_>,
        name: &str,
        event: &Node<'_>,
    ) -> Result<(), TemplateError> {
        event.only(&[&["Properties", "Type"]])?;
        let kind = event.require("Type")?;
        let properties = event.require("Properties")?;
        let id = format!("{}{name}", function.id);
        match kind.string()?.as_str() {
            "CloudWatchEvent" | "EventBridgeRule" => self.pattern(function, id, &properties),
            "Schedule" => self.schedule(function, id, &properties),
            "ScheduleV2" => self.schedule_v2(function, id, &properties),
            _ => Err(kind.fail(Problem::Unsupported(
                "the local cloud knows events of the types EventBridgeRule, CloudWatchEvent, Schedule and ScheduleV2",
            ))),
        }
    }

    fn pattern(
        &mut self,
        function: &Function<'_>,
        id: String,
        properties: &Node<'_>,
    ) -> Result<(), TemplateError> {
        properties.only(&[
            &COMMON,
            &["EventBusName", "InputPath", "InputTransformer", "Pattern", "RuleName", "Target"],
        ])?;
        let mut rule = renamed(properties, &[("EventBusName", "EventBusName"), ("RuleName", "Name")])?;
        rule.insert("EventPattern".into(), properties.require("Pattern")?.value.clone());
        self.rule(function, id, properties, rule)
    }

    fn schedule(
        &mut self,
        function: &Function<'_>,
        id: String,
        properties: &Node<'_>,
    ) -> Result<(), TemplateError> {
        properties.only(&[&COMMON, &["Description", "Name", "RuleName", "Schedule"]])?;
        let mut rule = renamed(properties, &[("Description", "Description"), ("Name", "Name")])?;
        rule.insert("ScheduleExpression".into(), properties.require("Schedule")?.value.clone());
        self.rule(function, id, properties, rule)
    }

    fn rule(
        &mut self,
        function: &Function<'_>,
        id: String,
        properties: &Node<'_>,
        mut rule: Map<String, Value>,
    ) -> Result<(), TemplateError> {
        rule.extend(state(properties)?);
        rule.insert("Targets".into(), json!([self.target(function, &id, properties)?]));
        self.permission(function, &id)?;
        self.generate(function, id, "AWS::Events::Rule", Value::Object(rule))
    }

    fn schedule_v2(
        &mut self,
        function: &Function<'_>,
        id: String,
        properties: &Node<'_>,
    ) -> Result<(), TemplateError> {
        properties.only(&[
            &COMMON,
            &["Description", "FlexibleTimeWindow", "GroupName", "Name", "OmitName", "RoleArn"],
            &["ScheduleExpression", "ScheduleExpressionTimezone"],
        ])?;
        let mut schedule = renamed(
            properties,
            &[("Description", "Description"), ("GroupName", "GroupName"), ("Name", "Name")],
        )?;
        schedule.extend(state(properties)?);
        schedule.insert("ScheduleExpression".into(), properties.require("ScheduleExpression")?.value.clone());
        let omit_name = properties.get("OmitName")?.map_or(Ok(false), |omit| omit.boolean())?;
        if !omit_name {
            schedule.entry("Name").or_insert_with(|| json!(id));
        }
        let mut target = self.target(function, &id, properties)?;
        target["RoleArn"] = match properties.get("RoleArn")? {
            Some(role) => role.value.clone(),
            None => self.schedule_role(function, &id, target["DeadLetterConfig"].get("Arn"))?,
        };
        schedule.insert("Target".into(), target);
        self.generate(function, id, "AWS::Scheduler::Schedule", Value::Object(schedule))
    }

    fn target(
        &mut self,
        function: &Function<'_>,
        id: &str,
        properties: &Node<'_>,
    ) -> Result<Value, TemplateError> {
        let mut target = renamed(
            properties,
            &[
                ("Input", "Input"),
                ("InputPath", "InputPath"),
                ("InputTransformer", "InputTransformer"),
                ("RetryPolicy", "RetryPolicy"),
            ],
        )?;
        target.insert("Arn".into(), json!({"Fn::GetAtt": [function.id, "Arn"]}));
        target.insert("Id".into(), json!(format!("{id}LambdaTarget")));
        if let Some(config) = properties.get("DeadLetterConfig")? {
            let queue = self.dead_letter_queue(function, id, &config)?;
            target.insert("DeadLetterConfig".into(), json!({"Arn": queue}));
        }
        Ok(Value::Object(target))
    }

    /// The given queue's ARN, or that of the queue that SAM makes.
    fn dead_letter_queue(
        &mut self,
        function: &Function<'_>,
        id: &str,
        config: &Node<'_>,
    ) -> Result<Value, TemplateError> {
        config.only(&[&["Arn", "QueueLogicalId", "Type"]])?;
        match (config.get("Arn")?, config.get("Type")?) {
            (Some(arn), None) => Ok(arn.value.clone()),
            (None, Some(kind)) if kind.string()? == "SQS" => {
                let given = config.get("QueueLogicalId")?.map(|id| id.string()).transpose()?;
                let queue = given.unwrap_or_else(|| format!("{id}Queue"));
                self.generate(function, queue.clone(), "AWS::SQS::Queue", json!({}))?;
                self.queue_policy(function, id, &queue)?;
                Ok(json!({"Fn::GetAtt": [queue, "Arn"]}))
            }
            _ => Err(config.fail(Problem::expected("either Arn, or Type: SQS", config.value))),
        }
    }
}

fn renamed(properties: &Node<'_>, names: &[(&str, &str)]) -> Result<Map<String, Value>, TemplateError> {
    let mut renamed = Map::new();
    for (from, to) in names {
        if let Some(value) = properties.get(from)? {
            renamed.insert((*to).to_owned(), value.value.clone());
        }
    }
    Ok(renamed)
}

/// `State`, or what `Enabled` makes of it. SAM takes any map for a true `Enabled`, so it has to be written out.
fn state(properties: &Node<'_>) -> Result<Option<(String, Value)>, TemplateError> {
    let state = match (properties.get("State")?, properties.get("Enabled")?) {
        (Some(_), Some(enabled)) => {
            return Err(enabled.fail(Problem::UnknownKey("Enabled, next to State".into())));
        }
        (Some(state), None) => Some(state.value.clone()),
        (None, Some(enabled)) if enabled.boolean()? => Some(json!("ENABLED")),
        (None, Some(_)) => Some(json!("DISABLED")),
        (None, None) => None,
    };
    Ok(state.map(|state| ("State".to_owned(), state)))
}
