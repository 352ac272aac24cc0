"""The combinations of parameters that make a difference to what a template creates."""

import itertools
import re

from conditions import CannotEvaluate, Evaluation, function, names, text

# Each is a template to be checked, in about a quarter of a second.
MAXIMUM = 256

# Where Amazon GameLift Streams has its primary locations, and so where the template is deployed.
REGIONS = ["us-east-2", "us-west-2", "ap-northeast-1", "eu-central-1"]

# What a parameter can be besides what it is compared with, where none of SAMPLES will do: by its name.
VALUES: dict[str, str] = {"KmsKeyArn": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}

# Tried in this order, after the parameter's default.
SAMPLES = ["sample", "someone@example.com", "7", "30", "true", "arn:aws:sns:us-west-2:111122223333:sample",
           "https://example.com/", "2026-11-24"]


class NoCombinations(Exception):
    """The template cannot be checked; says what to do."""


def calls(node):
    """Yields every intrinsic function in a part of a template, as name and argument."""
    if call := function(node):
        yield call
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from calls(child)


def permits(definition: dict, value: str) -> bool:
    """Whether CloudFormation takes the value for the parameter."""
    if "AllowedValues" in definition:
        return value in map(text, definition["AllowedValues"])
    if definition["Type"] == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return False
        at_least, at_most = definition.get("MinValue", value), definition.get("MaxValue", value)
        return float(at_least) <= float(value) <= float(at_most)
    pattern = definition.get("AllowedPattern", ".*")
    longest = int(definition.get("MaxLength", len(value)))
    return int(definition.get("MinLength", 0)) <= len(value) <= longest and bool(re.fullmatch(pattern, value, re.S))


def compared_with(name: str, comparisons: list[list]) -> set[str]:
    """The literals on one side of a comparison whose other side is made of the parameter."""
    return {
        text(literal)
        for sides in comparisons
        if name in names(sides)
        for literal in sides
        if isinstance(literal, str | int | float)
    }


def values_of(name: str, definition: dict, literals: set[str], is_key: bool) -> list[str]:
    """One value for each way in which the parameter can decide."""
    allowed = [text(it) for it in definition.get("AllowedValues", [])]
    if is_key:
        if not allowed:
            raise NoCombinations(f"{name} is the key of a mapping: say in AllowedValues which keys there are")
        return allowed
    compared = sorted(it for it in literals if permits(definition, it))
    known = [VALUES[name]] if name in VALUES else []
    default = [text(definition["Default"])] if "Default" in definition else []
    others = [it for it in known + default + (allowed or SAMPLES) if it not in literals and permits(definition, it)]
    if not others and not allowed:
        raise NoCombinations(
            f"No value of {name} is known that is none of {sorted(literals)}. If there are no others, say so with "
            f"AllowedValues; else add one to VALUES in {__file__}"
        )
    return compared + others[:1]


def deciding(template: dict) -> dict[str, list[str]]:
    """The parameters (AWS::Region may be one) that decide what the template creates, with the values to try."""
    decisions = [template.get("Conditions", {}), template.get("Rules", {})]
    keys = [argument for name, argument in calls(template) if name == "Fn::FindInMap"]
    comparisons = [argument for name, argument in calls(decisions) if name == "Fn::Equals"]
    comparisons += [[*it[0], it[1]] for name, it in calls(decisions) if name == "Fn::Contains"]
    parameters = template.get("Parameters", {})
    literals = {name: compared_with(name, comparisons) for name in parameters}
    for left, right in (sides for sides in comparisons if len(sides) == 2):
        # Of two parameters that are compared with each other, each is tried with the other's values.
        for one, other in ((left, right), (right, left)):
            for name, peer in itertools.product(names(one), names(other)):
                if name in parameters and peer in parameters:
                    values = values_of(peer, parameters[peer], literals[peer], is_key=False)
                    literals[name] = literals[name] | set(values)
    decide = set(names(decisions)) | set(names(keys))
    chosen = {
        name: values_of(name, parameters[name], literals[name], name in names(keys))
        for name in parameters
        if name in decide
    }
    return chosen | ({"AWS::Region": REGIONS} if "AWS::Region" in decide else {})


def combinations(template: dict) -> list[dict[str, str]]:
    """Every combination that CloudFormation would accept; a single empty one if nothing depends on parameters."""
    chosen = deciding(template)
    count = 1
    for values in chosen.values():
        count *= len(values)
    if count > MAXIMUM:
        raise NoCombinations(
            f"{count} combinations of {', '.join(chosen)} are more than the {MAXIMUM} that are tried. Let fewer "
            f"parameters decide, or raise MAXIMUM in {__file__} and look at how long it takes"
        )
    every = [dict(zip(chosen, values)) for values in itertools.product(*chosen.values())]
    accepted = [values for values in every if Evaluation(template, constants() | values).is_accepted()]
    if not accepted:
        raise NoCombinations("The template's Rules refuse every combination of parameters that was tried")
    for name in template.get("Conditions", {}):
        outcomes = {Evaluation(template, constants() | values).condition(name) for values in accepted}
        if len(outcomes) == 1:
            raise NoCombinations(
                f"The condition {name} is {outcomes.pop()} whatever is tried for {', '.join(chosen)}. If it can be "
                f"otherwise, add a value with which it is to VALUES in {__file__}"
            )
    return accepted


def constants() -> dict[str, str]:
    """What does not depend on the user."""
    return {
        "AWS::AccountId": "111122223333",
        "AWS::Partition": "aws",
        "AWS::Region": REGIONS[0],
        "AWS::StackName": "crash-capture",
        "AWS::StackId": f"arn:aws:cloudformation:{REGIONS[0]}:111122223333:stack/crash-capture/1",
        "AWS::URLSuffix": "amazonaws.com",
    }
