"""Checks every answer that the simulator of GameLift Streams gave in the tests. See .ci/answers.

The folder holds one file for each process of the tests; `local/src/streams/answers.rs` writes them.
"""

import json
import pathlib
import re
import sys
import time
from collections import Counter
from datetime import datetime

from model import Model, Wrong

DENIED, INVALID = "AccessDeniedException", "ValidationException"
NOT_FOUND, CONFLICT = "ResourceNotFoundException", "ConflictException"
# The errors that each of the simulator's operations has for whoever asks, all of which have to have occurred. Whatever
# else tests make it answer has to be right too.
ERRORS = {
    "StartStreamSession": {DENIED, NOT_FOUND, CONFLICT, INVALID},
    "GetStreamSession": {DENIED, NOT_FOUND, INVALID},
    "ListStreamSessions": {DENIED, NOT_FOUND, INVALID},
    "ListStreamSessionsByAccount": {DENIED, INVALID},
    "TerminateStreamSession": {DENIED, NOT_FOUND, INVALID},
    "ExportStreamSessionFiles": {DENIED, NOT_FOUND, INVALID},
    "CreateStreamSessionConnection": {DENIED, NOT_FOUND, CONFLICT, INVALID},
}


class Answers:
    """All answers of a folder, judged."""

    def __init__(self, model):
        self.model = model
        self.operations = set()
        self.counts = Counter()
        # By what is wrong and where: an example, and how often.
        self.findings = {}
        # Word for word the same answer, but for its request id and its time, needs no second look.
        self.outcomes = {}

    def read(self, path):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    self.line(json.loads(line))
                except (Wrong, ValueError) as error:
                    what = re.sub(r"\[\d+\]|'.*?'|[\d.]{6,}", "", str(error))
                    example = f"{error}\n    {path.name}:{number}: {line.strip()[:400]}"
                    _, count = self.findings.get(what, (None, 0))
                    self.findings[what] = (example, count + 1)

    def line(self, entry):
        if "operations" in entry:
            self.operations.update(entry["operations"])
            return
        name, headers = entry["operation"], entry["headers"]
        same = (name, entry["status"], entry["body"], *(headers[key] for key in ("content-type", "x-amzn-errortype")))
        if same not in self.outcomes or not headers["x-amzn-requestid"]:
            at = datetime.fromisoformat(entry["time"][:26].rstrip("Z") + "+00:00").timestamp()
            self.outcomes[same] = self.model.check(name, entry["status"], headers, entry["body"], at)
        self.counts[name or "(none)", self.outcomes[same]] += 1

    def lacking(self):
        """What has to have occurred, and did not: a judge that saw nothing has found nothing."""
        for name in sorted(self.operations ^ set(ERRORS)):
            yield f"{name}: an operation of the simulator or of this list alone"
        for name in sorted(self.operations & set(ERRORS)):
            success = self.model.service.operation_model(name).http.get("responseCode", 200)
            for outcome in [success, *sorted(ERRORS[name])]:
                if not self.counts[name, outcome]:
                    yield f"{name}: no test had it answered with {outcome}"


def main(folder):
    start = time.monotonic()
    answers = Answers(Model())
    files = sorted(pathlib.Path(folder).glob("*.jsonl"))
    for path in files:
        answers.read(path)
    for (name, outcome), count in sorted(answers.counts.items(), key=str):
        print(f"answers: {name:<30} {outcome!s:<36} {count:>7}")
    print(f"answers: {sum(answers.counts.values())}, {len(answers.outcomes)} of them different, by {len(files)} processes;"
          f" checked in {time.monotonic() - start:.1f} s")  # fmt: skip
    findings = [f"{count} times, such as: {example}" for example, count in answers.findings.values()]
    findings += answers.lacking()
    for finding in findings:
        print(f"answers: NOT SO: {finding}")
    if findings:
        sys.exit(f"answers: {len(findings)} findings")
    print("answers: no findings")


main(*sys.argv[1:])
