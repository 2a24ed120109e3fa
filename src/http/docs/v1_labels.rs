//! What was found out about orders.

use schemars::JsonSchema;
use serde_json::json;

use super::{
    fields::{flag, list, may, moment, needs, object, one_of, text, whole, words},
    operation::{Operation, get, post},
    v1_fraud::{Items, ORDER},
};
use crate::{fraud::label_table::SOURCES, http::kinds::Kind, ledger::review::NewLabel};

/// What was found out, as it is written back.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Labeled {
    labels: Vec<NewLabel>,
}

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let label = || {
        [
            needs("fraud", flag("Whether it was fraud.")),
            needs("source", one_of(SOURCES.iter().copied(), "Who says so.")),
            may("at", moment("When it was found out; now, unless said.")),
            may("reason", text("The bank's code for why, such as `10.4`.")),
            may("note", text("What else is known, in words.")),
            may("amount_minor", whole(1, "How much of the order is disputed, in minor units.")),
            may("currency", text("The order's, with `amount_minor`.")),
        ]
    };
    let of_order = object([needs("order", words("The order."))].into_iter().chain(label()));
    let path = "/v1/orders/{id}/labels";
    vec![
        get("list_labels", path, "Lists what was found out about an order")
            .says(
                "The latest first; that one is believed. `author` is the API key that wrote it \
                 down. An amount is for your books: the whole order was fraud, or was not.",
            )
            .answers::<Items<NewLabel>>(200, "The labels."),
        post("label_order", path, "Says whether an order was fraud")
            .takes(label(), json!({ "fraud": true, "source": "dispute" }))
            .answers::<NewLabel>(201, "The label."),
        post("label_orders", "/v1/labels/bulk", "Labels many orders, all or none")
            .says("As JSON, or as a table: `text/csv` with columns of the same names.")
            .takes(
                [needs("labels", list(of_order, "The labels."))],
                json!({ "labels": [{ "order": ORDER, "fraud": false, "source": "import" }] }),
            )
            .answers::<Labeled>(201, "The labels.")
            .or(&[Kind::NotFound]),
    ]
}
