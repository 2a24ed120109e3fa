//! `/v1/webhook-endpoints`, `/v1/webhook-deliveries`.

use serde_json::json;

use super::{
    fields::{Field, flag, list, may, needs, object, one_of, text, whole, words},
    operation::{Operation, delete, get, post, put},
};
use crate::{
    http::kinds::Kind,
    http::v1::{webhook_deliveries::DeliveryView, webhook_endpoints::EndpointView},
    outbox::KINDS,
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let (endpoints, endpoint) = ("/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}");
    vec![
        get("list_webhook_endpoints", endpoints, "Lists endpoints").answers_schema(
            200,
            "All of them.",
            json!({
                "type": "object", "required": ["items"],
                "properties": { "items": { "type": "array", "items": { "type": "object" } } },
            }),
        ),
        create(),
        get("get_webhook_endpoint", endpoint, "Shows an endpoint")
            .answers::<EndpointView<'_>>(200, "It, without its secret."),
        save(),
        delete("remove_webhook_endpoint", endpoint, "Removes an endpoint").answers_schema(
            200,
            "It is gone, or was not there.",
            object([needs("removed", text("Its id."))]),
        ),
        rotate(),
        deliveries(),
        get("get_webhook_delivery", "/v1/webhook-deliveries/{id}", "Shows a delivery")
            .answers::<DeliveryView>(200, "It, with the body as it is sent."),
        redeliver(),
    ]
}

fn fields() -> [Field; 5] {
    let kinds = list(one_of(KINDS.iter().copied(), "A kind of event."), "Only these; else all.");
    [
        needs("url", words("Where events go: `https://…`, a public address.")),
        may("kinds", kinds),
        may("description", text("For people.")),
        may("format", one_of(["standard", "acp"], "The form events come in.")),
        may("opened_by", text("Only orders that this key opened.")),
    ]
}

fn create() -> Operation {
    post("create_webhook_endpoint", "/v1/webhook-endpoints", "Makes an endpoint")
        .says("The answer shows its secret, which is shown again only when it is changed.")
        .takes(
            fields(),
            json!({ "url": "https://hooks.example/doorbuster", "description": "the warehouse" }),
        )
        .answers::<EndpointView<'_>>(201, "The endpoint and its secret.")
}

fn save() -> Operation {
    let active = may(
        "active",
        flag(
            "Whether anything is sent to it; unless said, it is. What happens while it is off is \
             kept as `disabled` for as long as deliveries are, and can be sent again.",
        ),
    );
    put("save_webhook_endpoint", "/v1/webhook-endpoints/{id}", "Changes an endpoint")
        .takes(
            fields().into_iter().chain([active]),
            json!({ "url": "https://hooks.example/doorbuster", "active": true }),
        )
        .answers::<EndpointView<'_>>(200, "The endpoint.")
}

fn rotate() -> Operation {
    let path = "/v1/webhook-endpoints/{id}/rotate-secret";
    post("rotate_webhook_secret", path, "Signs with a new secret as well")
        .says("The old one counts for `keep_seconds` more, so that the receiver can be changed.")
        .takes(
            [may("keep_seconds", whole(0, "How long the old one counts; a day unless said."))],
            json!({ "keep_seconds": 3600 }),
        )
        .answers::<EndpointView<'_>>(200, "The endpoint and its new secret.")
}

fn deliveries() -> Operation {
    let states = one_of(["due", "delivered", "parked", "disabled"], "");
    get("list_webhook_deliveries", "/v1/webhook-deliveries", "Lists deliveries, newest first")
        .query("order", text(""), "Only those about this order.")
        .query("endpoint", text(""), "Only those to this endpoint.")
        .query("state", states, "Only those that stand there.")
        .paged::<DeliveryView>()
}

fn redeliver() -> Operation {
    let queued = object([needs("id", text("The delivery.")), needs("state", text("`due`."))]);
    post("redeliver_webhook", "/v1/webhook-deliveries/{id}/redeliver", "Sends a delivery again")
        .says("Whatever came of it before: the same id, the same body.")
        .takes([], json!({}))
        .answers_schema(202, "It is under way.", queued)
        .or(&[Kind::NotFound])
}
