//! What buyers were told, one line each: the promises that the service is held to.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::drive::acks::Ack;

/// SKU numbers and units.
pub type Lines = Vec<(u32, u32)>;

/// An answer that promises something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// A checkout holds these units: created, or changed to these.
    Hold {
        /// Its id.
        checkout: String,
        /// The idempotency key of the request that was answered.
        key: String,
        /// What it holds.
        lines: Lines,
    },
    /// A checkout was canceled: it holds nothing.
    Canceled {
        /// Its id.
        checkout: String,
    },
    /// An order was placed.
    Order {
        /// Its id.
        order: String,
        /// The idempotency key of the request that was answered.
        key: String,
        /// What was bought.
        lines: Lines,
    },
    /// Units came in (positive) or were written off (negative).
    Moved {
        /// The SKU's number.
        sku: u32,
        /// How many.
        units: i64,
    },
}

/// Everything that was promised and stands at the end.
#[derive(Debug, Default)]
pub struct Promises {
    /// Orders, each acknowledgement.
    pub orders: Vec<Ack>,
    /// What open checkouts hold, by id.
    pub holds: BTreeMap<String, Lines>,
    /// Acknowledged holds over the whole run.
    pub held: u64,
    /// Units that came in less those written off, by SKU.
    pub moved: BTreeMap<u32, i64>,
}

impl Promises {
    /// Adds up a log.
    pub fn of(log: Vec<Told>) -> Self {
        let mut promises = Self::default();
        let mut ended = BTreeSet::new();
        for told in log {
            match told {
                Told::Hold { checkout, lines, .. } => {
                    promises.held += 1;
                    promises.holds.insert(checkout, lines);
                }
                Told::Canceled { checkout } => drop(ended.insert(checkout)),
                Told::Order { order, key, lines } => {
                    // The digits are those of its checkout.
                    ended.insert(order.replacen("ord_", "chk_", 1));
                    promises.orders.push(Ack { order, key, lines });
                }
                Told::Moved { sku, units } => *promises.moved.entry(sku).or_default() += units,
            }
        }
        promises.holds.retain(|checkout, _| !ended.contains(checkout));
        promises
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_the_end_is_what_neither_ended_nor_was_paid() {
        let hold = |checkout: &str, units| Told::Hold {
            checkout: checkout.into(),
            key: "k".into(),
            lines: vec![(1, units)],
        };
        let log = vec![
            hold("chk_1", 1),
            hold("chk_2", 1),
            hold("chk_1", 2),
            hold("chk_3", 1),
            Told::Canceled { checkout: "chk_2".into() },
            Told::Order { order: "ord_3".into(), key: "k3".into(), lines: vec![(1, 1)] },
            Told::Moved { sku: 1, units: 5 },
            Told::Moved { sku: 1, units: -2 },
        ];
        let text: Vec<String> =
            log.iter().map(|told| serde_json::to_string(told).expect("JSON")).collect();
        let read = text.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(log, read);
        let promises = Promises::of(read);
        assert_eq!(promises.holds, BTreeMap::from([("chk_1".to_owned(), vec![(1, 2)])]));
        assert_eq!((promises.held, promises.orders.len()), (4, 1));
        assert_eq!(promises.moved[&1], 3);
    }
}
