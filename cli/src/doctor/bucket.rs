//! The bucket's settings, as the template has them.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule, ServerSideEncryption, ServerSideEncryptionByDefault,
};
use crash_capture::service::ServiceError;
use serde_json::Value;

use super::{Finding, Patient};

const REDEPLOY: &str = "Somebody changed the bucket by hand. Put it back as template.yaml has it: CloudFormation's drift \
                        detection shows the difference.";

/// A lifecycle rule that has to be there: the prefix, the verdict, and the parameter with its days.
type Expected = (&'static str, Option<&'static str>, &'static str);

const RULES: [Expected; 8] = [
    ("exports/", Some("crash"), "CrashRetentionDays"),
    ("exports/", Some("suspect"), "SuspectRetentionDays"),
    ("exports/", Some("unreadable"), "SuspectRetentionDays"),
    ("exports/", Some("exited"), "ExitedRetentionDays"),
    ("exports/", Some("clean"), "CleanRetentionDays"),
    ("exports/", None, "RecordRetentionDays"),
    ("index/", None, "RecordRetentionDays"),
    ("reports/", None, "ReportRetentionDays"),
];

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let (s3, bucket) = (patient.captures.s3(), patient.captures.bucket());
    let (public, encryption, policy, events, lifecycle) = tokio::join!(
        public_access(s3, bucket),
        encryption(patient, s3, bucket),
        tls_only(s3, bucket),
        eventbridge(s3, bucket),
        lifecycle(patient, s3, bucket),
    );
    vec![public, encryption, policy, events, lifecycle]
}

async fn public_access(s3: &Client, bucket: &str) -> Finding {
    const CHECK: &str = "bucket: public access";
    let answer = s3.get_public_access_block().bucket(bucket).send().await;
    let block = match answer.map_err(|error| ServiceError::new("GetPublicAccessBlock", &error)) {
        Ok(answer) => answer.public_access_block_configuration,
        Err(error) if error.code == "NoSuchPublicAccessBlockConfiguration" => None,
        Err(error) => return Finding::unknown(CHECK, error),
    };
    let is_blocked = block.is_some_and(|block| {
        [
            block.block_public_acls,
            block.block_public_policy,
            block.ignore_public_acls,
            block.restrict_public_buckets,
        ]
        .into_iter()
        .all(|switch| switch == Some(true))
    });
    if is_blocked {
        Finding::good(CHECK, "blocked")
    } else {
        Finding::bad(
            CHECK,
            "not blocked: a policy or an ACL could open the games' files to everybody",
            "Switch on all of \"Block public access\" for the bucket, and look who could read it meanwhile.",
        )
    }
}

async fn encryption(patient: &Patient, s3: &Client, bucket: &str) -> Finding {
    const CHECK: &str = "bucket: encryption";
    let answer = s3.get_bucket_encryption().bucket(bucket).send().await;
    let rules = match answer.map_err(|error| ServiceError::new("GetBucketEncryption", &error)) {
        Ok(answer) => answer.server_side_encryption_configuration.map(|it| it.rules).unwrap_or_default(),
        Err(error) => return Finding::unknown(CHECK, error),
    };
    let default = rules.into_iter().find_map(|rule| rule.apply_server_side_encryption_by_default);
    let key = default.as_ref().and_then(|default| default.kms_master_key_id()).unwrap_or_default();
    let wanted = patient.stack.parameter("KmsKeyArn");
    match default.as_ref().map(ServerSideEncryptionByDefault::sse_algorithm) {
        None => Finding::bad(CHECK, "there is none", REDEPLOY),
        Some(_) if key != wanted => {
            let named = |key: &str| if key.is_empty() { "S3's own".to_owned() } else { key.to_owned() };
            let detail = format!("the key is {}, the stack wants {}", named(key), named(wanted));
            Finding::bad(CHECK, detail, REDEPLOY)
        }
        Some(ServerSideEncryption::Aes256) => Finding::good(CHECK, "with S3's own key"),
        Some(_) => Finding::good(CHECK, format!("with {key}")),
    }
}

async fn tls_only(s3: &Client, bucket: &str) -> Finding {
    const CHECK: &str = "bucket: TLS only";
    let answer = s3.get_bucket_policy().bucket(bucket).send().await;
    let policy = match answer.map_err(|error| ServiceError::new("GetBucketPolicy", &error)) {
        Ok(answer) => answer.policy.unwrap_or_default(),
        Err(error) if error.code == "NoSuchBucketPolicy" => String::new(),
        Err(error) => return Finding::unknown(CHECK, error),
    };
    if refuses_plain_http(&policy, bucket) {
        Finding::good(CHECK, "plain HTTP is refused")
    } else {
        Finding::bad(CHECK, "the bucket's policy does not refuse plain HTTP", REDEPLOY)
    }
}

/// Whether a policy denies everything to everybody who does not use TLS, on the bucket and all that is in it.
fn refuses_plain_http(policy: &str, bucket: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let one_or_many = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let wanted = [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")];
    one_or_many(&policy["Statement"]).iter().any(|statement| {
        let resources = one_or_many(&statement["Resource"]);
        let condition = &statement["Condition"]["Bool"]["aws:SecureTransport"];
        let everybody = &statement["Principal"];
        statement["Effect"] == "Deny"
            && (*everybody == "*" || everybody["AWS"] == "*")
            && one_or_many(&statement["Action"]).iter().any(|action| action == "s3:*" || action == "*")
            && one_or_many(condition).iter().all(|value| *value == "false" || *value == false)
            && wanted.iter().all(|wanted| resources.iter().any(|resource| resource == wanted))
    })
}

async fn eventbridge(s3: &Client, bucket: &str) -> Finding {
    const CHECK: &str = "bucket: events";
    let answer = s3.get_bucket_notification_configuration().bucket(bucket).send().await;
    match answer.map_err(|error| ServiceError::new("GetBucketNotificationConfiguration", &error)) {
        Ok(answer) if answer.event_bridge_configuration.is_some() => {
            Finding::good(CHECK, "go to EventBridge")
        }
        Ok(_) => Finding::bad(
            CHECK,
            "do not go to EventBridge: no export is indexed when it arrives",
            "Switch on \"Send notifications to Amazon EventBridge\" in the bucket's properties. The sweep asks for what \
             arrived meanwhile; crash-capture reindex does so at once.",
        ),
        Err(error) => Finding::unknown(CHECK, error),
    }
}

async fn lifecycle(patient: &Patient, s3: &Client, bucket: &str) -> Finding {
    const CHECK: &str = "bucket: retention";
    let answer = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await;
    let rules = match answer.map_err(|error| ServiceError::new("GetBucketLifecycleConfiguration", &error)) {
        Ok(answer) => answer.rules.unwrap_or_default(),
        Err(error) if error.code == "NoSuchLifecycleConfiguration" => Vec::new(),
        Err(error) => return Finding::unknown(CHECK, error),
    };
    let rules: Vec<_> = rules.iter().filter(|rule| *rule.status() == ExpirationStatus::Enabled).collect();
    let mut missing: Vec<_> = RULES.iter().filter_map(|rule| missing(rule, patient, &rules)).collect();
    if !rules.iter().any(|rule| rule.abort_incomplete_multipart_upload().is_some()) {
        missing.push("unfinished uploads stay, and are paid for".to_owned());
    }
    let good = format!("{} rules are as the stack's parameters say", RULES.len() + 1);
    Finding::of_list(CHECK, good, &missing, REDEPLOY)
}

/// What stays, if no rule is as it should be.
fn missing(expected: &Expected, patient: &Patient, rules: &[&LifecycleRule]) -> Option<String> {
    let (prefix, verdict, parameter) = *expected;
    let days = patient.stack.parameter(parameter);
    let is_it = |rule: &&&LifecycleRule| {
        let expires = rule.expiration().and_then(LifecycleExpiration::days).map(|days| days.to_string());
        scope(rule) == (prefix, verdict.map(|verdict| ("Verdict", verdict)))
            && expires.as_deref() == Some(days)
    };
    if rules.iter().any(|rule| is_it(&rule)) {
        return None;
    }
    let verdict = verdict.map(|verdict| format!(" with Verdict={verdict}")).unwrap_or_default();
    Some(format!("nothing deletes {prefix}{verdict} after {days} days"))
}

/// The prefix and the one tag that a rule goes by.
fn scope(rule: &LifecycleRule) -> (&str, Option<(&str, &str)>) {
    let Some(filter) = rule.filter() else { return ("", None) };
    if let Some(and) = filter.and() {
        let tag = and.tags().first().map(|tag| (tag.key(), tag.value()));
        return (and.prefix().unwrap_or_default(), tag);
    }
    (filter.prefix().unwrap_or_default(), filter.tag().map(|tag| (tag.key(), tag.value())))
}

#[cfg(test)]
mod tests {
    use super::refuses_plain_http;

    fn policy(effect: &str, principal: &str, action: &str, resources: &str, secure: &str) -> String {
        format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}},
            {{"Effect": "{effect}", "Principal": {principal}, "Action": {action}, "Resource": {resources},
              "Condition": {{"Bool": {{"aws:SecureTransport": {secure}}}}}}}]}}"#
        )
    }

    #[test]
    fn only_a_denial_of_everything_to_everybody_refuses_plain_http() {
        let both = r#"["arn:aws:s3:::b", "arn:aws:s3:::b/*"]"#;
        for (policy, expected) in [
            (policy("Deny", "\"*\"", "\"s3:*\"", both, "\"false\""), true),
            (policy("Deny", r#"{"AWS": "*"}"#, r#"["s3:*"]"#, both, "false"), true),
            (policy("Allow", "\"*\"", "\"s3:*\"", both, "\"false\""), false),
            (policy("Deny", "\"arn:aws:iam::1:root\"", "\"s3:*\"", both, "\"false\""), false),
            (policy("Deny", "\"*\"", "\"s3:GetObject\"", both, "\"false\""), false),
            (policy("Deny", "\"*\"", "\"s3:*\"", "\"arn:aws:s3:::b\"", "\"false\""), false),
            (policy("Deny", "\"*\"", "\"s3:*\"", both, "\"true\""), false),
            (String::new(), false),
        ] {
            assert_eq!(refuses_plain_http(&policy, "b"), expected, "{policy}");
        }
    }
}
