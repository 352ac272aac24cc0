//! An event as a flat list of fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Every scalar of an event, by its path.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    by_path: BTreeMap<String, Vec<Field<'a>>>,
    arrays: usize,
}

/// A scalar.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) value: &'a Value,
    pub(super) membership: Membership,
}

/// The arrays that a field is in, and in which element of each. Scalars directly in an array have no part in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Membership(BTreeMap<usize, usize>);

impl Membership {
    /// Both together; `None` if they are in different elements of the same array.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let mut joined = self.clone();
        for (array, element) in &other.0 {
            if *joined.0.entry(*array).or_insert(*element) != *element {
                return None;
            }
        }
        Some(joined)
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(event: &'a Value) -> Self {
        let mut fields = Self::default();
        if let Value::Object(map) = event {
            fields.add_map("", map, &Membership::default());
        }
        fields
    }

    /// The fields of this path.
    pub(super) fn at(&self, path: &str) -> &[Field<'a>] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    fn add_map(&mut self, path: &str, map: &'a Map<String, Value>, membership: &Membership) {
        for (key, value) in map {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.add(path, value, membership);
        }
    }

    fn add(&mut self, path: String, value: &'a Value, membership: &Membership) {
        match value {
            Value::Object(map) => self.add_map(&path, map, membership),
            Value::Array(items) => self.add_array(&path, items, membership),
            value => {
                let field = Field { value, membership: membership.clone() };
                self.by_path.entry(path).or_default().push(field);
            }
        }
    }

    fn add_array(&mut self, path: &str, items: &'a [Value], membership: &Membership) {
        let array = self.arrays;
        self.arrays += 1;
        for (element, item) in items.iter().enumerate() {
            let mut membership = membership.clone();
            if item.is_object() || item.is_array() {
                membership.0.insert(array, element);
            }
            self.add(path.to_owned(), item, &membership);
        }
    }
}
