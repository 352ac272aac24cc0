"""What is left of a CloudFormation template once its parameters have values.

Neither of the tools at hand evaluates conditions well enough: SAM's resolver takes an empty value for one that was not
given, and cfn-lint weighs conditions as formulas, a finding at a time. The language is small.
"""

import re

REF_IN_SUB = re.compile(r"\$\{([^!}][^}]*)\}")


class CannotEvaluate(Exception):
    """A condition uses something that this module does not know. It is to be taught here, not to be passed over."""


def text(value) -> str:
    """CloudFormation compares parameters as texts."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def function(node) -> tuple[str, object] | None:
    """Name and argument, if the node calls an intrinsic function. Short forms are long forms once they are read."""
    if isinstance(node, dict) and len(node) == 1:
        [(name, argument)] = node.items()
        if name.startswith("Fn::") or name in ("Ref", "Condition"):
            return name, argument
    return None


def names(node):
    """Yields what a part of a template refers to: parameters, resources and pseudo parameters."""
    match function(node):
        case "Ref", name:
            yield name
        case "Fn::GetAtt", argument:
            yield argument.split(".")[0] if isinstance(argument, str) else argument[0]
        case "Fn::Sub", argument:
            pattern, given = (argument, {}) if isinstance(argument, str) else argument
            yield from (it.split(".")[0] for it in REF_IN_SUB.findall(pattern) if it not in given)
            yield from names(list(given.values()))
        case _:
            children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            for child in children:
                yield from names(child)


class Evaluation:
    """One template with one value for each parameter that is asked for."""

    def __init__(self, template: dict, values: dict[str, str]):
        self.template = template
        self.values = values

    def condition(self, name: str) -> bool:
        if name not in self.template.get("Conditions", {}):
            raise CannotEvaluate(f"there is no condition {name}")
        return self.holds(self.template["Conditions"][name])

    def holds(self, expression) -> bool:
        match function(expression):
            case "Condition", name:
                return self.condition(name)
            case "Fn::Equals", [left, right]:
                return self.value(left) == self.value(right)
            case "Fn::Not", [operand]:
                return not self.holds(operand)
            case "Fn::And", operands:
                return all([self.holds(it) for it in operands])
            case "Fn::Or", operands:
                return any([self.holds(it) for it in operands])
            case "Fn::Contains", [several, one]:  # in Rules only
                return self.value(one) in [self.value(it) for it in several]
        raise CannotEvaluate(f"unknown in a condition: {expression}")

    def value(self, expression) -> str | list[str]:
        match function(expression):
            case "Ref", name if name in self.values:
                kind = self.template.get("Parameters", {}).get(name, {}).get("Type", "String")
                is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
                return self.values[name].split(",") if is_list else self.values[name]
            case "Fn::Sub", argument:
                pattern, given = (argument, {}) if isinstance(argument, str) else argument
                known = self.values | {name: self.value(it) for name, it in given.items()}
                if missing := [it for it in REF_IN_SUB.findall(pattern) if it not in known]:
                    raise CannotEvaluate(f"{missing[0]} has no value in {expression}")
                return REF_IN_SUB.sub(lambda it: text(known[it.group(1)]), pattern).replace("${!", "${")
            case "Fn::Join", [separator, parts]:
                parts = [self.value(it) for it in parts] if isinstance(parts, list) else self.value(parts)
                return separator.join(parts)
            case "Fn::Split", [separator, whole]:
                return self.value(whole).split(separator)
            case "Fn::Select", [index, parts]:
                parts = [self.value(it) for it in parts] if isinstance(parts, list) else self.value(parts)
                return parts[int(index)]
            case "Fn::FindInMap", [mapping, first, second]:
                mappings = self.template.get("Mappings", {})
                keys = [self.value(it) for it in (mapping, first, second)]
                try:
                    return text(mappings[keys[0]][keys[1]][keys[2]])
                except KeyError:
                    raise CannotEvaluate(f"the mappings have nothing for {' / '.join(keys)}") from None
            case None if isinstance(expression, str | int | float):
                return text(expression)
        raise CannotEvaluate(f"unknown in a value of a condition: {expression}")

    def is_accepted(self) -> bool:
        """Whether the template's Rules let these values pass."""
        return all(
            self.holds(assertion["Assert"])
            for rule in self.template.get("Rules", {}).values()
            if "RuleCondition" not in rule or self.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
        )

    def reduced(self, fixed: dict[str, str]) -> dict:
        """The template as if it had been written for these values: nothing in it is conditional.

        Parameters in `fixed` have but that one value, so that cfn-lint checks this very value wherever it is used.
        """
        template = {k: v for k, v in self.template.items() if k not in ("Conditions", "Rules")}
        resources = self.existing("Resources")
        for resource in resources.values():
            # CloudFormation does not wait for what is not made.
            if depends := resource.get("DependsOn"):
                depends = depends if isinstance(depends, list) else [depends]
                gone = self.template["Resources"].keys() - resources.keys()
                resource["DependsOn"] = [it for it in depends if it not in gone]
        template["Resources"] = resources
        if template.pop("Outputs", None) and (outputs := self.existing("Outputs")):
            template["Outputs"] = outputs
        template["Parameters"] = self.template.get("Parameters", {}) | {
            name: only(value, self.template["Parameters"][name])
            for name, value in fixed.items()
            if name in self.template.get("Parameters", {})
        }
        return {section: content for section, content in template.items() if content}

    def existing(self, section: str) -> dict:
        return {
            name: self.chosen({k: v for k, v in item.items() if k != "Condition"})
            for name, item in self.template.get(section, {}).items()
            if "Condition" not in item or self.condition(item["Condition"])
        }

    def chosen(self, node):
        """The node with each Fn::If replaced by its branch, and without AWS::NoValue and what it was the value of."""
        while (call := function(node)) and call[0] == "Fn::If":
            condition, yes, no = call[1]
            node = yes if self.condition(condition) else no
        if isinstance(node, dict):
            return {k: it for k, v in node.items() if (it := self.chosen(v)) != {"Ref": "AWS::NoValue"}}
        if isinstance(node, list):
            return [it for v in node if (it := self.chosen(v)) != {"Ref": "AWS::NoValue"}]
        return node


def only(value: str, definition: dict) -> dict:
    """The parameter if this were all it can be."""
    kept = {k: v for k, v in definition.items() if k not in ("AllowedValues", "AllowedPattern")}
    allowed = {} if "List" in definition["Type"] else {"AllowedValues": [value]}
    return kept | allowed | {"Default": value}
