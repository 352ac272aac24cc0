"""Transforms a SAM template as CloudFormation would, and lints the result.

`sam validate --lint` and `cfn-lint` miss much on a template that is not transformed: a wrong runtime, a wrong GetAtt, a
misspelt IAM action. Any finding, warnings included, is a failure.

    lint_template.py TEMPLATE OUTPUT
"""

import json
import subprocess
import sys
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# Where Amazon GameLift Streams has its primary locations, and so where the template is deployed.
REGIONS = ["us-east-2", "us-west-2", "ap-northeast-1", "eu-central-1"]


def transform(template: dict) -> dict:
    """Returns the plain CloudFormation template, with the functions' code in S3 as `sam deploy` puts it."""
    packaged = template.setdefault("Globals", {}).setdefault("Function", {})
    packaged["CodeUri"] = "s3://packaged/code.zip"
    return Translator({}, Parser()).translate(template, parameter_values={})


def main(source: str, output: str) -> int:
    try:
        transformed = transform(yaml_parse(Path(source).read_text(encoding="utf-8")))
    except InvalidDocumentException as error:
        print(f"{source} cannot be transformed: {error.message}", file=sys.stderr)
        for cause in error.causes:
            print(f"  {cause.message}", file=sys.stderr)
        return 1
    Path(output).write_text(json.dumps(transformed, indent=2) + "\n", encoding="utf-8")
    kinds = sorted(resource["Type"] for resource in transformed["Resources"].values())
    print(f"{source} becomes {len(kinds)} resources of {len(set(kinds))} types, written to {output}")
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    return subprocess.run([cfn_lint, "--regions", *REGIONS, "--template", output], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
