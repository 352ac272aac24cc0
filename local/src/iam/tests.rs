use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/s-Role-local";
const BUCKET: &str = "arn:aws:s3:::captures";
const QUEUE: &str = "arn:aws:sqs:us-west-2:111122223333:queue";
const RULE: &str = "arn:aws:events:us-west-2:111122223333:rule/rule";

fn parts(effect: Effect, actions: &[&str], resources: &[&str]) -> StatementParts {
    let texts = |texts: &[&str]| (false, texts.iter().map(|text| (*text).to_owned()).collect());
    StatementParts {
        policy: "Role".into(),
        statement: "It".into(),
        effect,
        principals: None,
        actions: texts(actions),
        resources: Some(texts(resources)),
        conditions: Vec::new(),
    }
}

fn condition(operator: &str, key: &str, values: &[&str]) -> Condition {
    Condition::new(operator, key, values.iter().map(|value| (*value).to_owned()).collect()).unwrap()
}

/// What the role's policy consists of.
fn of_role(statements: impl IntoIterator<Item = StatementParts>) -> Vec<Attachment> {
    attached(&Holder::Role(ROLE.into()), statements)
}

fn attached(holder: &Holder, statements: impl IntoIterator<Item = StatementParts>) -> Vec<Attachment> {
    let statements = statements.into_iter().flat_map(|parts| parts.take_apart().unwrap());
    statements.map(|statement| Attachment { holder: holder.clone(), statement }).collect()
}

fn role() -> Principal {
    Principal::Role { role: ROLE.into(), session: "s-Function-local".into() }
}

fn rule() -> Principal {
    Principal::Service { name: "events.amazonaws.com", source: RULE.into() }
}

fn object(key: &str) -> String {
    format!("{BUCKET}/{key}")
}

#[test]
fn a_call_that_nothing_grants_is_refused_in_awss_words() {
    let iam = Iam::new(of_role([parts(Effect::Allow, &["s3:GetObject"], &[&object("open/*")])]), false);
    iam.authorize(&role(), "s3:GetObject", &object("open/a/b.json"), &[]).unwrap();
    let denied = iam.authorize(&role(), "s3:PutObject", &object("open/a"), &[]).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "User: arn:aws:sts::111122223333:assumed-role/s-Role-local/s-Function-local is not authorized to perform: \
         s3:PutObject on resource: arn:aws:s3:::captures/open/a because no identity-based policy allows the \
         s3:PutObject action"
    );
    iam.authorize(&role(), "s3:GetObject", &object("index/a"), &[]).unwrap_err();
    let ledger = iam.ledger();
    assert_eq!(ledger.refusals.len(), 2);
    assert_eq!(ledger.refusals[0], Refusal { denied, times: 1 });
}

#[test]
fn a_denial_wins_over_every_grant_and_over_administrators() {
    let allow = of_role([parts(Effect::Allow, &["s3:*"], &["*"])]);
    let deny = StatementParts {
        principals: Some(Principals::Anybody),
        conditions: vec![condition("Bool", "aws:SecureTransport", &["false"])],
        ..parts(Effect::Deny, &["s3:*"], &[BUCKET, &object("*")])
    };
    let deny = attached(&Holder::Resource(BUCKET.into()), [deny]);
    let policies: Vec<_> = allow.into_iter().chain(deny).collect();
    for principal in [role(), Principal::Administrator] {
        let secure = Iam::new(policies.clone(), false);
        secure.authorize(&principal, "s3:GetObject", &object("a"), &[]).unwrap();
        let plain = Iam::new(policies.clone(), true);
        let denied = plain.authorize(&principal, "s3:GetObject", &object("a"), &[]).unwrap_err();
        assert_eq!(denied.because, "with an explicit deny in a resource-based policy");
        plain.authorize(&principal, "s3:GetObject", "arn:aws:s3:::another/a", &[]).unwrap();
    }
}

#[test]
fn a_statement_is_a_grant_for_each_action_resource_and_value() {
    let statement = StatementParts {
        conditions: vec![condition("ArnEquals", "aws:SourceArn", &[RULE, "arn:aws:events:*:*:rule/b"])],
        ..parts(Effect::Allow, &["sqs:SendMessage", "sqs:SendMessages"], &[QUEUE, "arn:aws:sqs:*:*:dead"])
    };
    let statement = StatementParts { principals: Some(named_service("events.amazonaws.com")), ..statement };
    let iam = Iam::new(attached(&Holder::Resource(QUEUE.into()), [statement]), false);
    iam.authorize(&rule(), "sqs:SendMessage", QUEUE, &[]).unwrap();
    let ledger = iam.ledger();
    assert_eq!(ledger.grants.len(), 8);
    let used: Vec<_> = ledger.grants.iter().filter(|(_, users)| !users.is_empty()).collect();
    let [(grant, users)] = used.as_slice() else { panic!("{used:?}") };
    assert_eq!(grant.to_string(), format!("Role, It: sqs:SendMessage on {QUEUE} if aws:sourcearn is {RULE}"));
    assert_eq!(users.values().sum::<u64>(), 1);
    // A misspelt action is a grant that nothing can use.
    assert_eq!(ledger.unused().filter(|grant| grant.action == "sqs:SendMessages").count(), 4);
}

fn named_service(name: &str) -> Principals {
    Principals::These { services: vec![name.to_owned()], roles: Vec::new(), accounts: Vec::new() }
}

#[test]
fn a_service_needs_the_resources_policy_and_a_role_has_enough_of_its_own() {
    let policy = StatementParts {
        principals: Some(named_service("s3.amazonaws.com")),
        ..parts(Effect::Allow, &["sqs:SendMessage"], &[QUEUE])
    };
    let mut policies = attached(&Holder::Resource(QUEUE.into()), [policy]);
    policies.extend(of_role([parts(Effect::Allow, &["SQS:sendmessage"], &["*"])]));
    let iam = Iam::new(policies, false);
    iam.authorize(&role(), "sqs:SendMessage", QUEUE, &[]).unwrap();
    let denied = iam.authorize(&rule(), "sqs:SendMessage", QUEUE, &[]).unwrap_err();
    assert_eq!(denied.because, "because no resource-based policy allows the sqs:SendMessage action");
    let s3 = Principal::Service { name: "s3.amazonaws.com", source: BUCKET.into() };
    iam.authorize(&s3, "sqs:SendMessage", QUEUE, &[]).unwrap();
}

#[test]
fn not_action_and_not_resource_are_everything_else() {
    let statement = StatementParts {
        actions: (true, vec!["s3:Delete*".into(), "sqs:*".into()]),
        resources: Some((true, vec![object("secret/*")])),
        ..parts(Effect::Allow, &[], &[])
    };
    let iam = Iam::new(of_role([statement]), false);
    iam.authorize(&role(), "s3:GetObject", &object("a"), &[]).unwrap();
    iam.authorize(&role(), "s3:DeleteObject", &object("a"), &[]).unwrap_err();
    iam.authorize(&role(), "sqs:SendMessage", QUEUE, &[]).unwrap_err();
    iam.authorize(&role(), "s3:GetObject", &object("secret/a"), &[]).unwrap_err();
    assert_eq!(iam.ledger().grants.len(), 1);
}

#[test]
fn conditions_are_those_of_iam() {
    let prefix = |operator, values: &[&str], prefix: Option<&str>| {
        let conditions = vec![condition(operator, "S3:Prefix", values)];
        let statement = StatementParts { conditions, ..parts(Effect::Allow, &["s3:ListBucket"], &[BUCKET]) };
        let iam = Iam::new(of_role([statement]), false);
        let context: Vec<_> = prefix.map(|prefix| ("s3:prefix", prefix)).into_iter().collect();
        iam.authorize(&role(), "s3:ListBucket", BUCKET, &context).is_ok()
    };
    for (operator, values, given, holds) in [
        ("StringEquals", ["open/", "index/"], Some("index/"), true),
        ("StringEquals", ["open/", "index/"], Some("OPEN/"), false),
        ("StringEquals", ["open/", "index/"], None, false),
        ("StringEqualsIfExists", ["open/", "index/"], None, true),
        ("StringEqualsIgnoreCase", ["open/", "index/"], Some("OPEN/"), true),
        ("StringNotEquals", ["open/", "index/"], Some("index/"), false),
        ("StringNotEquals", ["open/", "index/"], Some("state/"), true),
        ("StringNotEquals", ["open/", "index/"], None, true),
        ("StringNotEqualsIgnoreCase", ["open/", "index/"], Some("Index/"), false),
        ("StringLike", ["op?n/*", "i"], Some("open/a"), true),
        ("StringNotLike", ["op?n/*", "i"], Some("open/a"), false),
        ("Null", ["true", "true"], None, true),
        ("Null", ["false", "false"], None, false),
        ("Null", ["false", "false"], Some(""), true),
    ] {
        assert_eq!(prefix(operator, &values, given), holds, "{operator} {values:?} {given:?}");
    }
}

#[test]
fn what_is_not_known_is_an_error() {
    let condition = |operator: &str, key: &str, value: &str| {
        Condition::new(operator, key, vec![value.into()]).unwrap_err().to_string()
    };
    assert!(condition("StringMatches", "s3:prefix", "a").contains("the condition operator `StringMatches`"));
    assert!(condition("IpAddress", "aws:SourceArn", "a").contains("`IpAddress`"));
    assert!(condition("StringEquals", "aws:SourceArm", "a").contains("the condition key `aws:SourceArm`"));
    assert!(condition("StringEquals", "s3:prefix", "${aws:username}").contains("policy variables"));
    assert!(condition("ArnLike", "aws:SourceArn", "rule").contains("`rule` is no resource"));
    let statement = |action: &str, resource: &str| {
        parts(Effect::Allow, &[action], &[resource]).take_apart().unwrap_err().to_string()
    };
    assert!(statement("s3.GetObject", "*").contains("`s3.GetObject` is no action"));
    assert!(statement("s3:", "*").contains("is no action"));
    assert!(statement("s3:GetObject", "captures/*").contains("`captures/*` is no resource"));
    assert!(statement("s3:GetObject", "arn:aws:s3::captures").contains("is no resource"));
    assert!(statement("s3:GetObject", "arn:aws:s3:::${aws:userid}").contains("policy variables"));
}

#[test]
fn wildcards_stand_for_any_characters_but_not_for_the_colons_of_an_arn() {
    let matches = |pattern: &str, arn: &str| ArnPattern::parse(pattern).unwrap().matches(arn);
    assert!(matches("arn:aws:s3:::captures/*.z?p", "arn:aws:s3:::captures/exports/a.zip"));
    assert!(!matches("arn:aws:s3:::captures/*.z?p", "arn:aws:s3:::captures/exports/a.zipp"));
    assert!(matches("arn:aws:logs:*:*:log-group:/a:*", "arn:aws:logs:r:1:log-group:/a:log-stream:b"));
    assert!(!matches("arn:aws:logs:*:*:log-group:/a", "arn:aws:logs:r:1:log-group:/a:log-stream:b"));
    assert!(!matches("arn:aws:*:::captures", "arn:aws:s3:us-west-2:1:captures"));
    assert!(matches("*", "*") && !matches("arn:aws:s3:::*", "*"));
    assert!(pattern::glob("*a*b", "xaxbxab") && !pattern::glob("*a*b", "xaxbxa") && pattern::glob("", ""));
    let action = ActionPattern::parse("s3:Get*Tagging").unwrap();
    assert!(action.matches("S3:getobjecttagging") && !action.matches("s3:GetObject"));
}
