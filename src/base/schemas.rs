//! What the words of this slice look like in JSON Schema (draft 2020-12): those whose text form
//! the derived schema would not know.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

use super::{
    AssessmentId, AttemptId, CartId, ChangeId, CheckoutId, Currency, DeliveryId, Email, EndpointId,
    EventId, KeyId, MovementId, OperationId, OrderId, Sku, Timestamp,
};

/// Declares the schema of a type that is a text in JSON.
macro_rules! text {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            // Short enough to stand wherever it is used.
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// Declares the schema of an id by its prefix.
macro_rules! id {
    ($name:ident, $prefix:literal) => {
        text!($name, {
            "type": "string",
            "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$"),
        });
    };
}

id!(AssessmentId, "asm");
id!(AttemptId, "pay");
id!(CartId, "crt");
id!(ChangeId, "chg");
id!(CheckoutId, "chk");
id!(DeliveryId, "dlv");
id!(EndpointId, "whe");
id!(EventId, "evt");
id!(KeyId, "key");
id!(MovementId, "mov");
id!(OperationId, "op");
id!(OrderId, "ord");

text!(Timestamp, { "type": "string", "format": "date-time" });
text!(Sku, { "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^\\S(.*\\S)?$" });
text!(Currency, { "type": "string", "pattern": "^[A-Z]{3}$" });
text!(Email, { "type": "string", "format": "email", "maxLength": 254 });

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    /// How the pattern of a type begins, and how its values do.
    fn prefixes<T: JsonSchema + Serialize>(id: T) -> (String, String) {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        let pattern = schema.get("pattern").and_then(|pattern| pattern.as_str());
        let pattern = pattern.expect("ids have a pattern").trim_start_matches('^');
        let value = serde_json::to_value(id).expect("a text");
        let before = |text: &str| text.split('_').next().unwrap_or_default().to_owned();
        (before(pattern), before(value.as_str().expect("a text")))
    }

    #[test]
    fn the_patterns_of_ids_are_those_of_their_values() {
        let nil = uuid::Uuid::nil();
        for (declared, written) in [
            prefixes(AssessmentId::from_uuid(nil)),
            prefixes(AttemptId::from_uuid(nil)),
            prefixes(CartId::from_uuid(nil)),
            prefixes(ChangeId::from_uuid(nil)),
            prefixes(CheckoutId::from_uuid(nil)),
            prefixes(DeliveryId::from_uuid(nil)),
            prefixes(EndpointId::from_uuid(nil)),
            prefixes(EventId::from_uuid(nil)),
            prefixes(KeyId::from_uuid(nil)),
            prefixes(MovementId::from_uuid(nil)),
            prefixes(OperationId::from_uuid(nil)),
            prefixes(OrderId::from_uuid(nil)),
        ] {
            assert_eq!(declared, written);
        }
    }
}
