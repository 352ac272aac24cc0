"""Checks a SAM template as CloudFormation would see it, for every combination of parameters that makes a difference.

`sam validate --lint` and `cfn-lint` miss much on a template that is not transformed: a wrong runtime, a wrong GetAtt, a
misspelt IAM action. What only goes wrong without a conditional resource is seen where that resource is really gone.

    gate.py TEMPLATE OUTPUT

writes the transformed template to OUTPUT. Any finding, warnings included, is a failure.
"""

import copy
import functools
import json
import logging
import os
import sys
from pathlib import Path

import checks
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner
from combinations import REGIONS, SAMPLES, NoCombinations, combinations, constants, permits
from conditions import CannotEvaluate, Evaluation, text
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# The translator wants to know a Region, and complains about metrics of its own that nobody reads.
os.environ.setdefault("AWS_DEFAULT_REGION", REGIONS[0])
logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)

# A combination may leave a parameter or a mapping without use; whether one is never used, the whole template tells.
NOT_OF_A_COMBINATION = ["W2001", "W7001"]
LONGEST = 300


def transform(template: dict, values: dict[str, str]) -> dict:
    """Returns the plain CloudFormation template, with the functions' code in S3 as `sam deploy` puts it."""
    template = copy.deepcopy(template)
    packaged = template.setdefault("Globals", {}).setdefault("Function", {})
    packaged["CodeUri"] = "s3://packaged/code.zip"
    transforms = template.get("Transform", [])
    # Of what begins with AWS::, SAM knows Region and partition, and those by itself.
    given = {name: value for name, value in values.items() if not name.startswith("AWS::")}
    transformed = Translator({}, Parser()).translate(template, parameter_values=given)
    if "AWS::LanguageExtensions" in transforms:
        transformed["Transform"] = "AWS::LanguageExtensions"
    return transformed


@functools.cache
def linter(ignored: tuple[str, ...]) -> Runner:
    return Runner(ConfigMixIn([], regions=REGIONS, ignore_checks=list(ignored)))


def lint(template: dict, ignored: list[str]) -> list[str]:
    decoded, errors = decode_str(json.dumps(template))
    found = errors or linter(tuple(ignored)).validate_template(decoded)
    return [f"{'/'.join(map(str, it.path))}: {it.rule.id} {it.message}"[:LONGEST] for it in found]


def defaults(template: dict) -> dict[str, str]:
    """A value for every parameter, whether it decides anything or not."""
    values = {}
    for name, definition in template.get("Parameters", {}).items():
        candidates = [definition.get("Default"), *definition.get("AllowedValues", []), *SAMPLES]
        known = [text(it) for it in candidates if it is not None and permits(definition, text(it))]
        values[name] = known[0] if known else name
    return values


def check(template: dict, values: dict[str, str]) -> list[str]:
    """What is wrong with the template, with these values of the parameters that decide."""
    known = constants() | defaults(template) | values
    reduced = Evaluation(transform(template, known), known).reduced(values)
    return lint(reduced, NOT_OF_A_COMBINATION) + checks.findings(reduced, known)


def describe(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={value or '(empty)'}" for name, value in values.items())


def findings(template: dict, say=lambda line: None, about: set[str] | None = None) -> list[str]:
    """Everything that is wrong with a SAM template; given `about`, where all other parameters have their first value."""
    try:
        found = {finding: [] for finding in lint(transform(template, constants() | defaults(template)), [])}
        tried = combinations(template)
        if about is not None:
            tried = [it for it in tried if all(it[name] == tried[0][name] for name in it.keys() - about)]
        for values in tried:
            of_these = check(template, values)
            if values:
                say(f"{len(of_these)} findings with {describe(values)}")
            for finding in dict.fromkeys(of_these):
                found.setdefault(finding, []).append(values)
    except InvalidDocumentException as error:
        return [f"cannot be transformed: {it.message}" for it in [error, *error.causes]]
    except (CannotEvaluate, NoCombinations) as error:
        return [str(error)]
    return [
        f"{finding} [with {describe(those[0])}]" if those and len(those) < len(tried) else finding
        for finding, those in found.items()
    ]


def main(source: str, output: str) -> int:
    template = yaml_parse(Path(source).read_text(encoding="utf-8"))
    found = findings(template, print)
    for finding in found:
        print(f"{source}: {finding}", file=sys.stderr)
    if found:
        return 1
    transformed = transform(template, constants() | defaults(template))
    Path(output).write_text(json.dumps(transformed, indent=2) + "\n", encoding="utf-8")
    kinds = sorted(resource["Type"] for resource in transformed["Resources"].values())
    tried = len(combinations(template))
    print(f"{source} becomes {len(kinds)} resources of {len(set(kinds))} types, written to {output}; "
          f"{tried} combination{'s' if tried > 1 else ''} of parameters")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
