use super::{refused, with};

fn parameter(declaration: &str, given: Option<&str>) -> Result<String, super::TemplateError> {
    let template =
        format!("Parameters:\n  P: {declaration}\nResources: {{}}\nOutputs:\n  V: {{Value: !Ref P}}\n");
    let given: Vec<_> = given.map(|value| ("P", value)).into_iter().collect();
    with(&template, &given).map(|mut stack| stack.outputs.remove("V").expect("the output"))
}

#[test]
fn a_given_value_wins_over_the_default() {
    assert_eq!(parameter("{Type: String, Default: a}", None).unwrap(), "a");
    assert_eq!(parameter("{Type: String, Default: a}", Some("b")).unwrap(), "b");
    assert_eq!(parameter("{Type: Number, Default: 5}", None).unwrap(), "5");
    assert_eq!(parameter("{Type: String, Default: ''}", None).unwrap(), "");
}

#[test]
fn a_parameter_without_value_and_default_is_refused() {
    assert!(
        refused(parameter("{Type: String}", None)).starts_with("Parameters.P: the parameter has no default")
    );
}

#[test]
fn a_value_for_no_parameter_is_refused() {
    assert_eq!(
        refused(with("Resources: {}\n", &[("Other", "x")])),
        "Parameters.Other: the template has no such parameter"
    );
}

#[test]
fn a_value_outside_of_what_is_allowed_is_refused() {
    for (declaration, good, bad) in [
        ("{Type: String, AllowedValues: [a, b]}", "a", "c"),
        ("{Type: Number, AllowedValues: [1, 30]}", "30", "3"),
        ("{Type: String, AllowedPattern: 'a+'}", "aa", "aab"),
        ("{Type: String, AllowedPattern: '^(?!Mine$).*$'}", "Mines", "Mine"),
        ("{Type: String, MinLength: 2}", "ab", "a"),
        ("{Type: String, MaxLength: 2}", "ab", "abc"),
        ("{Type: Number, MinValue: 2}", "2", "1"),
        ("{Type: Number, MaxValue: 2.5}", "2.5", "3"),
        ("{Type: Number}", "-1.5", "one"),
        ("{Type: List<Number>, AllowedValues: [1, 2]}", "1", "1,3"),
    ] {
        let template = format!("Parameters:\n  P: {declaration}\nResources: {{}}\n");
        assert!(with(&template, &[("P", good)]).is_ok(), "{declaration} {good}");
        let error = refused(with(&template, &[("P", bad)]));
        assert!(
            error.starts_with("Parameters.P: the value `") && error.contains("is not allowed"),
            "{error}"
        );
    }
}

#[test]
fn the_default_has_to_be_allowed_too() {
    assert!(
        refused(parameter("{Type: String, Default: c, AllowedValues: [a, b]}", None)).contains("not allowed")
    );
}

#[test]
fn the_declarations_own_words_explain_what_is_allowed() {
    let error = parameter("{Type: String, AllowedPattern: a, ConstraintDescription: Give an a.}", Some("b"));
    assert_eq!(refused(error), "Parameters.P: the value `b` is not allowed: Give an a.");
}

#[test]
fn a_type_or_key_that_is_not_known_is_refused() {
    assert!(
        refused(parameter("{Type: AWS::EC2::VPC::Id, Default: x}", None)).starts_with("Parameters.P.Type")
    );
    assert!(refused(parameter("{Type: String, Defalt: x}", None)).contains("unknown key `Defalt`"));
}
