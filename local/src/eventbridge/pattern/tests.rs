//! Statements about matching. Those about arrays, absence and existence were tried on AWS's event-ruler.

use serde_json::{Value, json};

use super::{Pattern, PatternProblem};

/// Whether an event whose detail is this matches a pattern whose detail is that.
fn detail(pattern: &Value, event: &Value) -> bool {
    Pattern::parse(&json!({"detail": pattern})).unwrap().matches(&json!({"detail": event}))
}

/// The same for a single field.
fn field(matcher: &Value, value: &Value) -> bool {
    detail(&json!({"f": [matcher]}), &json!({"f": value}))
}

#[track_caller]
fn check(matcher: &Value, yes: &[Value], no: &[Value]) {
    for value in yes {
        assert!(field(matcher, value), "{matcher} has to match {value}");
    }
    for value in no {
        assert!(!field(matcher, value), "{matcher} must not match {value}");
    }
}

fn problem(pattern: &Value) -> PatternProblem {
    Pattern::parse(pattern).expect_err("has to be refused").problem
}

fn field_problem(matcher: &Value) -> PatternProblem {
    problem(&json!({"detail": {"f": [matcher]}}))
}

#[test]
fn exact_values_match_by_type_and_value() {
    check(&json!("a"), &[json!("a")], &[json!("A"), json!("ab"), json!(""), json!(null), json!(1)]);
    check(&json!(""), &[json!("")], &[json!("a"), json!(null)]);
    check(&json!(5), &[json!(5), json!(5.0)], &[json!("5"), json!(6)]);
    check(&json!(true), &[json!(true)], &[json!(false), json!("true")]);
    check(&json!(null), &[json!(null)], &[json!("null"), json!("")]);
}

#[test]
fn any_of_several_values_suffices_and_all_fields_have_to_match() {
    let pattern = json!({"a": ["x", "y"], "b": {"c": [1]}});
    assert!(detail(&pattern, &json!({"a": "y", "b": {"c": 1}, "more": 2})));
    assert!(!detail(&pattern, &json!({"a": "z", "b": {"c": 1}})));
    assert!(!detail(&pattern, &json!({"a": "x", "b": {"c": 2}})));
    assert!(!detail(&pattern, &json!({"a": "x"})));
    assert!(!detail(&pattern, &json!("x")));
}

#[test]
fn prefix_suffix_and_case() {
    check(&json!({"prefix": "ab"}), &[json!("ab"), json!("abc")], &[json!("aB"), json!("cab"), json!(1)]);
    check(&json!({"prefix": ""}), &[json!(""), json!("x")], &[json!(1), json!(null)]);
    check(&json!({"suffix": ".zip"}), &[json!(".zip"), json!("a.zip")], &[json!("a.ZIP"), json!("a.zip.")]);
    check(&json!({"equals-ignore-case": "Ab"}), &[json!("ab"), json!("AB")], &[json!("abc"), json!(1)]);
    check(&json!({"prefix": {"equals-ignore-case": "Ab"}}), &[json!("aBc")], &[json!("cab")]);
    check(&json!({"suffix": {"equals-ignore-case": ".Zip"}}), &[json!("a.ZIP")], &[json!("a.zip.")]);
}

#[test]
fn a_wildcard_stands_for_any_text_and_can_be_escaped() {
    check(
        &json!({"wildcard": "exports/*.zip"}),
        &[json!("exports/.zip"), json!("exports/a/b.zip")],
        &[json!("exports/a.zip2"), json!("xexports/a.zip"), json!("exports.zip")],
    );
    check(&json!({"wildcard": "*a*b*"}), &[json!("ab"), json!("xaxbx")], &[json!("ba"), json!("a")]);
    check(&json!({"wildcard": "a*a"}), &[json!("aa"), json!("aba")], &[json!("a")]);
    check(&json!({"wildcard": "plain"}), &[json!("plain")], &[json!("plainer")]);
    check(&json!({"wildcard": r"a\*b\\"}), &[json!(r"a*b\")], &[json!(r"axb\")]);
}

#[test]
fn numeric_compares_with_one_bound_or_two() {
    check(&json!({"numeric": ["=", 3.5]}), &[json!(3.5)], &[json!(3), json!("3.5")]);
    check(&json!({"numeric": [">", 0, "<=", 5]}), &[json!(0.1), json!(5)], &[json!(0), json!(5.1)]);
    check(&json!({"numeric": [">=", 1]}), &[json!(1), json!(2)], &[json!(0)]);
    check(&json!({"numeric": ["<", 1]}), &[json!(-1)], &[json!(1)]);
}

#[test]
fn cidr_begins_at_the_given_address_as_in_event_ruler() {
    check(
        &json!({"cidr": "10.0.0.0/24"}),
        &[json!("10.0.0.0"), json!("10.0.0.255")],
        &[json!("10.0.1.0"), json!("x"), json!("::")],
    );
    check(&json!({"cidr": "10.0.0.9/24"}), &[json!("10.0.0.9")], &[json!("10.0.0.8")]);
    check(
        &json!({"cidr": "2001:db8::/32"}),
        &[json!("2001:db8:1::1")],
        &[json!("2001:db9::"), json!("10.0.0.1")],
    );
    check(&json!({"cidr": "::/0"}), &[json!("ffff::")], &[json!("0.0.0.0")]);
}

#[test]
fn anything_but_matches_whatever_is_there_and_is_not_excluded() {
    check(&json!({"anything-but": "a"}), &[json!("b"), json!(1), json!(null)], &[json!("a")]);
    check(&json!({"anything-but": ["a", "b"]}), &[json!("c"), json!(1)], &[json!("a"), json!("b")]);
    check(&json!({"anything-but": [1, 2]}), &[json!(3), json!("1")], &[json!(1), json!(2.0)]);
    check(&json!({"anything-but": {"prefix": "aws."}}), &[json!("mine")], &[json!("aws.s3")]);
    check(&json!({"anything-but": {"prefix": ["a", "b"]}}), &[json!("c")], &[json!("ax"), json!("bx")]);
    check(&json!({"anything-but": {"suffix": ".tmp"}}), &[json!("a.zip")], &[json!("a.tmp")]);
    check(&json!({"anything-but": {"wildcard": "*/tmp/*"}}), &[json!("a/b")], &[json!("a/tmp/b")]);
    check(&json!({"anything-but": {"equals-ignore-case": ["A"]}}), &[json!("b")], &[json!("a")]);
}

#[test]
fn anything_but_matches_an_array_with_any_element_that_is_not_excluded() {
    check(&json!({"anything-but": ["a"]}), &[json!(["a", "b"])], &[json!(["a"]), json!([])]);
    assert!(!detail(&json!({"f": [{"anything-but": "a"}]}), &json!({})), "a missing field is nothing");
    assert!(!field(&json!({"anything-but": "a"}), &json!({"g": 1})), "a map is no value");
}

#[test]
fn exists_looks_at_leaves() {
    check(
        &json!({"exists": true}),
        &[json!(1), json!(null), json!([1])],
        &[json!({"g": 1}), json!({}), json!([])],
    );
    check(&json!({"exists": false}), &[json!({"g": 1}), json!([])], &[json!(1), json!(null)]);
    assert!(detail(&json!({"f": [{"exists": false}]}), &json!({"g": 1})));
    assert!(detail(&json!({"f": {"g": [{"exists": false}]}}), &json!({"f": 1})));
    assert!(detail(&json!({"f": ["x", {"exists": false}]}), &json!({})), "absent, or this value");
    assert!(!detail(&json!({"f": ["x", {"exists": false}]}), &json!({"f": "y"})));
}

#[test]
fn an_array_in_the_event_matches_if_any_element_does() {
    assert!(field(&json!("b"), &json!(["a", "b"])));
    assert!(field(&json!("b"), &json!(["a", ["b"]])));
    assert!(!field(&json!("c"), &json!(["a", "b"])));
}

#[test]
fn two_fields_below_an_array_have_to_match_within_the_same_element() {
    let pattern = json!({"list": {"a": [1], "b": [2]}});
    assert!(detail(&pattern, &json!({"list": [{"a": 0}, {"a": 1, "b": 2}]})));
    assert!(!detail(&pattern, &json!({"list": [{"a": 1}, {"b": 2}]})));
    assert!(detail(&pattern, &json!({"list": {"a": 1, "b": 2}})));
    let nested = json!({"list": {"a": [1], "inner": {"b": [2]}}});
    assert!(detail(&nested, &json!({"list": [{"a": 1, "inner": [{"b": 3}, {"b": 2}]}]})));
    assert!(!detail(&nested, &json!({"list": [{"a": 1, "inner": []}, {"a": 2, "inner": [{"b": 2}]}]})));
}

#[test]
fn absence_below_an_array_is_judged_within_the_elements_matched_before() {
    // Fields are matched in the order of their names.
    let later = json!({"list": {"a": [1], "b": [{"exists": false}]}});
    assert!(detail(&later, &json!({"list": [{"a": 1}, {"b": 2}]})));
    assert!(!detail(&later, &json!({"list": [{"a": 1, "b": 2}]})));
    let first = json!({"list": {"a": [{"exists": false}], "b": [2]}});
    assert!(!detail(&first, &json!({"list": [{"a": 1}, {"b": 2}]})));
}

#[test]
fn or_takes_any_branch_together_with_what_is_next_to_it() {
    let pattern =
        json!({"x": [1], "$or": [{"a": [1]}, {"b": {"c": [2]}}, {"$or": [{"d": [3]}, {"e": [4]}]}]});
    assert!(detail(&pattern, &json!({"x": 1, "a": 1})));
    assert!(detail(&pattern, &json!({"x": 1, "b": {"c": 2}})));
    assert!(detail(&pattern, &json!({"x": 1, "e": 4})));
    assert!(!detail(&pattern, &json!({"x": 1, "a": 2})));
    assert!(!detail(&pattern, &json!({"a": 1})));
    let two = json!({"$or": [{"a": [1]}, {"b": [1]}], "f": {"$or": [{"c": [1]}, {"d": [1]}]}});
    assert!(detail(&two, &json!({"b": 1, "f": {"c": 1}})));
    assert!(!detail(&two, &json!({"b": 1, "f": {}})));
}

#[test]
fn or_at_the_top_chooses_among_envelopes() {
    let pattern = Pattern::parse(&json!({"$or": [{"source": ["a"]}, {"detail": {"x": [1]}}]})).unwrap();
    assert!(pattern.matches(&json!({"source": "a"})));
    assert!(pattern.matches(&json!({"source": "b", "detail": {"x": 1}})));
    assert!(!pattern.matches(&json!({"source": "b"})));
}

#[test]
fn a_key_that_no_envelope_has_is_refused() {
    for key in ["detailtype", "Source", "sources", "Detail"] {
        assert_eq!(problem(&json!({key: ["a"]})), PatternProblem::UnknownEnvelopeKey, "{key}");
    }
    assert_eq!(
        problem(&json!({"$or": [{"source": ["a"]}, {"sorce": ["a"]}]})),
        PatternProblem::UnknownEnvelopeKey
    );
}

#[test]
fn a_pattern_of_the_wrong_shape_is_refused() {
    for pattern in
        [json!({"source": "a"}), json!({"detail": {"f": 1}}), json!({"detail": null}), json!([]), json!("a")]
    {
        assert!(matches!(problem(&pattern), PatternProblem::NeitherListNorMap(_)), "{pattern}");
    }
    for pattern in
        [json!({}), json!({"detail": {}}), json!({"source": []}), json!({"$or": [{}, {"source": ["a"]}]})]
    {
        assert_eq!(problem(&pattern), PatternProblem::Empty, "{pattern}");
    }
    for or in [json!([{"f": [1]}]), json!([]), json!({"f": [1]}), json!([{"f": [1]}, 1])] {
        assert_eq!(problem(&json!({"detail": {"$or": or}})), PatternProblem::Or, "{or}");
    }
    assert_eq!(
        problem(&json!({"detail": {"f": [1], "$or": [{"f": [2]}, {"g": [2]}]}})),
        PatternProblem::Duplicate
    );
    assert_eq!(
        problem(&json!({"detail": {"$or": [{"prefix": ["a"]}, {"g": [2]}]}})),
        PatternProblem::Reserved("prefix".into())
    );
}

#[test]
fn an_unknown_operator_or_operand_is_refused() {
    for matcher in
        [json!({"prefixx": "a"}), json!({"exactly": "a"}), json!({"anything-but": {"cidr": "::/0"}})]
    {
        assert!(matches!(field_problem(&matcher), PatternProblem::UnknownOperator(_)), "{matcher}");
    }
    for matcher in [json!({}), json!({"prefix": "a", "suffix": "b"})] {
        assert!(matches!(field_problem(&matcher), PatternProblem::OneOperator(_)), "{matcher}");
    }
    for matcher in [
        json!({"prefix": 1}),
        json!({"prefix": ["a"]}),
        json!({"suffix": {"prefix": "a"}}),
        json!({"equals-ignore-case": ["a"]}),
        json!({"exists": "true"}),
        json!({"wildcard": "a**"}),
        json!({"wildcard": r"a\b"}),
        json!({"numeric": 5}),
        json!({"numeric": []}),
        json!({"numeric": ["="]}),
        json!({"numeric": ["~", 1]}),
        json!({"numeric": ["=", "1"]}),
        json!({"numeric": ["<", 5, ">", 1]}),
        json!({"numeric": [">", 5, "<", 5]}),
        json!({"numeric": [">", 1, "<", 5, "<", 6]}),
        json!({"numeric": ["=", 5e9 + 1.0]}),
        json!({"cidr": "10.0.0.0"}),
        json!({"cidr": "10.0.0.0/32"}),
        json!({"cidr": "::/129"}),
        json!({"anything-but": null}),
        json!({"anything-but": [true]}),
        json!({"anything-but": []}),
        json!({"anything-but": ["a", 1]}),
        json!({"anything-but": {"prefix": ""}}),
        json!({"anything-but": {"prefix": []}}),
        json!({"anything-but": {"prefix": {"equals-ignore-case": "a"}}}),
    ] {
        assert!(matches!(field_problem(&matcher), PatternProblem::Operand { .. }), "{matcher}");
    }
    assert!(matches!(field_problem(&json!(["a"])), PatternProblem::NeitherListNorMap(_)));
}

#[test]
fn an_error_names_the_field() {
    let error = Pattern::parse(&json!({"detail": {"a": {"b": ["x", {"pre": "y"}]}}})).unwrap_err();
    assert_eq!(error.to_string(), "event pattern, detail.a.b: unknown operator `pre`");
}
