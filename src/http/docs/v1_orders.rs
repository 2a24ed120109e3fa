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
        v1::{
            order_answer::OrderWire,
            order_changes::ChangeView,
            order_view::OrderView,
            reconciliations::{BreaksView, RunsView},
        },
    },
    ledger::row::OrderStatus,
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        place(),
        list_orders(),
        get_order(),
        ship(),
        adjust(),
        shift(),
        cancel(),
        capture(),
        void(),
        get("list_payment_breaks", "/v1/payments/breaks", "Lists payments that differ")
            .says(
                "Between a gateway's own list and the ledger, the latest found first, a thousand \
                 at most. Each day is compared once, on the next (UTC), at every gateway that has \
                 a list; `doorbuster reconcile` does it again. Nothing is mended by itself: one \
                 that the two agree about when the day is compared again is closed.",
            )
            .query("state", one_of(["open", "all"], ""), "`all` tells closed ones, too.")
            .answers::<BreaksView>(200, "What differs."),
        get(
            "list_reconciliations",
            "/v1/payments/reconciliations",
            "Lists the days that were compared with gateways",
        )
        .answers::<RunsView>(200, "The days, the latest first."),
    ]
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
        .query("status", one_of(OrderStatus::ALL.map(OrderStatus::as_str), ""), STATUS)
        .paged::<OrderView>()
}

const STATUS: &str = "Only orders that stand there; each order says it in `status`.";

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
        .says(
            "The lines named, or everything that has not left yet. What leaves has to be captured, \
             or about to be; with `checkout.capture = \"on_shipment\"` it is captured with that. \
             Where a capture was refused nothing ships.",
        )
        .takes(
            [
                may("lines", list(moved_line(None), "What leaves.")),
                may("carrier", text("Who brings it.")),
                may("tracking_number", text("The carrier's name for the parcel.")),
                may("tracking_url", text("Where the buyer can follow it.")),
                may("reason", text("For the books.")),
                may("unpaid", flag("Whether goods may leave that are not captured.")),
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
    Kind::Unpaid,
    Kind::CheckoutCompleting,
];

fn adjust() -> Operation {
    let kind = one_of(
        ["return", "restock"],
        "`return`: units that had shipped come back. `restock`: unshipped units go back on sale.",
    );
    post("adjust_order", "/v1/orders/{id}/adjustments", "Takes goods back, gives money back")
        .says(
            "All of it or nothing. Name `lines`, a `refund`, or both. `\"refund\": \"lines\"` \
             gives back what was paid for the units named, discounts and taxes shared out; an \
             amount beside `lines` is at most what is left of what they were paid. What is not \
             captured yet is no longer asked for when its units go back on sale, and with the last \
             unit the authorization is voided, a review ends as canceled, and uses of discounts \
             come back.",
        )
        .takes(
            [
                may("lines", list(moved_line(Some(kind)), "What is given up.")),
                may("refund", refund()),
                needs("reason", words("Why, for the books.")),
            ],
            json!({ "lines": [{ "line": 1, "kind": "restock", "quantity": 1 }],
                    "reason": "the buyer changed their mind" }),
        )
        .answers::<ChangeView<'_>>(201, "What moved.")
        .or(CHANGES)
}

fn refund() -> Value {
    let amount = whole(1, "In minor units, at most what is left of what was taken.");
    let lines = one_of(["lines"], "What was paid for the `lines`.");
    json!({ "description": "An amount in minor units, or `lines`.", "anyOf": [amount, lines] })
}

/// How a decision about an order's money may be refused.
const MONEY: &[Kind] = &[Kind::NothingAuthorized, Kind::InReview, Kind::CheckoutCompleting];

fn cancel() -> Operation {
    post("cancel_order", "/v1/orders/{id}/cancel", "Gives an order up")
        .says(
            "All of it, or the units of the `lines` named: what has not left goes back on sale, \
             what was paid for it is voided or refunded, with the last unit uses of discounts come \
             back, and everybody is told. Once more, it is canceled already.",
        )
        .takes(
            [
                may("lines", list(moved_line(None), "What is given up; else all of it.")),
                needs("reason", words("Why, in words meant for the buyer.")),
            ],
            json!({ "reason": "the buyer ordered twice" }),
        )
        .answers::<OrderView>(200, "The order as it stands then.")
        .or(&[Kind::AlreadyShipped, Kind::LineShort, Kind::NotCaptured, Kind::CheckoutCompleting])
}

fn capture() -> Operation {
    post("capture_order", "/v1/orders/{id}/capture", "Captures authorized money")
        .says("All that is left of it, or an `amount`; again after one that was refused.")
        .takes(
            [
                may("amount", whole(1, "In minor units; else all that is left.")),
                may("reason", text("For the books.")),
            ],
            json!({}),
        )
        .answers::<OrderView>(200, "The order as it stands then.")
        .or(&[Kind::CaptureTooLarge])
        .or(MONEY)
}

fn void() -> Operation {
    post("void_order", "/v1/orders/{id}/void", "Lets authorized money go")
        .says("What is not captured. The goods stay sold: cancel the order to give them up too.")
        .takes([needs("reason", words("Why, for the books."))], json!({ "reason": "paid in cash" }))
        .answers::<OrderView>(200, "The order as it stands then.")
        .or(MONEY)
}

fn shift() -> Operation {
    post("move_line", "/v1/orders/{id}/lines/{line}/{kind}", "Moves units of one line")
        .takes(
            [
                needs("quantity", whole(1, "How many units.")),
                needs("reason", words("Why, for the books.")),
                may("unpaid", flag("Whether goods may leave that are not captured.")),
            ],
            json!({ "quantity": 1, "reason": "left with the morning truck" }),
        )
        .answers::<ChangeView<'_>>(201, "What moved.")
        .or(CHANGES)
}
