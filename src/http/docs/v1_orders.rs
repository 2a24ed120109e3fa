//! `/v1/orders`: the express lane, and what becomes of an order.

use serde_json::{Value, json};

use super::{
    fields::{flag, list, may, moment, needs, object, of, one_of, said, some, text, whole, words},
    operation::{Operation, get, post},
};
use crate::{
    base::{Address, Buyer},
    http::{
        kinds::Kind,
        v1::{order_answer::OrderWire, order_changes::ChangeView, order_view::OrderView},
    },
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![place(), list_orders(), get_order(), ship(), adjust(), shift()]
}

fn place() -> Operation {
    post("place_order", "/v1/orders", "Places an order in one request")
        .says(
            "The express lane: the answer is an order, or a problem that says why there is none. \
             `expected_total` makes it a promise: at another total nothing is charged. `payment` \
             is needed unless the order costs nothing; then no gateway is asked, and what stands \
             there has no effect.",
        )
        .takes(
            [
                needs("lines", some(line(), "What is bought.")),
                needs("buyer", buyer()),
                may("payment", payment()),
                may("currency", text("ISO 4217. That of the products unless said.")),
                may("expected_total", whole(0, "In minor units; say the `currency` too.")),
                may("shipping_address", of::<Address>()),
                may("discount_codes", list(text("A code."), "Codes the buyer typed.")),
                may("delivery", delivery()),
                may("signals", signals()),
            ],
            json!({
                "lines": [{ "sku": "TEE-RED-M", "quantity": 1 }],
                "buyer": { "email": "ada@example.com" },
                "shipping_address": { "street_address": "1 Main St", "address_locality": "Berlin",
                                      "postal_code": "10115", "address_country": "DE" },
                "payment": { "token": "success_token" },
            }),
        )
        .answers::<OrderWire<'_>>(201, "The order is placed.")
        .answers::<OrderWire<'_>>(202, "The bank has not answered: placed or given up soon.")
        .or(&[
            Kind::PaymentDeclined,
            Kind::PaymentChallenged,
            Kind::PaymentUnavailable,
            Kind::OutOfStock,
            Kind::TotalChanged,
            Kind::CheckoutEnded,
            Kind::CheckoutCompleting,
            Kind::ItemUnavailable,
            Kind::CurrencyMismatch,
            Kind::DiscountRefused,
            Kind::DeliveryOpen,
            Kind::Undeliverable,
            Kind::TotalTooLarge,
        ])
}

fn line() -> Value {
    object([
        needs("sku", words("Which product.")),
        needs("quantity", whole(1, "How many.")),
        may("id", text("A name of yours for the line.")),
    ])
}

fn buyer() -> Value {
    let mut buyer = of::<Buyer>();
    buyer["required"] = json!(["email"]);
    buyer["description"] = "Who buys.".into();
    buyer
}

fn payment() -> Value {
    let fields = [
        needs("token", words("A token of the payment handler, never a card number.")),
        may("handler", text("Which handler.")),
        may("billing_address", of::<Address>()),
    ];
    said("How it is paid.", object(fields))
}

fn delivery() -> Value {
    let fields = [
        needs("method", one_of(["shipping", "pickup"], "How the goods come.")),
        may("option", text("Which shipping rate.")),
        may("location", text("Which pickup location.")),
    ];
    said("How the goods come.", object(fields))
}

/// What a storefront sees of the buyer's instrument and device.
fn signals() -> Value {
    let fields = [
        may("dev.ucp.buyer_ip", text("The buyer's network address.")),
        may("dev.ucp.user_agent", text("The buyer's browser or app.")),
        may("dev.doorbuster.card_fingerprint", text("The gateway's name for the card itself.")),
        may("dev.doorbuster.card_bin", text("The first six or eight digits of the card.")),
        may("dev.doorbuster.card_funding", text("`credit`, `debit` or `prepaid`.")),
        may("dev.doorbuster.card_country", text("The issuer's country.")),
        may("dev.doorbuster.wallet", flag("Whether the card is in a phone's wallet.")),
        may("dev.doorbuster.device_id", text("The device, as you know it again.")),
        may("dev.doorbuster.language", text("The buyer's language, BCP 47.")),
        may("dev.doorbuster.ip_country", text("Where the network address is.")),
        may("dev.doorbuster.ip_asn", whole(0, "The network the address belongs to.")),
        may("dev.doorbuster.customer_id", text("Your name for the account; none for a guest.")),
        may("dev.doorbuster.account_created_at", moment("Since when the account exists.")),
        may("dev.doorbuster.session_started_at", moment("When the buyer came to the shop.")),
        may("dev.doorbuster.utc_offset_minutes", whole(-720, "The buyer's offset from UTC.")),
        may("dev.doorbuster.agent", flag("Whether software orders for the buyer.")),
    ];
    let mut signals = object(fields);
    // Names of others are passed over; the platform sends its own to every shop.
    signals["additionalProperties"] = true.into();
    said("What is seen of instrument and device, for judging trust.", signals)
}

fn list_orders() -> Operation {
    let moved = one_of(["due", "done", "refused"], "");
    get("list_orders", "/v1/orders", "Lists orders, newest first")
        .says(
            "A buyer is found by the whole e-mail address or name, or by the last word of it; \
             case does not matter.",
        )
        .query("id", text(""), "Only this order.")
        .query("email", text(""), "Only orders of this buyer.")
        .query("name", text(""), "Only orders of buyers of this name.")
        .query("min_minor", whole(0, ""), "Only from this total on; say the `currency` too.")
        .query("max_minor", whole(0, ""), "Only up to this total; say the `currency` too.")
        .query("currency", text(""), "Only orders in this currency.")
        .query("sku", text(""), "Only orders with this SKU.")
        .query("placed_from", moment(""), "Only orders placed then or later.")
        .query("placed_before", moment(""), "Only orders placed before.")
        .query("payment", moved, "Only orders with a movement of money in this state.")
        .paged::<OrderView>()
}

fn get_order() -> Operation {
    get("get_order", "/v1/orders/{id}", "Shows an order with its buyer")
        .answers::<OrderView>(200, "The order.")
}

fn moved_line(more: Option<Value>) -> Value {
    let kind = more.map(|kind| needs("kind", kind));
    let fields = [
        needs("line", whole(1, "The line, from 1.")),
        needs("quantity", whole(1, "How many units.")),
    ];
    object(fields.into_iter().chain(kind))
}

fn ship() -> Operation {
    post("ship_order", "/v1/orders/{id}/shipments", "Sends goods")
        .says("The lines named, or everything that has not left yet.")
        .takes(
            [
                may("lines", list(moved_line(None), "What leaves.")),
                may("carrier", text("Who brings it.")),
                may("tracking_number", text("The carrier's name for the parcel.")),
                may("tracking_url", text("Where the buyer can follow it.")),
                may("reason", text("For the books.")),
            ],
            json!({ "lines": [{ "line": 1, "quantity": 1 }], "carrier": "Demo Post",
                    "tracking_number": "JD0123", "tracking_url": "https://post.example/JD0123" }),
        )
        .answers::<ChangeView<'_>>(201, "What moved.")
        .or(CHANGES)
}

/// How a change of an order may be refused.
const CHANGES: &[Kind] = &[
    Kind::LineShort,
    Kind::InReview,
    Kind::NotCaptured,
    Kind::RefundTooLarge,
    Kind::CheckoutCompleting,
];

fn adjust() -> Operation {
    let kind = one_of(
        ["return", "restock"],
        "`return`: units that had shipped come back. `restock`: unshipped units go back on sale.",
    );
    post("adjust_order", "/v1/orders/{id}/adjustments", "Takes goods back, gives money back")
        .says("All of it or nothing. Name `lines`, a `refund`, or both.")
        .takes(
            [
                may("lines", list(moved_line(Some(kind)), "What is given up.")),
                may("refund", whole(1, "In minor units, at most what is left of what was taken.")),
                needs("reason", words("Why, for the books.")),
            ],
            json!({ "lines": [{ "line": 1, "kind": "restock", "quantity": 1 }],
                    "reason": "the buyer changed their mind" }),
        )
        .answers::<ChangeView<'_>>(201, "What moved.")
        .or(CHANGES)
}

fn shift() -> Operation {
    post("move_line", "/v1/orders/{id}/lines/{line}/{kind}", "Moves units of one line")
        .takes(
            [
                needs("quantity", whole(1, "How many units.")),
                needs("reason", words("Why, for the books.")),
            ],
            json!({ "quantity": 1, "reason": "left with the morning truck" }),
        )
        .answers::<ChangeView<'_>>(201, "What moved.")
        .or(CHANGES)
}
