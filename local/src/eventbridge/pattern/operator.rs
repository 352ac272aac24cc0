//! What a single value of an event is compared with.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::{Bound, RangeBounds, RangeInclusive};

use serde_json::{Map, Value};

use super::PatternProblem;

/// The operators of <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
pub(super) const OPERATORS: [&str; 8] =
    ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// EventBridge compares numbers from -5e9 to 5e9.
const GREATEST_NUMBER: f64 = 5e9;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operator {
    /// A string, number, boolean or null.
    Equals(Value),
    /// In lower case.
    EqualsIgnoreCase(String),
    Prefix(String),
    /// In lower case.
    PrefixIgnoreCase(String),
    Suffix(String),
    /// In lower case.
    SuffixIgnoreCase(String),
    /// The texts between the stars.
    Wildcard(Vec<String>),
    Numeric(Bound<f64>, Bound<f64>),
    Cidr(AddressRange),
    Exists(bool),
    /// Matches what is there and matches none of these.
    AnythingBut(Vec<Operator>),
}

/// From the given address (not the network's first: so event-ruler) to the network's last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AddressRange {
    v4: bool,
    addresses: RangeInclusive<u128>,
}

type Parsed = Result<Operator, PatternProblem>;

impl Operator {
    /// Reads an item of a list of values.
    pub(super) fn parse(item: &Value) -> Parsed {
        match item {
            Value::Array(_) => Err(PatternProblem::NeitherListNorMap(item.to_string())),
            Value::Object(map) => {
                let (name, operand) = only(map)?;
                Self::named(name, operand)
            }
            scalar => Ok(Self::Equals(scalar.clone())),
        }
    }

    fn named(name: &str, operand: &Value) -> Parsed {
        match name {
            "anything-but" => anything_but(operand),
            "cidr" => cidr(operand),
            "equals-ignore-case" => {
                Ok(Self::EqualsIgnoreCase(string("equals-ignore-case", operand)?.to_lowercase()))
            }
            "exists" => match operand {
                Value::Bool(exists) => Ok(Self::Exists(*exists)),
                _ => Err(takes("exists", "true or false")),
            },
            "numeric" => numeric(operand),
            "prefix" => match ignore_case("prefix", operand)? {
                Some(text) => Ok(Self::PrefixIgnoreCase(text)),
                None => Ok(Self::Prefix(string("prefix", operand)?)),
            },
            "suffix" => match ignore_case("suffix", operand)? {
                Some(text) => Ok(Self::SuffixIgnoreCase(text)),
                None => Ok(Self::Suffix(string("suffix", operand)?)),
            },
            "wildcard" => wildcard(&string("wildcard", operand)?),
            _ => Err(PatternProblem::UnknownOperator(name.to_owned())),
        }
    }

    /// Whether the value, a scalar that is there, matches.
    pub(super) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Equals(expected) => equal(expected, value),
            Self::Exists(exists) => *exists,
            Self::AnythingBut(excluded) => !excluded.iter().any(|operator| operator.matches(value)),
            Self::Numeric(low, high) => value.as_f64().is_some_and(|number| (*low, *high).contains(&number)),
            _ => value.as_str().is_some_and(|text| self.matches_text(text)),
        }
    }

    fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::EqualsIgnoreCase(expected) => text.to_lowercase() == *expected,
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::PrefixIgnoreCase(prefix) => text.to_lowercase().starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::SuffixIgnoreCase(suffix) => text.to_lowercase().ends_with(suffix),
            Self::Wildcard(pieces) => matches_wildcard(pieces, text),
            Self::Cidr(range) => text.parse().is_ok_and(|address| range.contains(address)),
            Self::Equals(_) | Self::Exists(_) | Self::AnythingBut(_) | Self::Numeric(..) => false,
        }
    }
}

fn equal(expected: &Value, value: &Value) -> bool {
    match (expected.as_f64(), value.as_f64()) {
        (Some(expected), Some(number)) => expected.partial_cmp(&number) == Some(Ordering::Equal),
        _ => expected == value,
    }
}

/// A scalar, a list of strings or of numbers, or one operator with a string or a list of strings.
fn anything_but(operand: &Value) -> Parsed {
    const TAKES: PatternProblem = PatternProblem::Operand {
        operator: "anything-but",
        expected: "a string or number, a list of strings or of numbers, or prefix, suffix, wildcard or \
                   equals-ignore-case with a string or a list of strings",
    };
    let excluded: Vec<_> = if let Value::Object(map) = operand {
        let (name, operand) = only(map)?;
        if !["equals-ignore-case", "prefix", "suffix", "wildcard"].contains(&name.as_str()) {
            return Err(PatternProblem::UnknownOperator(format!("anything-but {name}")));
        }
        let texts = one_or_more(operand);
        if texts.iter().any(|text| !text.is_string() || text == "" && name != "equals-ignore-case") {
            return Err(TAKES);
        }
        texts.iter().map(|text| Operator::named(name, text)).collect::<Result<_, _>>()?
    } else {
        let values = one_or_more(operand);
        if !values.iter().all(Value::is_string) && !values.iter().all(Value::is_number) {
            return Err(TAKES);
        }
        values.iter().cloned().map(Operator::Equals).collect()
    };
    if excluded.is_empty() { Err(TAKES) } else { Ok(Operator::AnythingBut(excluded)) }
}

fn only(map: &Map<String, Value>) -> Result<(&String, &Value), PatternProblem> {
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry),
        _ => Err(PatternProblem::OneOperator(map.len())),
    }
}

fn one_or_more(operand: &Value) -> &[Value] {
    operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice)
}

/// `["=", n]`, `[op, n]`, or `[">" or ">=", n, "<" or "<=", m]`.
fn numeric(operand: &Value) -> Parsed {
    const TAKES: PatternProblem = PatternProblem::Operand {
        operator: "numeric",
        expected: "an operator and a number, or a lower and a higher bound, of -5e9 to 5e9",
    };
    let terms = operand.as_array().ok_or(TAKES)?;
    let bounds: Vec<_> = terms
        .chunks(2)
        .map(|pair| match pair {
            [Value::String(operator), Value::Number(number)] => {
                let number = number.as_f64().filter(|number| number.abs() <= GREATEST_NUMBER).ok_or(TAKES)?;
                Ok((operator.as_str(), number))
            }
            _ => Err(TAKES),
        })
        .collect::<Result<_, _>>()?;
    let (low, high) = match bounds.as_slice() {
        [("=", number)] => (Bound::Included(*number), Bound::Included(*number)),
        [(operator, number)] => match (lower(operator, *number), upper(operator, *number)) {
            (Some(low), _) => (low, Bound::Unbounded),
            (_, Some(high)) => (Bound::Unbounded, high),
            _ => return Err(TAKES),
        },
        [(low, bottom), (high, top)] if bottom < top => {
            (lower(low, *bottom).ok_or(TAKES)?, upper(high, *top).ok_or(TAKES)?)
        }
        _ => return Err(TAKES),
    };
    Ok(Operator::Numeric(low, high))
}

fn lower(operator: &str, number: f64) -> Option<Bound<f64>> {
    match operator {
        ">" => Some(Bound::Excluded(number)),
        ">=" => Some(Bound::Included(number)),
        _ => None,
    }
}

fn upper(operator: &str, number: f64) -> Option<Bound<f64>> {
    match operator {
        "<" => Some(Bound::Excluded(number)),
        "<=" => Some(Bound::Included(number)),
        _ => None,
    }
}

/// `*` stands for any text, `\*` and `\\` for themselves; `**` is refused.
fn wildcard(text: &str) -> Parsed {
    let mut pieces = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let piece = match (character, characters.peek()) {
            ('*', Some('*')) => return Err(takes("wildcard", "single stars")),
            ('*', _) => {
                pieces.push(String::new());
                continue;
            }
            ('\\', Some('*' | '\\')) => characters.next(),
            ('\\', _) => return Err(takes("wildcard", "a backslash before a star or a backslash alone")),
            (other, _) => Some(other),
        };
        if let Some(last) = pieces.last_mut() {
            last.extend(piece);
        }
    }
    Ok(Operator::Wildcard(pieces))
}

fn matches_wildcard(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return pieces.iter().all(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        match rest.split_once(piece.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

/// `a.b.c.d/n`. event-ruler takes fewer mask bits than the address has.
fn cidr(operand: &Value) -> Parsed {
    let range = string("cidr", operand).ok().and_then(|text| {
        let (address, bits) = text.split_once('/')?;
        AddressRange::new(address.parse().ok()?, bits.parse().ok()?)
    });
    range.map(Operator::Cidr).ok_or(takes("cidr", "an address, a slash and a number of bits"))
}

impl AddressRange {
    fn new(address: IpAddr, bits: u32) -> Option<Self> {
        let (v4, low, width) = flat(address);
        let hosts = width.checked_sub(bits).filter(|hosts| *hosts > 0)?;
        let mask = u128::MAX >> (128 - hosts);
        Some(Self { v4, addresses: low..=low | mask })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let (v4, number, _) = flat(address);
        v4 == self.v4 && self.addresses.contains(&number)
    }
}

/// Whether it is an IPv4 address, the address as a number, and its length in bits.
fn flat(address: IpAddr) -> (bool, u128, u32) {
    match address {
        IpAddr::V4(address) => (true, address.to_bits().into(), 32),
        IpAddr::V6(address) => (false, address.to_bits(), 128),
    }
}

/// The text of `{"equals-ignore-case": text}`, in lower case.
fn ignore_case(operator: &'static str, operand: &Value) -> Result<Option<String>, PatternProblem> {
    let Value::Object(map) = operand else { return Ok(None) };
    match map.get("equals-ignore-case") {
        Some(Value::String(text)) if map.len() == 1 => Ok(Some(text.to_lowercase())),
        _ => Err(takes(operator, "a string, or equals-ignore-case with a string")),
    }
}

fn string(operator: &'static str, operand: &Value) -> Result<String, PatternProblem> {
    operand.as_str().map(str::to_owned).ok_or(takes(operator, "a string"))
}

fn takes(operator: &'static str, expected: &'static str) -> PatternProblem {
    PatternProblem::Operand { operator, expected }
}
