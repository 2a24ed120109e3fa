//! Card numbers where none may stand. They are refused before anything else looks at the request.

use serde_json::Value;
use uuid::Uuid;

use super::{
    asking::TABLE,
    kinds::Kind,
    problem::{Dialect, Problem},
};
use crate::base::{TYPED_NAMES, is_card_number, looks_like_card_number};

/// Letters before the `_` of an id of ours.
const OWN_PREFIX_MAX: usize = 4;

/// Shorter than the shortest card number.
const TOO_SHORT: usize = 13;

/// Refuses a body with a card number in a text, a number or a name of a field; typed identifiers
/// are exempt. Which fields are typed depends on the protocol.
pub fn refuse_card_numbers(body: &Value, dialect: Dialect) -> Result<(), Problem> {
    let mut path = Vec::new();
    if has_card(body, dialect, &mut path) { Err(refusal(&pointer(&path))) } else { Ok(()) }
}

/// Refuses a card number in the place of a key or another name that machines make.
pub fn refuse_card_number_as_name(name: &str) -> Result<(), Problem> {
    if is_card_number(name) { Err(refusal("")) } else { Ok(()) }
}

fn refusal(pointer: &str) -> Problem {
    Problem::new(Kind::CardNumber, "A text looks like it holds a payment card number.")
        .at(pointer)
        .suggest("Send a token of the payment handler instead; card numbers never enter here.")
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

fn has_card<'a>(value: &'a Value, dialect: Dialect, path: &mut Vec<Step<'a>>) -> bool {
    match value {
        Value::String(text) if matches!(path[..], [Step::Field(TABLE)]) => {
            text.split([',', ';', '\t', '\n', '\r', '"']).any(|cell| is_card(cell.trim()))
        }
        Value::String(text) => !is_typed(path, dialect) && text_has_card(text, path),
        Value::Number(number) => {
            let long = number.as_u64().filter(|number| *number >= 1_000_000_000_000);
            long.is_some_and(|number| looks_like_card_number(&number.to_string()))
        }
        Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
            path.push(Step::Item(index));
            has_card(item, dialect, path) || path.pop().is_none()
        }),
        Value::Object(fields) => fields.iter().any(|(name, field)| {
            path.push(Step::Field(name));
            is_card(name) || has_card(field, dialect, path) || path.pop().is_none()
        }),
        Value::Null | Value::Bool(_) => false,
    }
}

fn text_has_card(text: &str, path: &[Step<'_>]) -> bool {
    if text.len() < TOO_SHORT {
        return false;
    }
    // A token is a long random text, and one in some thousands holds a card's digits by chance:
    // there only digits that stand by themselves count.
    let in_credential = path.iter().any(|step| matches!(step, Step::Field("credential" | "token")));
    if in_credential { stands_alone(text) } else { is_card(text) }
}

fn is_card(text: &str) -> bool {
    // One UUID in some ten thousand holds a card's digits by chance.
    text.len() >= TOO_SHORT
        && looks_like_card_number(text)
        && Uuid::try_parse(text).is_err()
        && !is_own_id(text)
}

/// An id that we gave: a prefix and the digits of a UUID. Some of a thousand hold a card's number
/// by chance.
fn is_own_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, digits)| {
        prefix.len() <= OWN_PREFIX_MAX
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && digits.len() == 32
            && Uuid::try_parse(digits).is_ok()
    })
}

/// Whether a card number stands in the text with no letter touching it.
fn stands_alone(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != ' ' && c != '-')
        .filter(|part| !part.bytes().any(|byte| byte.is_ascii_alphabetic()))
        .any(is_card)
}

/// `sku` and its like, and the `id` of an `item`; over ACP, where the lines of a request are items,
/// theirs, and those that name them.
fn is_typed(path: &[Step<'_>], dialect: Dialect) -> bool {
    match path {
        [Step::Field("line_items"), Step::Item(_), Step::Field("id")]
        | [.., Step::Field("item_ids"), Step::Item(_)] => dialect == Dialect::Acp,
        [.., Step::Field("item"), Step::Field("id")] => true,
        [.., Step::Field(name)] => TYPED_NAMES.contains(name),
        _ => false,
    }
}

fn pointer(path: &[Step<'_>]) -> String {
    path.iter().fold(String::new(), |pointer, step| match step {
        Step::Item(index) => format!("{pointer}/{index}"),
        // The name itself may be the number.
        Step::Field(name) if is_card(name) => pointer,
        Step::Field(name) => format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CARD: &str = "4111 1111 1111 1111";

    fn refused_at(body: &Value) -> Option<String> {
        refused_over(Dialect::Plain, body)
    }

    fn refused_over(dialect: Dialect, body: &Value) -> Option<String> {
        let mut path = Vec::new();
        has_card(body, dialect, &mut path).then(|| pointer(&path))
    }

    #[test]
    fn cards_are_found_wherever_people_and_platforms_write() {
        for (body, at) in [
            (json!({"buyer": {"first_name": CARD}}), "/buyer/first_name"),
            (json!({"line_items": [{"id": "a"}, {"id": CARD}]}), "/line_items/1/id"),
            (json!({"metadata": {"note": format!("use {CARD}!")}}), "/metadata/note"),
            (json!({"metadata": {"n": 4_111_111_111_111_111_u64}}), "/metadata/n"),
            (json!({"metadata": {"4111111111111111": "x"}}), "/metadata"),
            (json!({"payment": {"token": "4111-1111-1111-1111"}}), "/payment/token"),
            (json!({"credential": {"number": "4111111111111111"}}), "/credential/number"),
        ] {
            assert_eq!(refused_at(&body).as_deref(), Some(at), "{body}");
        }
    }

    #[test]
    fn ids_of_ours_pass_and_cells_beside_them_do_not() {
        let order = "ord_41111111111111114111111111111111";
        for body in [
            json!({"labels": [{"order": order}]}),
            json!({"csv": format!("order,fraud\n{order},true\n{order},false\n")}),
        ] {
            assert_eq!(refused_at(&body), None, "{body}");
        }
        let table = format!("order,fraud,source\n{order},true,{CARD}\n");
        assert_eq!(refused_at(&json!({"csv": table})).as_deref(), Some("/csv"));
        let other = format!("Ord_{}", &order[4..]);
        assert_eq!(refused_at(&json!({"order": other})).as_deref(), Some("/order"));
    }

    #[test]
    fn typed_identifiers_uuids_and_random_tokens_pass() {
        for body in [
            json!({"line_items": [{"item": {"id": "4111111111111111"}}]}),
            json!({"sku": "4111111111111111", "attributes": {"barcode": "4111111111111111"}}),
            json!({"id": "41111111-1111-1111-8000-000000000000"}),
            json!({"credential": {"token": "tok_a4111111111111111b"}}),
        ] {
            assert_eq!(refused_at(&body), None, "{body}");
        }
    }

    #[test]
    fn over_acp_a_line_is_an_item_and_its_id_a_sku() {
        let lines = json!({"line_items": [{"id": "4111111111111111"}]});
        let chosen = json!({"selected_fulfillment_options": [{"item_ids": ["4111111111111111"]}]});
        let named = json!({"line_items": [{"id": "TEE", "name": CARD}]});
        for body in [&lines, &chosen] {
            assert_eq!(refused_over(Dialect::Acp, body), None, "{body}");
            assert!(refused_over(Dialect::Ucp, body).is_some(), "{body}");
        }
        assert_eq!(refused_over(Dialect::Acp, &named).as_deref(), Some("/line_items/0/name"));
    }
}
