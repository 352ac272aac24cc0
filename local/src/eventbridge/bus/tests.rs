use std::time::Duration;

use serde_json::{Value, json};

use super::{Bus, Disorder, NoSchedule, Schedules};
use crate::account::{Account, EventSender};
use crate::delivery::{Mailboxes, Recipient};
use crate::eventbridge::{Input, Pattern, Rule, Service, Target};
use crate::lambda::Lambda;
use crate::lambda::testing::{BUS, DEAD_LETTERS, QUEUE, TOPIC, echo, options};

struct Local {
    bus: Bus,
    events: EventSender,
    lambda: Lambda,
    mailboxes: Mailboxes,
}

impl Local {
    async fn start(rules: Vec<Rule>, schedules: Schedules) -> Self {
        Self::in_disorder(rules, schedules, Disorder::default()).await
    }

    async fn in_disorder(rules: Vec<Rule>, schedules: Schedules, disorder: Disorder) -> Self {
        let account = Account::default();
        let (events, receiver) = EventSender::new(account.clone());
        let mailboxes = Mailboxes::new([QUEUE, DEAD_LETTERS, TOPIC].map(str::to_owned));
        let mut told = echo("Told");
        told.asynchronous.on_success = Some(Recipient::EventBus(BUS.into()));
        let functions = vec![echo("Echo"), told];
        let lambda = Lambda::start(&account, functions, mailboxes.clone(), events.clone(), options());
        let lambda = lambda.await.expect("it starts");
        let bus =
            Bus::start(account, rules, receiver, lambda.clone(), mailboxes.clone(), schedules, disorder);
        Self { bus, events, lambda, mailboxes }
    }

    /// The sources of the messages in a queue or topic.
    fn sources(&self, arn: &str) -> Vec<String> {
        let messages = self.mailboxes.messages(arn).unwrap();
        messages
            .iter()
            .map(|message| message.json()["source"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn rule(name: &str, recipients: Vec<Recipient>) -> Rule {
    let target = |recipient| Target {
        id: "t".into(),
        recipient,
        input: Input::Event,
        dead_letter_queue: Some(DEAD_LETTERS.into()),
    };
    Rule {
        logical_id: name.into(),
        name: format!("s-{name}-local"),
        arn: format!("arn:aws:events:us-west-2:111122223333:rule/s-{name}-local"),
        enabled: true,
        pattern: None,
        schedule: None,
        service: Service::Rules,
        targets: recipients.into_iter().map(target).collect(),
    }
}

fn matching(name: &str, pattern: &Value, recipients: Vec<Recipient>) -> Rule {
    Rule { pattern: Some(Pattern::parse(pattern).unwrap()), ..rule(name, recipients) }
}

fn scheduled(name: &str, service: Service) -> Rule {
    let schedule = Some("rate(1 minute)".parse().unwrap());
    Rule { schedule, service, ..rule(name, vec![queue()]) }
}

fn queue() -> Recipient {
    Recipient::Queue(QUEUE.into())
}

fn topic() -> Recipient {
    Recipient::Topic(TOPIC.into())
}

fn function(name: &str) -> Recipient {
    Recipient::Function(echo(name).arn)
}

#[tokio::test]
async fn an_event_goes_to_all_targets_of_all_rules_that_it_matches() {
    let rules = vec![
        matching("A", &json!({"source": ["a"]}), vec![queue(), topic()]),
        matching("Both", &json!({"source": ["a", "b"]}), vec![function("Echo")]),
        Rule { enabled: false, ..matching("Off", &json!({"source": ["a"]}), vec![queue()]) },
    ];
    let local = Local::start(rules, Schedules::ByHand).await;
    for source in ["a", "b", "c"] {
        local.events.put(source, "Test", &[], &json!({"x": source}));
    }
    local.bus.settled().await;

    assert_eq!((local.sources(QUEUE), local.sources(TOPIC)), (vec!["a".to_owned()], vec!["a".to_owned()]));
    let mut seen: Vec<_> =
        local.lambda.invocations().into_iter().map(|it| it.payload["source"].clone()).collect();
    seen.sort_by_key(Value::to_string);
    assert_eq!(seen, ["a", "b"]);
    let log: Vec<_> = local.bus.log().into_iter().map(|it| (it.event["source"].clone(), it.rules)).collect();
    let rules = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        log,
        [(json!("a"), rules(&["A", "Both"])), (json!("b"), rules(&["Both"])), (json!("c"), rules(&[]))]
    );
}

#[tokio::test]
async fn settled_waits_for_what_follows_from_an_event() {
    let rules = vec![
        matching("First", &json!({"source": ["a"]}), vec![function("Told")]),
        matching("Then", &json!({"source": ["lambda"]}), vec![function("Echo")]),
    ];
    let local = Local::start(rules, Schedules::ByHand).await;
    for _ in 0..5 {
        local.events.put("a", "Test", &[], &json!({}));
    }
    local.bus.settled().await;
    let functions: Vec<_> = local.lambda.invocations().into_iter().map(|it| it.function).collect();
    let count = |name| functions.iter().filter(|function| *function == name).count();
    assert_eq!((count("Told"), count("Echo")), (5, 5));
    local.bus.settled().await;
}

#[tokio::test]
async fn a_target_gets_what_its_input_makes_of_the_event() {
    let mut rule = matching("R", &json!({"source": ["a"]}), vec![queue(), function("Echo")]);
    rule.targets[0].input = Input::path("$.detail.x").unwrap();
    rule.targets[1].input = Input::constant(r#"{"fixed": 1}"#).unwrap();
    let local = Local::start(vec![rule], Schedules::ByHand).await;
    local.events.put("a", "Test", &[], &json!({"x": [1]}));
    local.bus.settled().await;
    assert_eq!(local.mailboxes.messages(QUEUE).unwrap()[0].body, "[1]");
    assert_eq!(local.lambda.invocations()[0].payload, json!({"fixed": 1}));
}

#[tokio::test]
async fn an_event_that_cannot_be_delivered_is_a_dead_letter() {
    let rule = matching("R", &json!({"source": ["a"]}), vec![function("Other")]);
    let local = Local::start(vec![rule.clone()], Schedules::ByHand).await;
    local.events.put("a", "Test", &[], &json!({}));
    local.bus.settled().await;
    assert_eq!(local.sources(DEAD_LETTERS), ["a"]);
    let attributes = &local.mailboxes.messages(DEAD_LETTERS).unwrap()[0].attributes;
    assert_eq!((&attributes["RULE_ARN"], &attributes["TARGET_ARN"]), (&rule.arn, &echo("Other").arn));
}

#[tokio::test]
async fn a_schedule_can_be_fired_by_hand_and_its_event_is_awss() {
    let local = Local::start(
        vec![
            scheduled("Rule", Service::Rules),
            scheduled("Scheduler", Service::Scheduler { role: "arn:aws:iam::111122223333:role/r".into() }),
        ],
        Schedules::ByHand,
    )
    .await;
    local.bus.fire("Rule").unwrap();
    local.bus.fire("s-Scheduler-local").unwrap();
    assert_eq!(local.bus.fire("Other"), Err(NoSchedule("Other".into())));
    local.bus.settled().await;

    let messages = local.mailboxes.messages(QUEUE).unwrap();
    let mut event = messages[0].json();
    assert!(event["id"].take().as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    assert!(event["time"].take().as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let expected = json!({
        "version": "0",
        "id": null,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": null,
        "region": "us-west-2",
        "resources": ["arn:aws:events:us-west-2:111122223333:rule/s-Rule-local"],
        "detail": {},
    });
    assert_eq!(event, expected);
    let event = messages[1].json();
    assert_eq!((&event["source"], &event["detail"]), (&json!("aws.scheduler"), &json!("{}")));
    assert_eq!(local.bus.log()[0].rules, ["Rule"]);
}

#[tokio::test]
async fn schedules_run_by_themselves_at_the_given_pace() {
    let off = Rule { enabled: false, ..scheduled("Off", Service::Rules) };
    let minute = Duration::from_millis(50);
    let local =
        Local::start(vec![scheduled("Tick", Service::Rules), off], Schedules::Running { minute }).await;
    assert!(local.bus.log().is_empty(), "the first time is after one interval");
    tokio::time::sleep(Duration::from_millis(280)).await;
    local.bus.shut_down();
    let fired = local.bus.log();
    assert!((2..=5).contains(&fired.len()), "{}", fired.len());
    assert!(fired.iter().all(|it| it.rules == ["Tick"]));
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(local.bus.log().len(), fired.len(), "nothing fires after the end");
}

#[tokio::test]
async fn events_may_come_twice_and_late_and_settled_waits_for_them() {
    let rules = vec![
        matching("R", &json!({"source": [{"prefix": "a"}]}), vec![queue()]),
        scheduled("Tick", Service::Rules),
    ];
    let late = Duration::from_millis(150);
    let disorder = Disorder { twice: true, late: late..=late, ..Disorder::default() };
    let local = Local::in_disorder(rules, Schedules::ByHand, disorder).await;
    let start = std::time::Instant::now();
    for source in ["a1", "a2", "other"] {
        local.events.put(source, "Test", &[], &json!({}));
    }
    local.bus.fire("Tick").unwrap();
    tokio::time::sleep(late / 3).await;
    assert!(local.sources(QUEUE).is_empty());
    local.bus.settled().await;
    assert!(start.elapsed() >= late);
    let mut sources = local.sources(QUEUE);
    sources.sort();
    assert_eq!(sources, ["a1", "a1", "a2", "a2", "aws.events", "aws.events"]);
    assert_eq!(local.bus.log().len(), 4, "what happened is logged once");
}

#[tokio::test]
async fn events_may_come_out_of_order() {
    let rules = vec![matching("R", &json!({"detail-type": ["Test"]}), vec![queue()])];
    let disorder =
        Disorder { twice: false, late: Duration::ZERO..=Duration::from_millis(300), seed: 1, lost: None };
    let local = Local::in_disorder(rules, Schedules::ByHand, disorder).await;
    let sent: Vec<_> = (0..8).map(|number| format!("s{number}")).collect();
    for source in &sent {
        local.events.put(source, "Test", &[], &json!({}));
    }
    local.bus.settled().await;
    let mut received = local.sources(QUEUE);
    assert_ne!(received, sent);
    received.sort();
    assert_eq!(received, sent);
}

#[tokio::test]
async fn held_events_are_delivered_when_and_as_often_as_the_holder_wants() {
    let rules = vec![matching("Any", &json!({"source": [{"exists": true}]}), vec![queue()])];
    let local = Local::start(rules, Schedules::ByHand).await;
    local.bus.hold();
    for source in ["first", "second"] {
        local.events.put_raw(json!({"source": source}));
    }
    local.bus.settled().await;
    assert!(local.sources(QUEUE).is_empty());
    let held = local.bus.take_held();
    for event in [&held[1], &held[0], &held[1]] {
        local.bus.deliver(event);
    }
    assert_eq!(local.sources(QUEUE), ["second", "first", "second"]);
    assert!(local.bus.take_held().is_empty());
}
