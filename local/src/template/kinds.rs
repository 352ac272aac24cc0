//! What `Ref` and `Fn::GetAtt` give for each type of resource, and how resources without a name are called.
//!
//! From the "Return values" of each type in the CloudFormation Template Reference,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>.

/// A resource type.
#[derive(Debug)]
pub(super) struct Kind {
    /// The property that names the resource, as keys from the top of its properties.
    pub(super) name: &'static [&'static str],
    /// The longest name that the service takes.
    pub(super) longest: usize,
    /// Whether names that CloudFormation makes up are in lower case.
    pub(super) lower_case: bool,
    /// `Ref` and the attributes, with `{name}`, `{region}` and `{account}` to be filled in.
    pub(super) values: &'static [(&'static str, &'static str)],
}

const fn kind(
    name: &'static [&'static str],
    longest: usize,
    values: &'static [(&'static str, &'static str)],
) -> Kind {
    Kind { name, longest, lower_case: false, values }
}

const fn lower_case(
    name: &'static [&'static str],
    longest: usize,
    values: &'static [(&'static str, &'static str)],
) -> Kind {
    Kind { name, longest, lower_case: true, values }
}

const KINDS: &[(&str, Kind)] = &[
    ("AWS::Athena::WorkGroup", kind(&["Name"], 128, &[("Ref", "{name}")])),
    (
        "AWS::CloudWatch::Alarm",
        kind(
            &["AlarmName"],
            255,
            &[("Ref", "{name}"), ("Arn", "arn:aws:cloudwatch:{region}:{account}:alarm:{name}")],
        ),
    ),
    (
        "AWS::CloudWatch::CompositeAlarm",
        kind(
            &["AlarmName"],
            255,
            &[("Ref", "{name}"), ("Arn", "arn:aws:cloudwatch:{region}:{account}:alarm:{name}")],
        ),
    ),
    ("AWS::CloudWatch::Dashboard", kind(&["DashboardName"], 255, &[("Ref", "{name}")])),
    (
        "AWS::Events::Rule",
        kind(&["Name"], 64, &[("Ref", "{name}"), ("Arn", "arn:aws:events:{region}:{account}:rule/{name}")]),
    ),
    ("AWS::Glue::Database", lower_case(&["DatabaseInput", "Name"], 255, &[("Ref", "{name}")])),
    ("AWS::Glue::Table", lower_case(&["TableInput", "Name"], 255, &[("Ref", "{name}")])),
    (
        "AWS::IAM::ManagedPolicy",
        kind(
            &["ManagedPolicyName"],
            128,
            &[
                ("Ref", "arn:aws:iam::{account}:policy/{name}"),
                ("PolicyArn", "arn:aws:iam::{account}:policy/{name}"),
            ],
        ),
    ),
    (
        "AWS::IAM::Role",
        kind(&["RoleName"], 64, &[("Ref", "{name}"), ("Arn", "arn:aws:iam::{account}:role/{name}")]),
    ),
    (
        "AWS::Lambda::Function",
        kind(
            &["FunctionName"],
            64,
            &[("Ref", "{name}"), ("Arn", "arn:aws:lambda:{region}:{account}:function:{name}")],
        ),
    ),
    (
        "AWS::Logs::LogGroup",
        kind(
            &["LogGroupName"],
            512,
            &[("Ref", "{name}"), ("Arn", "arn:aws:logs:{region}:{account}:log-group:{name}:*")],
        ),
    ),
    (
        "AWS::S3::Bucket",
        lower_case(
            &["BucketName"],
            63,
            &[
                ("Ref", "{name}"),
                ("Arn", "arn:aws:s3:::{name}"),
                ("DomainName", "{name}.s3.amazonaws.com"),
                ("RegionalDomainName", "{name}.s3.{region}.amazonaws.com"),
            ],
        ),
    ),
    (
        "AWS::Scheduler::Schedule",
        kind(
            &["Name"],
            64,
            &[("Ref", "{name}"), ("Arn", "arn:aws:scheduler:{region}:{account}:schedule/default/{name}")],
        ),
    ),
    (
        "AWS::SNS::Topic",
        kind(
            &["TopicName"],
            256,
            &[
                ("Ref", "arn:aws:sns:{region}:{account}:{name}"),
                ("TopicArn", "arn:aws:sns:{region}:{account}:{name}"),
                ("TopicName", "{name}"),
            ],
        ),
    ),
    (
        "AWS::SQS::Queue",
        kind(
            &["QueueName"],
            80,
            &[
                ("Ref", "https://sqs.{region}.amazonaws.com/{account}/{name}"),
                ("Arn", "arn:aws:sqs:{region}:{account}:{name}"),
                ("QueueName", "{name}"),
                ("QueueUrl", "https://sqs.{region}.amazonaws.com/{account}/{name}"),
            ],
        ),
    ),
    ("AWS::SSM::Parameter", kind(&["Name"], 2048, &[("Ref", "{name}")])),
];

/// The type, if the local cloud knows what its resources can be asked for.
pub(super) fn find(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, kind)| kind)
}

impl Kind {
    /// What `Ref` or the attribute gives, still to be filled in.
    pub(super) fn value(&self, attribute: &str) -> Option<&'static str> {
        self.values.iter().find(|(name, _)| *name == attribute).map(|(_, form)| *form)
    }

    /// A name for a resource that was given none: `{stack}-{LogicalId}-local`, cut to what the service takes.
    pub(super) fn generated_name(&self, stack: &str, logical_id: &str) -> String {
        const SUFFIX: &str = "-local";
        let mut name = format!("{stack}-{logical_id}");
        name.truncate(self.longest - SUFFIX.len());
        name.push_str(SUFFIX);
        if self.lower_case { name.to_lowercase() } else { name }
    }
}
