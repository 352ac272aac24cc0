"""The gate is shown to fail: each mutation of template.yaml must be found, and template.yaml itself have no findings."""

import unittest
from pathlib import Path

from gate import findings
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")

# What is wrong; what to replace, by what; a part of the finding.
REPLACED = [
    ("a misspelt IAM action", "- gameliftstreams:ListStreamSessions", "- gameliftstreams:ListStreamSession", "W3037"),
    ("a runtime that there is not", "Runtime: provided.al2023", "Runtime: provided.al2024", "E3030"),
    ("an attribute that there is not", "!GetAtt CaptureBucket.Arn", "!GetAtt CaptureBucket.ARN", "E1010"),
    ("a reference to nothing", "!Ref CaptureBucket", "!Ref CapturesBucket", "E1020"),
    ("a longer timeout than Lambda has", "Timeout: 75", "Timeout: 3000", "3000 is greater than the maximum of 900"),
    ("an unknown property", "MemorySize: 512", "MemorySizes: 512", "MemorySizes"),
    ("a retention that CloudWatch Logs does not know", "[1, 3, 5, 7,", "[1, 2, 3, 5, 7,", "W1030"),
    ("a pattern that the default does not match", "AllowedPattern: '^.{1,255}$'", "AllowedPattern: '^.{1,5}$'", "E2015"),
    ("an unknown type", "Type: AWS::SQS::QueuePolicy", "Type: AWS::SQS::QueuePolice", "AWS::SQS::QueuePolice"),
    ("an event of an unknown type", "Type: EventBridgeRule", "Type: EventBridgeRules", "cannot be transformed"),
    ("a plural of one", "rate(1 minute)", "rate(1 minutes)", "rate(1 minutes) is no schedule"),
    ("a singular of several", "rate(1 minute)", "rate(5 minute)", "rate(5 minute) is no schedule"),
    ("a cron expression with both days", "rate(1 minute)", "cron(0 6 * * * *)", "is no schedule"),
    ("a fixed name", "SqsManagedSseEnabled: true", "QueueName: failed", "QueueName is fixed"),
    ("a fixed name in a !Sub", "/aws/lambda/${AWS::StackName}/", "/aws/lambda/${AWS::Region}/", "LogGroupName is fixed"),
    ("a name that Regions share", "${AWS::StackName}-${AWS::Region}", "${AWS::StackName}", "is without AWS::Region"),
    ("a parameter that nothing uses", "!Ref LogRetentionDays", "30", "W2001"),
]

# What is wrong; what is added to template.yaml; a part of the finding, or None if nothing is wrong.
OPTIONAL = """
    Parameters: {Mail: {Type: String, Default: "", AllowedPattern: '^$|^[^@ ]+@[^@ ]+$'}}
    Conditions: {HasMail: !Not [!Equals [!Ref Mail, ""]]}
    Resources:
      Topic: {Type: AWS::SNS::Topic, Condition: HasMail}
"""
SUBSCRIPTION = "      Mails: {Type: AWS::SNS::Subscription, Properties: {Protocol: email, TopicArn: !Ref Topic, Endpoint: !Ref Mail}"
SCHEDULE = """
    Resources:
      Clock:
        Type: AWS::Serverless::Function
        Properties:
          Role: !GetAtt StartExportRole.Arn
          Events: {Tick: {Type: ScheduleV2, Properties: {%s}}}
"""
DASHBOARD = "    Resources:\n      Board: {Type: AWS::CloudWatch::Dashboard, Properties: {DashboardBody: %s}}\n"
ADDED = [
    ("an option, done well", OPTIONAL + SUBSCRIPTION + ", Condition: HasMail}\n", None),
    ("a reference to what an option removes", OPTIONAL + SUBSCRIPTION + "}\n", "Mail=(empty)]"),
    (
        "an output of what an option removes",
        OPTIONAL + "    Outputs: {Name: {Value: !Sub 'topic ${Topic.TopicName}'}}\n",
        "Mail=(empty)]",
    ),
    (
        "a property that an option removes, and that is needed",
        OPTIONAL + SUBSCRIPTION.replace("TopicArn: !Ref Topic", "TopicArn: !If [HasMail, !Ref Topic, !Ref AWS::NoValue]") + "}\n",
        "Mail=(empty)]",
    ),
    (
        "a value that is wrong only where the option is taken",
        OPTIONAL + "      Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !If [HasMail, 901, 900]}}\n",
        "901 is greater than the maximum of 900",
    ),
    ("an option that decides nothing", OPTIONAL.replace(", Condition: HasMail", ""), "W8001"),
    ("a schedule, done well", SCHEDULE % "OmitName: true, ScheduleExpression: rate(1 minute)", None),
    ("a schedule with a fixed name", SCHEDULE % "ScheduleExpression: rate(1 minute)", "OmitName"),
    (
        "a plural of one for the scheduler",
        SCHEDULE % "OmitName: true, ScheduleExpression: rate(1 minutes)",
        "rate(1 minutes) is no schedule",
    ),
    ("a dashboard, done well", DASHBOARD % """!Sub '{"widgets": [{"type": "text", "x": "${AWS::Region}"}]}'""", None),
    ("a dashboard that is no JSON", DASHBOARD % """'{"widgets": [],}'""", "no JSON"),
    ("a dashboard without quotes", DASHBOARD % """!Sub '{"widgets": [{"type": ${AWS::Region}}]}'""", "no JSON"),
    ("a dashboard of something else", DASHBOARD % "'{}'", "no list of widgets"),
    (
        "an export with a fixed name",
        "    Outputs: {Name: {Value: !Ref CaptureBucket, Export: {Name: capture-bucket}}}\n",
        "a fixed name for an export",
    ),
]


def with_additions(yaml: str) -> dict:
    template = yaml_parse(TEMPLATE)
    for section, items in yaml_parse(yaml).items():
        template.setdefault(section, {}).update(items)
    return template


class Gate(unittest.TestCase):
    def test_template_yaml_has_no_findings(self):
        self.assertEqual(findings(yaml_parse(TEMPLATE)), [])

    def test_what_is_replaced_is_found(self):
        for what, old, new, expected in REPLACED:
            with self.subTest(what):
                self.assertIn(old, TEMPLATE, "the mutation no longer fits template.yaml")
                # These are wrong whatever the parameters.
                found = findings(yaml_parse(TEMPLATE.replace(old, new)), about=set())
                self.assertTrue(any(expected in it for it in found), f"not found: {expected} in {found}")

    def test_what_is_added_is_found(self):
        for what, addition, expected in ADDED:
            with self.subTest(what):
                found = findings(with_additions(addition), about={"Mail"})
                if expected:
                    self.assertTrue(any(expected in it for it in found), f"not found: {expected} in {found}")
                else:
                    self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main()
