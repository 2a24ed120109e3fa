//! `/v1/keys`.

use serde_json::json;

use super::{
    fields::{list, may, moment, needs, one_of, text, words},
    operation::{Operation, get, post},
};
use crate::{
    access::Scope,
    http::{kinds::Kind, v1::keys::KeyView},
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let scope = one_of(Scope::ALL.map(Scope::name), "What it allows.");
    vec![
        get("list_keys", "/v1/keys", "Lists API keys")
            .says("Oldest first, also those that have ended, with when each was last used.")
            .answers_schema(
                200,
                "All of them, without their text.",
                json!({
                    "type": "object", "required": ["items"],
                    "properties": { "items": { "type": "array", "items": { "type": "object" } } },
                }),
            ),
        post("create_key", "/v1/keys", "Makes an API key")
            .says(
                "A storefront owns checkouts, orders and idempotency keys, and may have several \
                 keys. To replace one: make the next for the same `storefront`, use it, revoke the \
                 other. The text of a key is in this answer alone: the same request again answers \
                 without it.",
            )
            .takes(
                [
                    needs("label", words("What it is for, in one line.")),
                    needs("scopes", list(scope, "What it allows.")),
                    may("storefront", text("Whom it speaks for; without, a new storefront.")),
                    may("expires_at", moment("When it ends by itself.")),
                ],
                json!({ "label": "web shop", "scopes": ["checkout"] }),
            )
            .answers::<KeyView<'_>>(201, "The key with its text."),
        post("revoke_key", "/v1/keys/{id}/revoke", "Ends an API key")
            .says(
                "Every replica refuses it within five seconds. The last key that can make keys \
                 stays.",
            )
            .takes([], json!({}))
            .answers::<KeyView<'_>>(200, "The key.")
            .or(&[Kind::NotFound, Kind::LastAdminKey]),
    ]
}
