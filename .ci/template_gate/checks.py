"""What cfn-lint does not notice in a template without conditions."""

import json
import re

from conditions import REF_IN_SUB, Evaluation, function, names

RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\((\S+ ){2}(\S+) \S+ (\S+) \S+\)")
AT = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")

# What else than the stack and its resources makes a name one of its own: nothing.
OF_THE_STACK = {"AWS::StackName", "AWS::StackId"}

# Their names have to be unique in all Regions of an account, or of all accounts: the stack's name alone is that of a stack in each of
# them. "All dashboards in your account are global" (CloudFormation, AWS::CloudWatch::Dashboard).
GLOBAL = {
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Group",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::S3::Bucket",
}
OF_THE_REGION = {"AWS::Region", "AWS::StackId"}

# Their names need not be unique in an account.
NAMED_WITHIN_ANOTHER = {
    "AWS::Athena::NamedQuery",
    "AWS::Glue::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::Lambda::Alias",
    "AWS::Logs::MetricFilter",
    "AWS::S3::AccessPoint",
}
# Their names are not where those of others are.
PLACES_OF_NAMES = {"AWS::Glue::Database": ("DatabaseInput", "Name")}


def findings(template: dict, values: dict[str, str]) -> list[str]:
    """Each finding begins with the place."""
    found = []
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        about = []
        if "ScheduleExpression" in properties:
            about += schedule(properties["ScheduleExpression"], kind, Evaluation(template, values))
        if kind == "AWS::CloudWatch::Dashboard":
            about += dashboard(properties.get("DashboardBody"), values)
        about += fixed_name(kind, properties, template)
        found += [f"Resources/{name}: {it}" for it in about]
    for name, output in template.get("Outputs", {}).items():
        if "Export" in output and not is_of_this_stack(output["Export"].get("Name"), template):
            found.append(f"Outputs/{name}: a fixed name for an export: a second stack collides with it")
    return found


def schedule(expression, kind: str, evaluation: Evaluation) -> list[str]:
    written = evaluation.value(expression)
    if it := RATE.fullmatch(written):
        count, plural = int(it.group(1)), it.group(3) == "s"
        right = count > 0 and plural == (count > 1)
    elif it := CRON.fullmatch(written):
        right = (it.group(2), it.group(3)).count("?") == 1
    else:
        right = kind == "AWS::Scheduler::Schedule" and AT.fullmatch(written)
    if right:
        return []
    return [f"{written} is no schedule. It is rate(1 minute), rate(5 minutes), or cron(…) of six fields with one ?"]


def dashboard(body, values: dict[str, str]) -> list[str]:
    """What stands in for a value that only AWS knows is a bare word: without quotes around it, the JSON is broken."""
    match function(body):
        case "Fn::ToJsonString", _:
            return []
        case "Fn::Sub", argument:
            pattern, given = (argument, {}) if isinstance(argument, str) else argument
            known = values | {name: it for name, it in given.items() if isinstance(it, str)}
            body = REF_IN_SUB.sub(lambda it: known.get(it.group(1), "value"), pattern)
    if not isinstance(body, str):
        return ["the dashboard's body is neither a text nor a !Sub: the gate cannot read it"]
    try:
        widgets = json.loads(body).get("widgets")
    except (AttributeError, json.JSONDecodeError) as error:
        return [f"the dashboard's body is no JSON object: {error}"]
    if not isinstance(widgets, list) or not all(isinstance(it, dict) and "type" in it for it in widgets):
        return ["the dashboard's body has no list of widgets, each with a type"]
    return []


def fixed_name(kind: str, properties: dict, template: dict) -> list[str]:
    if kind in NAMED_WITHIN_ANOTHER:
        return []
    places = [(it,) for it in properties if it == "Name" or it.endswith("Name") and kind.endswith(it[: -len("Name")])]
    places += [PLACES_OF_NAMES[kind]] if kind in PLACES_OF_NAMES else []
    found = []
    for place in places:
        name = properties
        for step in place:
            name = name.get(step, {})
        if name and not is_of_this_stack(name, template):
            hint = " (a ScheduleV2 needs OmitName: true)" if kind == "AWS::Scheduler::Schedule" else ""
            found.append(f"{'/'.join(place)} is fixed: a second stack collides with it{hint}")
        elif name and kind in GLOBAL and OF_THE_REGION.isdisjoint(names(name)):
            found.append(f"{'/'.join(place)} is without AWS::Region: a stack of this name in another Region collides with it")
    return found


def is_of_this_stack(name, template: dict) -> bool:
    return not (OF_THE_STACK | template["Resources"].keys()).isdisjoint(names(name))
