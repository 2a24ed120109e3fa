//! What is asked without a key: how the process does, and what is to be read.

use serde_json::json;

use super::{
    fields::{needs, whole},
    operation::{Operation, get, post},
};
use crate::http::{kinds::Kind, v1::testing::ClockView};

const TEXT: &str = "text/plain";
const HTML: &str = "text/html";

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("healthz", "/healthz", "Tells whether the process answers")
            .answers_other(TEXT, "It does."),
        get("readyz", "/readyz", "Tells whether the process can take work")
            .says(
                "It can when the schema is one it knows and what is written reaches the disk: a \
                 standby, a read-only primary and a full disk say no.",
            )
            .answers_other(TEXT, "It can.")
            .or(&[Kind::Draining, Kind::LedgerUnreachable]),
        get("metrics", "/metrics", "Figures for Prometheus")
            .says("In production on a port of its own (`server.metrics_listen`).")
            .answers_other(TEXT, "The figures.")
            .in_dev(),
        get("get_clock", "/v1/testing/clock", "Tells what time it is here")
            .says("In dev mode alone.")
            .answers::<ClockView>(200, "The time, and how far ahead it is."),
        post("advance_clock", "/v1/testing/clock", "Puts the clock forward")
            .says(
                "In dev mode alone, for this process and while it runs: holds lapse, discounts \
                 end, reviews run out. It never goes back.",
            )
            .takes(
                [needs("advance_seconds", whole(1, "How far, at most a year."))],
                json!({ "advance_seconds": 600 }),
            )
            .answers::<ClockView>(200, "The time, and how far ahead it is."),
        get("openapi", "/openapi.json", "This document").answers_schema(
            200,
            "OpenAPI 3.1.",
            json!({ "type": "object" }),
        ),
        get("docs", "/docs", "These pages").answers_other(HTML, "The page."),
        get("postman", "/docs/postman.json", "This document, for Postman").answers_schema(
            200,
            "A collection, version 2.1.",
            json!({ "type": "object" }),
        ),
        get("guide", "/docs/{guide}", "A guide").answers_other(HTML, "The page."),
        get("policy", "/policies/{name}", "A policy of the shop")
            .answers_other(TEXT, "The policy."),
        get("problem", "/problems/{code}", "Explains a problem").answers_other(TEXT, "The page."),
        get("order_page", "/orders/{id}", "Where a buyer lands after paying")
            .answers_other(TEXT, "The page."),
        get("checkout_page", "/checkouts/{id}", "Where a buyer goes on")
            .answers_other(TEXT, "The page."),
        get(
            "payment_return",
            "/payments/return/{attempt}",
            "Where a buyer comes back to from a bank",
        )
        .says(
            "Asks the gateway what became of the payment, and says it. What the address \
                 carries beside is handed to the gateway, and not believed by itself.",
        )
        .answers_other(HTML, "The page."),
        post("gateway_notification", "/webhooks/{gateway}", "Takes what a payment gateway tells")
            .says(
                "Signed by the gateway over the bytes of the body. It is kept before it is \
                 answered, and looked into afterwards by asking the gateway; coming twice, late or \
                 out of order it changes nothing. A wrong signature, and one made more than five \
                 minutes away from this server's clock, is refused.",
            )
            .takes_schema(json!({ "type": "object" }), json!({ "id": "evt_1" }))
            .answers_other(TEXT, "It is kept.")
            .or(&[Kind::Unauthorized, Kind::Invalid, Kind::NotFound, Kind::LedgerUnreachable]),
    ]
}
