"""What the local cloud answers to questions about a stack, as boto3 reads it: the services that the command line asks."""

from datetime import datetime, timedelta, timezone

import boto3
from botocore.exceptions import ClientError

# What the command line reads of a stack's outputs.
OUTPUTS = {"StartExportFunctionName", "IndexExportFunctionName", "FailedInvocationsQueueUrl", "UndeliveredEventsQueueUrl"}


def refused(call, *codes):
    """The call is refused with one of these codes."""
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] in codes, f"{error.response['Error']}, not one of {codes}"
    else:
        raise AssertionError(f"not refused with {codes}")


def check(statement, until, config, stack_name):
    def client(name):
        return boto3.client(name, config=config)

    cloudformation = client("cloudformation")
    with statement("CloudFormation tells a stack's parameters, outputs and resources"):
        (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        parameters = {it["ParameterKey"]: it["ParameterValue"] for it in stack["Parameters"]}
        assert OUTPUTS <= set(outputs) and parameters["CrashRetentionDays"] == "180", stack
        resources = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
        names = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in resources}
        assert {it["ResourceStatus"] for it in resources} == {"CREATE_COMPLETE"} and len(resources) <= 100, resources
        refused(lambda: cloudformation.describe_stack_resources(StackName="another"), "ValidationError")
    with statement("EventBridge tells whether a rule is enabled"):
        events = client("events")
        for rule, state in (("StartExportFunctionSweep", "ENABLED"), ("EveryOtherCrash", "DISABLED")):
            answer = events.describe_rule(Name=names[rule])
            assert (answer["State"], answer["Name"]) == (state, names[rule]), answer
        refused(lambda: events.describe_rule(Name="another"), "ResourceNotFoundException")
    with statement("SQS counts a queue's messages"):
        sqs, asked = client("sqs"), ["ApproximateNumberOfMessages"]
        answer = sqs.get_queue_attributes(QueueUrl=outputs["FailedInvocationsQueueUrl"], AttributeNames=asked)
        assert answer["Attributes"] == {"ApproximateNumberOfMessages": "0"}, answer
        url = outputs["FailedInvocationsQueueUrl"].rsplit("/", 1)[0] + "/another"
        refused(lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked),
                "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")  # fmt: skip
    with statement("Lambda tells how a function is set up, and invokes it"):
        functions, name = client("lambda"), outputs["StartExportFunctionName"]
        answer = functions.get_function_configuration(FunctionName=name)
        assert (answer["State"], answer["Timeout"]) == ("Active", 75), answer
        assert "CAPTURE_BUCKET" in answer["Environment"]["Variables"], answer
        answer = functions.invoke(FunctionName=name, Payload=b'{"streamGroupId": "sg-1", "streamSessionId": "none"}')
        assert answer["StatusCode"] == 200 and b"not-found" in answer["Payload"].read(), answer
        answer = functions.invoke(FunctionName=name, Payload=b'{"hello": "world"}')
        assert answer["FunctionError"] == "Unhandled" and b"errorType" in answer["Payload"].read(), answer
        refused(lambda: functions.get_function_configuration(FunctionName="another"), "ResourceNotFoundException")
    with statement("CloudWatch sums a metric that the functions have logged"):
        now = datetime.now(timezone.utc)
        metric = {"Namespace": "CrashCapture", "MetricName": "armed", "Dimensions": [{"Name": "Stack", "Value": stack_name}]}
        query = {"Id": "armed", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}

        def armed(**other):
            answer = client("cloudwatch").get_metric_data(
                MetricDataQueries=[query], StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1), **other)  # fmt: skip
            (result,) = answer["MetricDataResults"]
            return result

        result = until("sessions that were armed", lambda: (found := armed())["Values"] and found)
        assert sum(result["Values"]) >= 3 and result["StatusCode"] == "Complete", result
        assert all(at.second == 0 and abs(now - at) < timedelta(hours=1) for at in result["Timestamps"]), result


def check_bucket(statement, s3, bucket):
    with statement("S3 tells how a bucket is set up"):
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert len(block) == 4 and all(block.values()), block
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, rule
        assert '"aws:SecureTransport":"false"' in s3.get_bucket_policy(Bucket=bucket)["Policy"].replace(" ", "")
        assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)
        rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
        assert rules["expire-crashes"] == {
            "ID": "expire-crashes", "Status": "Enabled", "Expiration": {"Days": 180},
            "Filter": {"And": {"Prefix": "exports/", "Tags": [{"Key": "Verdict", "Value": "crash"}]}},
        }, rules  # fmt: skip
        assert rules["abort-unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}, rules
    with statement("S3 lists the one version of each object of a bucket that is not versioned"):
        keys = [f"client/version {n}" for n in range(3)]
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix="client/", PaginationConfig={"PageSize": 2})  # fmt: skip
        versions = [version for page in pages for version in page["Versions"]]
        assert [(it["Key"], it["VersionId"], it["IsLatest"]) for it in versions] == [(key, "null", True) for key in keys]
        doomed = [{"Key": it["Key"], "VersionId": it["VersionId"]} for it in versions]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed})
        assert len(answer["Deleted"]) == 3 and "Errors" not in answer, answer
