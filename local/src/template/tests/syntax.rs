use super::{Problem, refused, resolve, value};

#[test]
fn json_is_yaml() {
    let stack = resolve(r#"{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}"#).unwrap();
    assert_eq!(stack.queues[0].name, "s-Queue-local");
}

#[test]
fn a_quoted_number_stays_a_string_and_a_plain_one_becomes_one() {
    assert_eq!(value("'012'").unwrap(), "012");
    assert_eq!(value("12").unwrap(), "12");
    assert_eq!(value("true").unwrap(), "true");
    assert_eq!(value("2010-09-09").unwrap(), "2010-09-09");
}

#[test]
fn what_yaml_1_1_and_1_2_read_differently_is_refused() {
    for scalar in ["yes", "off", "No", "012", "0x1f", "1:30", "1_000", "0o17"] {
        let error = value(scalar).unwrap_err();
        assert!(matches!(error.problem, Problem::AmbiguousScalar(_)), "{scalar}: {error}");
    }
}

#[test]
fn an_error_in_the_syntax_names_the_line() {
    assert_eq!(
        refused(resolve("Resources:\n  A: !Reff B\n")),
        "line 2: the intrinsic function `!Reff` is unknown here"
    );
    assert!(refused(resolve("Resources:\n  A: [1\n")).starts_with("line "));
    assert!(refused(resolve("")).contains("empty"));
    assert!(refused(resolve("a: 1\n---\nb: 2\n")).contains("single document"));
}

#[test]
fn a_key_given_twice_is_refused() {
    assert_eq!(
        refused(resolve("Resources:\n  A: {Type: x}\n  A: {Type: y}\n")),
        "line 3: `A` is declared twice"
    );
}

#[test]
fn aliases_and_merge_keys_are_refused_as_by_cloudformation() {
    assert!(refused(resolve("Resources: &a {}\nOutputs: *a\n")).contains("aliases"));
    assert!(refused(resolve("Resources:\n  <<: {}\n")).contains("merge keys"));
}

#[test]
fn a_key_that_nobody_reads_is_refused() {
    assert_eq!(refused(resolve("Resource: {}\n")), "the template: unknown key `Resource`");
    assert_eq!(
        refused(resolve("Resources:\n  Queue: {Type: AWS::SQS::Queue, Propertys: {}}\n")),
        "Resources.Queue: unknown key `Propertys`"
    );
    assert_eq!(refused(resolve("Resources:\n  Queue: {}\n")), "Resources.Queue: `Type` is missing");
}
