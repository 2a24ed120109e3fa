//! One hash per meaning of a JSON document (RFC 8259): neither the order of keys, nor white space,
//! nor the spelling of a number changes it; anything else does, `null` instead of absence included.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Hashes who asks what of what, with which body.
///
/// Every part is written with a tag and its length in front, so that no two documents share a
/// spelling; canonical text (RFC 8785) would need the same walk and a buffer besides.
pub fn fingerprint(caller: &str, method: &str, path: &str, body: &Value) -> String {
    let mut hash = Sha256::new();
    for part in [caller, method, path] {
        write_text(&mut hash, b's', part);
    }
    write_value(&mut hash, body);
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}").expect("invariant: a string takes what is written to it");
    }
    hex
}

fn write_text(hash: &mut Sha256, tag: u8, text: &str) {
    write_count(hash, tag, text.len());
    hash.update(text.as_bytes());
}

fn write_count(hash: &mut Sha256, tag: u8, count: usize) {
    hash.update([tag]);
    hash.update((count as u64).to_be_bytes());
}

fn write_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Number(number) => write_number(hash, number),
        Value::String(string) => write_text(hash, b's', string),
        Value::Array(items) => {
            write_count(hash, b'a', items.len());
            items.iter().for_each(|item| write_value(hash, item));
        }
        Value::Object(fields) => {
            write_count(hash, b'o', fields.len());
            // Sorted already, unless the JSON library is built to keep the order of insertion.
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            for (name, field) in sorted {
                write_text(hash, b'k', name);
                write_value(hash, field);
            }
        }
    }
}

/// `1`, `1.0` and `1e0` are one number.
fn write_number(hash: &mut Sha256, number: &serde_json::Number) {
    if let Some(integer) = whole(number) {
        hash.update(b"i");
        hash.update(integer.to_be_bytes());
    } else {
        let float = number.as_f64().unwrap_or(f64::NAN);
        hash.update(b"d");
        hash.update(float.to_be_bytes());
    }
}

/// The number as an integer, when it is one that both spellings hold exactly.
fn whole(number: &serde_json::Number) -> Option<i128> {
    /// Beyond 2⁵³ a float no longer tells neighbors apart, so it is not taken for an integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(integer) = number.as_i64() {
        return Some(i128::from(integer));
    }
    if let Some(integer) = number.as_u64() {
        return Some(i128::from(integer));
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within ±2⁵³")]
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn hash(body: &Value) -> String {
        fingerprint("key_1", "POST", "/v1/orders", body)
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9_f64..1e9).prop_map(Value::from),
            "[a-z\"\\\\é ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]{1,2}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// The document with every object's fields in reverse order.
    fn reversed(document: &Value) -> Value {
        match document {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(fields) => {
                let mut turned = serde_json::Map::new();
                for (name, field) in fields.iter().rev() {
                    turned.insert(name.clone(), reversed(field));
                }
                Value::Object(turned)
            }
            other => other.clone(),
        }
    }

    /// Whether two documents mean the same; numbers by value.
    fn same(left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a == b,
                _ => a.as_f64() == b.as_f64(),
            },
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(k, v)| b.get(k).is_some_and(|other| same(v, other)))
            }
            _ => left == right,
        }
    }

    proptest! {
        #[test]
        fn order_and_white_space_never_matter(document in any_json()) {
            let pretty = serde_json::to_string_pretty(&reversed(&document)).expect("JSON");
            let read: Value = serde_json::from_str(&pretty).expect("JSON");
            prop_assert_eq!(hash(&document), hash(&read));
        }

        #[test]
        fn any_other_document_has_another_hash(left in any_json(), right in any_json()) {
            prop_assert_eq!(hash(&left) == hash(&right), same(&left, &right));
        }
    }

    #[test]
    fn null_is_not_absence_and_numbers_are_read_by_value() {
        assert_ne!(hash(&json!({"a": null})), hash(&json!({})));
        assert_eq!(hash(&json!({"a": 1})), hash(&json!({"a": 1.0})));
        assert_eq!(hash(&json!({"a": -0.0})), hash(&json!({"a": 0})));
        assert_ne!(hash(&json!({"a": 1})), hash(&json!({"a": "1"})));
        assert_ne!(hash(&json!([["a"], []])), hash(&json!([[], ["a"]])));
        assert_ne!(hash(&json!({"a": 1.5})), hash(&json!({"a": 1})));
    }

    #[test]
    fn who_asks_what_of_what_is_part_of_it() {
        let base = fingerprint("a", "POST", "/x", &Value::Null);
        assert_ne!(base, fingerprint("b", "POST", "/x", &Value::Null));
        assert_ne!(base, fingerprint("a", "PUT", "/x", &Value::Null));
        assert_ne!(base, fingerprint("a", "POST", "/y", &Value::Null));
        assert_ne!(
            fingerprint("ab", "c", "", &Value::Null),
            fingerprint("a", "bc", "", &Value::Null)
        );
    }
}
