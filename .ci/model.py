"""botocore's model of GameLift Streams, as a judge of answers."""

import json
import re
import time

import botocore.session

# What any AWS service may answer before it comes to its own operations, with its HTTP status. The first two stand in
# AWS's list of common errors, the others in Smithy's protocol restJson1.
COMMON_ERRORS = {
    "IncompleteSignatureException": 400,
    "MissingAuthenticationTokenException": 403,
    "SerializationException": 400,
    "UnknownOperationException": 404,
}
# The service began in March 2025: nothing is older.
BEGINNING = 1741219200
JSON_TYPES = {
    "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
    "integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float),
}  # fmt: skip
# The model calls no member of a session required; these every session has.
ALWAYS = {"Arn", "Status", "Protocol", "Location", "ApplicationArn", "CreatedAt", "LastUpdatedAt"}


class Wrong(AssertionError):
    """An answer is not as the model has it."""


def demand(condition, *message):
    if not condition:
        raise Wrong("".join(str(part) for part in message))


class Model:
    """Compares answers with the service's model: statuses, codes, and bodies as they came over the wire."""

    def __init__(self):
        self.service = botocore.session.get_session().get_service_model("gameliftstreams")
        # Strings that are as their shape wants them: most come again and again.
        self.known = set()

    def check(self, name, status, headers, body, at=None):
        """Checks an answer to an operation, or to a request that is none. `headers` have names in lower case, `at` is
        when it was given. Returns its outcome: the status, or the error's code."""
        self.at = at or time.time()
        demand(headers.get("x-amzn-requestid"), name, ": no request id")
        outcome, shape = self.error(name, status, headers) if status >= 300 else self.success(name, status, headers)
        if shape is None:
            demand(body == "", name, ": a body where there is none: ", body)
        else:
            content_type = headers.get("content-type")
            demand(content_type in ("application/json", "application/x-amz-json-1.1"), name, ": ", content_type)
            self.value(shape, json.loads(body), name or "no operation")
        return outcome

    def success(self, name, status, headers):
        demand(name, "status ", status, " for what is no operation")
        operation = self.service.operation_model(name)
        expected = operation.http.get("responseCode", 200)
        demand(status == expected, name, ": status ", status, ", not ", expected)
        demand(not headers.get("x-amzn-errortype"), name, ": status ", status, " with an error's code")
        return status, operation.output_shape

    def error(self, name, status, headers):
        code = headers.get("x-amzn-errortype")
        shapes = {shape.name: shape for shape in self.service.operation_model(name).error_shapes} if name else {}
        if code in shapes:
            expected, shape = shapes[code].metadata["error"]["httpStatusCode"], shapes[code]
        else:
            demand(code in COMMON_ERRORS, name, ": ", code, " is none of its errors")
            # They have no model of their own: a message is all that they have in common.
            expected, shape = COMMON_ERRORS[code], self.service.shape_for("ValidationException")
        demand(status == expected, name, ": ", code, " with status ", status, ", not ", expected)
        return code, shape

    def value(self, shape, value, place):
        kind = shape.type_name
        if kind == "string":
            if (shape.name, value) not in self.known:
                self.string(shape, value, place)
                self.known.add((shape.name, value))
            return
        fits = isinstance(value, JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        demand(fits, place, ": ", repr(value), " is no ", kind)
        if kind == "structure":
            self.structure(shape, value, place)
        elif kind == "list":
            self.within(shape, len(value), value, place)
            for index, item in enumerate(value):
                self.value(shape.member, item, f"{place}[{index}]")
        elif kind == "map":
            self.within(shape, len(value), value, place)
            for key, item in value.items():
                self.value(shape.key, key, f"{place}.{key}")
                self.value(shape.value, item, f"{place}.{key}")
        elif kind == "timestamp":
            # Neither milliseconds nor a future, but for what a clock may be off.
            fits = BEGINNING <= value <= self.at + 1
            demand(fits, place, ": ", value, " lies before the service began, or after it answered at ", self.at)
        elif kind != "boolean":
            self.within(shape, value, value, place)

    def string(self, shape, value, place):
        demand(isinstance(value, str), place, ": ", repr(value), " is no string")
        self.within(shape, len(value), value, place)
        demand(not shape.enum or value in shape.enum, place, ": ", repr(value), " is none of ", shape.enum)
        pattern = shape.metadata.get("pattern")
        fits = not pattern or re.fullmatch(pattern, value)
        demand(fits, place, ": ", repr(value), " does not match ", pattern)

    def structure(self, shape, value, place):
        required = set(shape.required_members)
        if {"Arn", "Status"} <= set(shape.members):
            required |= ALWAYS
        demand(required <= set(value), place, ": lacks ", required - set(value))
        demand(set(value) <= set(shape.members), place, ": knows no ", set(value) - set(shape.members))
        for name, item in value.items():
            self.value(shape.members[name], item, f"{place}.{name}")

    @staticmethod
    def within(shape, size, value, place):
        limits = shape.metadata
        if "min" in limits:
            demand(size >= limits["min"], place, ": ", repr(value), " is below ", limits["min"])
        if "max" in limits:
            demand(size <= limits["max"], place, ": ", repr(value), " is above ", limits["max"])
