//! Whether an order is what it was quoted as: its total is what its breakdown comes to, and it has
//! the uses of the discounts that count in it.

use serde::Deserialize;

use super::report::Difference;
use crate::{
    base::{Money, Sku},
    ledger::row::OrderRow,
    pricing::{EntryKind, Priced, Totals},
};

/// What the document of an order says of its price.
#[derive(Debug, Deserialize)]
struct Quoted {
    totals: Totals,
    #[serde(default)]
    priced: Option<Box<Priced>>,
}

/// Checks one order. A document that says nothing of a price is passed over.
pub fn check(order: &OrderRow) -> Vec<Difference> {
    let Ok(quoted) = serde_json::from_str::<Quoted>(order.body.get()) else { return Vec::new() };
    let mut findings = Vec::new();
    let (said, costs) = (quoted.totals.total, Money::from_minor(order.total_minor, order.currency));
    if said != costs {
        findings.push(format!("costs {costs}, its document says {said}"));
    }
    let entries = quoted.totals.entries(quoted.priced.as_deref());
    let before = entries.iter().filter(|entry| entry.kind != EntryKind::Total);
    let sum = Money::from_minor(before.map(|entry| entry.minor).sum(), said.currency());
    if sum != said {
        findings.push(format!("says that it costs {said}, its breakdown comes to {sum}"));
    }
    let mut named: Vec<Sku> = quoted.priced.map(|priced| priced.uses).unwrap_or_default();
    let lines = order.uses.iter().map(|line| &line.ordered);
    let mut taken: Vec<Sku> = Vec::new();
    for line in lines {
        taken.extend(std::iter::repeat_n(line.sku.clone(), line.quantity as usize));
    }
    named.sort_unstable();
    taken.sort_unstable();
    if named != taken {
        let list = |skus: &[Sku]| skus.iter().map(Sku::as_str).collect::<Vec<_>>().join(", ");
        findings.push(format!(
            "names uses of discounts [{}], its lines have [{}]",
            list(&named),
            list(&taken)
        ));
    }
    findings.into_iter().map(|finding| Difference::new(order.id, finding)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{AttemptId, CheckoutId, OrderId, Timestamp},
        ledger::{
            Document,
            row::{NewOrderLine, OrderLineRow},
        },
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    /// A tee of 19.90 less one euro, whose discount has a limit.
    fn document() -> Value {
        let eur = |minor: i64| json!({"minor": minor, "currency": "EUR"});
        json!({
            "totals": {"subtotal": eur(1_990), "total": eur(1_890)},
            "priced": {
                "applied": [{"id": "few", "title": "Few", "minor": 100, "priority": 1,
                    "allotments": [{"target": {"line": 0}, "minor": 100}]}],
                "uses": ["~uses/few"],
            },
        })
    }

    fn order(document: &Value, uses: u32) -> OrderRow {
        let checkout = CheckoutId::from_uuid(Uuid::from_u128(1));
        let line = |line: u32, sku: &str, quantity: u32, unit_price_minor: i64| OrderLineRow {
            ordered: NewOrderLine {
                line,
                sku: Sku::parse(sku).expect("a SKU"),
                quantity,
                unit_price_minor,
                tracked: true,
            },
            shipped: 0,
            returned: 0,
            restocked: 0,
        };
        let lines = vec![line(1, "TEE", 1, 1_990)];
        let uses = (uses > 0).then(|| line(2, "~uses/few", uses, 0));
        OrderRow {
            id: OrderId::of(checkout),
            total_minor: 1_890,
            currency: "EUR".parse().expect("a currency"),
            placed_at: Timestamp::from_micros(0),
            body: raw(document),
            personal: None,
            attempt: AttemptId::from_uuid(Uuid::from_u128(2)),
            lines,
            uses: uses.into_iter().collect(),
            operations: Vec::new(),
            changes: Vec::new(),
            case: None,
        }
    }

    fn raw(value: &Value) -> Document {
        serde_json::value::to_raw_value(value).expect("JSON").into()
    }

    fn findings(order: &OrderRow) -> Vec<String> {
        check(order).iter().map(ToString::to_string).collect()
    }

    // breaks: `check` that finds nothing
    #[test]
    fn each_way_of_not_being_what_was_quoted_is_told() {
        let honest = order(&document(), 1);
        assert_eq!(findings(&honest), [""; 0]);
        assert_eq!(findings(&OrderRow { body: raw(&json!({})), ..honest.clone() }), [""; 0]);
        for uses in [0, 2] {
            let found = findings(&order(&document(), uses));
            assert!(found.len() == 1 && found[0].contains("names uses"), "{uses}: {found:?}");
        }
        let mut unnamed = document();
        unnamed["priced"]["uses"] = json!([]);
        assert_eq!(findings(&order(&unnamed, 1)).len(), 1);
        let cheaper = OrderRow { total_minor: 1_889, ..honest.clone() };
        assert_eq!(findings(&cheaper).len(), 1, "{:?}", findings(&cheaper));
        let mut more = document();
        more["priced"]["applied"][0]["allotments"][0]["minor"] = json!(101);
        more["priced"]["applied"][0]["minor"] = json!(101);
        let found = findings(&order(&more, 1));
        assert!(found.len() == 1 && found[0].contains("comes to EUR 18.89"), "{found:?}");
    }
}
