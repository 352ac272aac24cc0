"""Which combinations of parameters are tried, and what a template is in each of them."""

import unittest

import combinations
from combinations import NoCombinations
from conditions import CannotEvaluate, Evaluation
from samtranslator.yaml_helper import yaml_parse


def tried(template: str) -> list[dict[str, str]]:
    return combinations.combinations(yaml_parse(template))


class Combinations(unittest.TestCase):
    def test_nothing_conditional_is_one_combination(self):
        self.assertEqual(tried("Parameters: {A: {Type: String}}"), [{}])

    def test_a_parameter_is_tried_with_what_it_is_compared_with_and_with_something_else(self):
        template = """
            Parameters: {A: {Type: String}, Unused: {Type: String}}
            Conditions: {IsOn: !Not [!Equals [!Ref A, ""]], IsX: !Equals [x, !Ref A]}"""
        self.assertEqual(tried(template), [{"A": ""}, {"A": "x"}, {"A": "sample"}])

    def test_conditions_of_conditions_multiply(self):
        template = """
            Parameters: {A: {Type: String}, B: {Type: String}}
            Conditions:
              Both: !And [!Condition IsA, !Not [!Equals [!Ref B, b]]]
              IsA: !Equals [!Ref A, a]"""
        self.assertEqual(len(tried(template)), 4)

    def test_something_else_is_the_default_if_it_is(self):
        template = """
            Parameters: {A: {Type: Number, Default: 365}}
            Conditions: {Is: !Equals [!Ref A, 0]}"""
        self.assertEqual(tried(template), [{"A": "0"}, {"A": "365"}])

    def test_something_else_is_one_of_the_allowed_values(self):
        template = """
            Parameters: {A: {Type: String, AllowedValues: ["yes", "no", "maybe"]}}
            Conditions: {Is: !Equals [!Ref A, "yes"]}"""
        self.assertEqual(tried(template), [{"A": "yes"}, {"A": "no"}])

    def test_something_else_matches_the_pattern(self):
        template = """
            Parameters: {A: {Type: String, Default: "", AllowedPattern: '^$|^[^@ ]+@[^@ ]+$'}}
            Conditions: {Is: !Equals [!Ref A, ""]}"""
        self.assertEqual(tried(template), [{"A": ""}, {"A": "someone@example.com"}])

    def test_something_else_keeps_to_the_bounds(self):
        template = """
            Parameters: {A: {Type: Number, MinValue: 0, MaxValue: 20}}
            Conditions: {Is: !Equals [!Ref A, 0]}"""
        self.assertEqual(tried(template), [{"A": "0"}, {"A": "7"}])

    def test_a_pattern_that_no_sample_matches_needs_a_value(self):
        template = """
            Parameters: {A: {Type: String, AllowedPattern: '^$|^zz9$'}}
            Conditions: {Is: !Equals [!Ref A, ""]}"""
        with self.assertRaisesRegex(NoCombinations, "No value of A is known.*VALUES"):
            tried(template)
        combinations.VALUES["A"] = "zz9"
        self.addCleanup(combinations.VALUES.pop, "A")
        self.assertEqual(tried(template), [{"A": ""}, {"A": "zz9"}])

    def test_the_key_of_a_mapping_takes_all_its_allowed_values(self):
        template = """
            Parameters: {Size: {Type: String, AllowedValues: [s, m, l]}}
            Mappings: {Sizes: {s: {Memory: 1}, m: {Memory: 2}, l: {Memory: 3}}}
            Resources: {F: {Properties: {MemorySize: !FindInMap [Sizes, !Ref Size, Memory]}}}"""
        self.assertEqual(tried(template), [{"Size": "s"}, {"Size": "m"}, {"Size": "l"}])
        with self.assertRaisesRegex(NoCombinations, "Size is the key of a mapping"):
            tried(template.replace(", AllowedValues: [s, m, l]", ""))

    def test_parameters_that_are_compared_are_equal_once(self):
        template = """
            Parameters: {A: {Type: String, AllowedValues: [x, y]}, B: {Type: String, AllowedValues: [y, z]}}
            Conditions: {Same: !Equals [!Ref A, !Ref B]}"""
        self.assertIn({"A": "y", "B": "y"}, tried(template))
        self.assertIn({"A": "y", "B": "z"}, tried(template))

    def test_a_list_is_compared_by_what_it_is_joined_to(self):
        template = """
            Parameters: {A: {Type: CommaDelimitedList, Default: ""}}
            Conditions: {Is: !Equals [!Join ["", !Ref A], ""]}"""
        self.assertEqual(tried(template), [{"A": ""}, {"A": "sample"}])

    def test_the_region_decides_too(self):
        template = "Conditions: {Is: !Equals [!Ref AWS::Region, eu-central-1]}"
        self.assertEqual([it["AWS::Region"] for it in tried(template)], combinations.REGIONS)

    def test_what_rules_refuse_is_not_tried(self):
        template = """
            Parameters: {A: {Type: String, AllowedValues: ["1", "2"]}, B: {Type: String, AllowedValues: ["1", "2"]}}
            Conditions: {IsA: !Equals [!Ref A, "1"], IsB: !Equals [!Ref B, "1"]}
            Rules:
              ANeedsB:
                RuleCondition: !Equals [!Ref A, "1"]
                Assertions: [{Assert: {"Fn::Contains": [["1"], !Ref B]}}]"""
        self.assertEqual(tried(template), [{"A": "1", "B": "1"}, {"A": "2", "B": "1"}, {"A": "2", "B": "2"}])

    def test_a_condition_that_never_changes_is_reported(self):
        template = """
            Parameters: {A: {Type: String, AllowedValues: [x, y]}}
            Conditions: {Is: !Equals [!Ref A, z]}"""
        with self.assertRaisesRegex(NoCombinations, "The condition Is is False whatever is tried for A"):
            tried(template)

    def test_too_many_are_refused(self):
        names = [f"P{index}" for index in range(9)]
        parameters = ", ".join(f"{it}: {{Type: String}}" for it in names)
        conditions = ", ".join(f"C{it}: !Equals [!Ref {it}, x]" for it in names)
        with self.assertRaisesRegex(NoCombinations, "512 combinations of .* are more than the 256"):
            tried(f"Parameters: {{{parameters}}}\nConditions: {{{conditions}}}")

    def test_a_function_that_is_not_known_is_reported(self):
        with self.assertRaisesRegex(CannotEvaluate, "Fn::GetAZs"):
            tried('Conditions: {Is: !Equals [!Select [0, !GetAZs ""], x]}')


class Reduction(unittest.TestCase):
    TEMPLATE = yaml_parse("""
        Parameters: {A: {Type: String, AllowedValues: [x, y]}, B: {Type: Number, AllowedValues: [1, 2]}}
        Conditions: {Is: !Equals [!Ref A, x]}
        Resources:
          Always:
            Type: T
            DependsOn: [Sometimes, Other]
            Properties:
              Gone: !If [Is, !Ref AWS::NoValue, 1]
              Chosen: !If [Is, !If [Is, yes, no], no]
              List: [1, !If [Is, 2, !Ref AWS::NoValue]]
              Statement: {Condition: {Bool: {x: true}}}
          Other: {Type: T}
          Sometimes: {Type: T, Condition: Is}
        Outputs: {Name: {Condition: Is, Value: !Ref Sometimes}}
        """)

    def reduced(self, value: str) -> dict:
        return Evaluation(self.TEMPLATE, {"A": value, "B": "1"}).reduced({"A": value})

    def test_what_a_condition_keeps_stays_without_it(self):
        reduced = self.reduced("x")
        self.assertNotIn("Conditions", reduced)
        self.assertEqual(reduced["Resources"]["Sometimes"], {"Type": "T"})
        self.assertEqual(reduced["Outputs"], {"Name": {"Value": {"Ref": "Sometimes"}}})
        always = reduced["Resources"]["Always"]
        self.assertEqual(always["DependsOn"], ["Sometimes", "Other"])
        statement = {"Condition": {"Bool": {"x": True}}}
        self.assertEqual(always["Properties"], {"Chosen": True, "List": [1, 2], "Statement": statement})

    def test_what_a_condition_removes_is_gone(self):
        reduced = self.reduced("y")
        self.assertEqual(list(reduced["Resources"]), ["Always", "Other"])
        self.assertNotIn("Outputs", reduced)
        always = reduced["Resources"]["Always"]
        self.assertEqual(always["DependsOn"], ["Other"])
        statement = {"Condition": {"Bool": {"x": True}}}
        self.assertEqual(always["Properties"], {"Gone": 1, "Chosen": False, "List": [1], "Statement": statement})

    def test_only_parameters_that_decide_lose_their_other_values(self):
        parameters = self.reduced("y")["Parameters"]
        self.assertEqual(parameters["A"], {"Type": "String", "Default": "y", "AllowedValues": ["y"]})
        self.assertEqual(parameters["B"], self.TEMPLATE["Parameters"]["B"])


if __name__ == "__main__":
    unittest.main()
