//! Whether what was given up of an order adds up: line by line, no more than it was paid; change by
//! change, no more than its refund; and uses of discounts came back with the last unit.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::report::Difference;
use crate::{
    checkout::worth::worth,
    ledger::row::{OperationState, OrderRow},
    pricing::Priced,
};

/// What the order's document says of its price.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    priced: Option<Box<Priced>>,
}

/// Everything about this order's lines that does not add up.
pub fn check(order: &OrderRow) -> Vec<Difference> {
    let mut findings = Vec::new();
    check_lines(order, &mut findings);
    check_changes(order, &mut findings);
    check_captures(order, &mut findings);
    check_uses(order, &mut findings);
    findings.into_iter().map(|finding| Difference::new(order.id, finding)).collect()
}

/// No line was given up for more than was paid for it, computed anew from the order's price.
fn check_lines(order: &OrderRow, findings: &mut Vec<String>) {
    let document: Document = serde_json::from_str(order.body.get()).unwrap_or_default();
    let worth = worth(order, document.priced.as_deref());
    let paid: BTreeMap<u32, i64> = worth.iter().map(|of| (of.line, of.paid_minor())).collect();
    for (line, paid) in &paid {
        let given = order.refunded_of(*line) + order.released_of(*line);
        if given > *paid {
            findings.push(format!("line {line} was paid {paid}, {given} minor units are given up"));
        }
    }
    for given in order.changes.iter().flat_map(|change| &change.given) {
        if paid.get(&given.line) != Some(&given.paid) {
            let (line, told) = (given.line, given.paid);
            let computed = paid.get(&line).copied().unwrap_or(0);
            findings.push(format!("line {line} was paid {computed}, a change says {told}"));
        }
    }
}

/// What a change gives back of lines is a part of its refund.
fn check_changes(order: &OrderRow, findings: &mut Vec<String>) {
    for change in &order.changes {
        let of_lines: i64 = change.given.iter().map(|given| given.refunded).sum();
        let operation = order.operations.iter().find(|row| Some(row.operation.id) == change.money);
        let refund = operation.map_or(0, |row| row.operation.amount_minor);
        if of_lines > refund {
            let id = change.id;
            findings.push(format!("{id} gives lines {of_lines} back, its refund is {refund}"));
        }
    }
}

/// No more is captured than is left of what was authorized.
fn check_captures(order: &OrderRow, findings: &mut Vec<String>) {
    let funds = order.funds();
    let left = funds.authorized - funds.released;
    if funds.capturing > left {
        findings.push(format!("{left} minor units were left, captured are {}", funds.capturing));
    }
    if funds.refunding > funds.captured {
        let (captured, refunding) = (funds.captured, funds.refunding);
        findings.push(format!("{captured} minor units are captured, refunded are {refunding}"));
    }
    let given_up = order.lines.iter().all(|line| line.restocked == line.ordered.quantity);
    if given_up && !order.lines.is_empty() && funds.capturable() > 0 && !has_void(order) {
        let capturable = funds.capturable();
        findings.push(format!("is given up, {capturable} minor units may still be captured"));
    }
}

fn has_void(order: &OrderRow) -> bool {
    use crate::ledger::row::OperationKind::Void;
    let is = |row: &crate::ledger::row::OperationRow| row.operation.kind == Void;
    order.operations.iter().any(|row| is(row) && row.state != OperationState::Due)
}

/// Uses of discounts come back when every unit has come back unshipped, and only then.
fn check_uses(order: &OrderRow, findings: &mut Vec<String>) {
    let given_up = order.lines.iter().all(|line| line.restocked == line.ordered.quantity);
    let shipped = order.lines.iter().any(|line| line.shipped > 0);
    for uses in &order.uses {
        let (sku, kept) = (&uses.ordered.sku, uses.ordered.quantity - uses.restocked);
        if given_up && kept > uses.shipped {
            findings.push(format!("is given up, but {kept} of {sku} did not come back"));
        }
        if uses.shipped > 0 || (shipped && order.case.is_none() && uses.restocked > 0) {
            findings.push(format!("moved {sku}, which is no line of goods"));
        }
    }
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
