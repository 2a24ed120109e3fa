//! Card numbers where none may stand. They are refused before anything else looks at the request.

use actix_web::{dev::ServiceRequest, web};
use serde_json::Value;

use super::{
    kinds::Kind,
    problem::{Dialect, Problem},
    reading::At,
};
use crate::base::{Holds, is_card_number_in, looks_like_card_number};

/// Refuses a body with a card number in a text, a number or a name of a field; typed identifiers
/// are exempt. Which fields are typed depends on the protocol.
pub fn refuse_card_numbers(body: &Value, dialect: Dialect) -> Result<(), Problem> {
    let mut path = Vec::new();
    if has_card(body, dialect, &mut path) { Err(refusal(&pointer(&path))) } else { Ok(()) }
}

/// Refuses a card number in a key or in another name that machines make.
pub fn refuse_card_number_as_name(name: &str) -> Result<(), Problem> {
    if looks_like_card_number(name) { Err(refusal("")) } else { Ok(()) }
}

/// Refuses a card number in a field that only who reads it knows to be none's identifier.
pub fn refuse_card_number_at(at: &At<'_>) -> Result<(), Problem> {
    let is_card = at.value().as_str().is_some_and(looks_like_card_number);
    if is_card {
        Err(at.problem(Kind::CardNumber, FOUND.to_owned()).suggest(INSTEAD))
    } else {
        Ok(())
    }
}

/// Headers that are kept, besides keys.
const KEPT: &[&str] = &["ucp-agent"];

/// Refuses a card number in the parameters of an address, which stand in the logs of every proxy,
/// and in headers that are kept.
pub fn refuse_card_numbers_in_head(request: &ServiceRequest) -> Result<(), Problem> {
    for name in KEPT {
        let value = request.headers().get(*name).and_then(|value| value.to_str().ok());
        if value.is_some_and(looks_like_card_number) {
            let text = format!("The header `{name}` looks like it holds a payment card number.");
            return Err(Problem::new(Kind::CardNumber, text).suggest(INSTEAD));
        }
    }
    let query = request.query_string();
    if query.len() < TOO_SHORT {
        return Ok(());
    }
    // What cannot be read is refused where it is to be used.
    let Ok(pairs) = web::Query::<Vec<(String, String)>>::from_query(query) else { return Ok(()) };
    let bad = pairs.iter().find(|(name, value)| is_card_number_in(Holds::of(name), value));
    bad.map_or(Ok(()), |(name, _)| Err(refusal(&format!("/{name}"))))
}

/// What is said of one.
const FOUND: &str = "A text looks like it holds a payment card number.";

/// What is sent in its place.
const INSTEAD: &str = "Send a token of the payment handler instead; card numbers never enter here.";

/// Shorter than the shortest card number.
const TOO_SHORT: usize = 12;

fn refusal(pointer: &str) -> Problem {
    Problem::new(Kind::CardNumber, FOUND).at(pointer).suggest(INSTEAD)
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

fn has_card<'a>(value: &'a Value, dialect: Dialect, path: &mut Vec<Step<'a>>) -> bool {
    match value {
        Value::String(text) => {
            text.len() >= TOO_SHORT && is_card_number_in(holds(path, dialect), text)
        }
        Value::Number(number) => {
            let whole = number.as_u64().map(|number| number.to_string());
            // A whole number may be written with a point, or as a power of ten.
            let float = || number.as_f64().filter(|number| number.fract() == 0.0);
            let whole = whole.or_else(|| float().map(|number| format!("{number}")));
            whole.is_some_and(|text| is_card_number_in(holds(path, dialect), &text))
        }
        Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
            path.push(Step::Item(index));
            has_card(item, dialect, path) || path.pop().is_none()
        }),
        Value::Object(fields) => fields.iter().any(|(name, field)| {
            path.push(Step::Field(name));
            looks_like_card_number(name) || has_card(field, dialect, path) || path.pop().is_none()
        }),
        Value::Null | Value::Bool(_) => false,
    }
}

/// What a field may hold. `sku` and its like, and the `id` of an `item`, are identifiers; over ACP,
/// where the lines of a request are items, theirs, and those that name them; of our own routes, the
/// values of rules' lists, which are looked at by the kind of the list.
fn holds(path: &[Step<'_>], dialect: Dialect) -> Holds {
    // A token is a long random text, and one in some thousands holds a card's digits by chance.
    if path.iter().any(|step| matches!(step, Step::Field("credential" | "token"))) {
        return Holds::Random;
    }
    match path {
        [Step::Field("line_items"), Step::Item(_), Step::Field("id")]
        | [.., Step::Field("item_ids"), Step::Item(_)]
            if dialect == Dialect::Acp =>
        {
            Holds::Identifier
        }
        [Step::Field("value")] | [Step::Field("entries"), Step::Item(_), Step::Field("value")]
            if dialect == Dialect::Plain =>
        {
            Holds::Identifier
        }
        [.., Step::Field("item"), Step::Field("id")] => Holds::Identifier,
        [.., Step::Field(name)] | [.., Step::Field(name), Step::Item(_)] => Holds::of(name),
        _ => Holds::Text,
    }
}

fn pointer(path: &[Step<'_>]) -> String {
    path.iter().fold(String::new(), |pointer, step| match step {
        Step::Item(index) => format!("{pointer}/{index}"),
        // The name itself may be the number.
        Step::Field(name) if looks_like_card_number(name) => pointer,
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
            (json!({"metadata": {"n": 4.111_111_111_111_111e15}}), "/metadata/n"),
            (json!({"metadata": {"4111.1111.1111.1111": "x"}}), "/metadata"),
            (json!({"buyer": {"phone_number": CARD}}), "/buyer/phone_number"),
            (json!({"buyer": {"email": "4111111111111111@a.example"}}), "/buyer/email"),
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
    }

    #[test]
    fn typed_identifiers_uuids_and_random_tokens_pass() {
        for body in [
            json!({"line_items": [{"item": {"id": "4111111111111111"}}]}),
            json!({"sku": "4111111111111111", "attributes": {"barcode": "4111111111111111"}}),
            json!({"id": "41111111-1111-1111-8000-000000000000"}),
            json!({"credential": {"token": "tok_a4111111111111111b"}}),
            json!({"buyer": {"phone_number": "+49 1522 1710846"}}),
            json!({"signals": {"dev.doorbuster.customer_id": "4111111111111111111"}}),
            json!({"events": [{"tracking_number": "4111111111111111"}]}),
            json!({"order_id": 4_111_111_111_111_111_u64}),
            json!({"entries": [{"value": "4111111111111111"}]}),
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
        }
        assert!(refused_over(Dialect::Ucp, &lines).is_some(), "there it is a name of ours");
        assert_eq!(refused_over(Dialect::Ucp, &chosen), None, "a typed identifier everywhere");
        assert_eq!(refused_over(Dialect::Acp, &named).as_deref(), Some("/line_items/0/name"));
    }
}
