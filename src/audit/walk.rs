//! Walks through all records, page by page.

use std::collections::BTreeMap;

use super::{
    given,
    money::{Books, Paid},
    quoted,
    report::{AuditReport, Difference},
    stock::{self, Moved, Promised},
};
use crate::{
    base::{Sku, Timestamp},
    ledger::{
        row::AttemptState,
        store::{LedgerFault, OrderFilter, Store},
    },
    payment::sandbox::Charge,
};

/// Rows per question: large enough that round trips do not count, small enough for its deadline.
const PAGE: u32 = 500;

/// How many due operations are read at most. A ledger that owes more is told as it is.
const DUE_AT_MOST: u32 = 100_000;

/// Checks the ledger, and the sandbox's book against it when there is one.
///
/// # Errors
/// When the ledger does not answer.
pub async fn audit(
    store: &dyn Store,
    charges: Option<Vec<Charge>>,
) -> Result<AuditReport, LedgerFault> {
    let mut report = AuditReport { figures: store.figures().await?, ..AuditReport::default() };
    check_figures(&mut report);
    let mut books = Books::default();
    let mut promised = BTreeMap::new();
    walk_orders(store, &mut report, &mut books, &mut promised).await?;
    walk_stock(store, &mut report, promised).await?;
    walk_attempts(store, &mut report, &mut books).await?;
    let ever = Timestamp::from_micros(i64::MAX / 2);
    books.due = store.list_due_operations(ever, DUE_AT_MOST).await?;
    report.due = books.due.len() as u64;
    if let Some(charges) = charges {
        report.charges = Some(charges.len() as u64);
        for charge in &charges {
            report.add_paid(charge.amount.currency(), charge.paid_minor());
        }
        let by_reference = charges.into_iter().map(|charge| (charge.reference, charge));
        books.charges = Some(by_reference.collect());
    }
    report.differences.extend(books.check());
    Ok(report)
}

/// What the ledger itself counts and must be zero.
fn check_figures(report: &mut AuditReport) {
    let figures = &report.figures;
    let must_be_zero = [
        (figures.orphans, "completed sessions without an order, or orders of open sessions"),
        (figures.dead_holds, "holds of sessions that have ended"),
        (figures.stray_pins, "pinned holds whose payment attempt is not pending"),
        (figures.unpaid_orders, "orders without exactly one authorized attempt"),
    ];
    let mut found: Vec<Difference> = must_be_zero
        .into_iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, what)| Difference::new("ledger", format!("{count} {what}")))
        .collect();
    let [_, _, completed, _, _] = figures.sessions;
    if completed != figures.orders {
        let finding = format!("{completed} completed sessions, but {} orders", figures.orders);
        found.push(Difference::new("ledger", finding));
    }
    report.differences.append(&mut found);
}

async fn walk_orders(
    store: &dyn Store,
    report: &mut AuditReport,
    books: &mut Books,
    promised: &mut BTreeMap<Sku, Promised>,
) -> Result<(), LedgerFault> {
    let everything = OrderFilter::default();
    let mut cursor = None;
    loop {
        let page = store.list_orders(&everything, cursor, PAGE).await?;
        let Some(last) = page.last() else { break };
        cursor = Some(last.id);
        for order in &page {
            report.differences.extend(stock::promise(promised, order));
            report.differences.extend(quoted::check(order));
            report.differences.extend(given::check(order));
            books.orders.push(Paid::from(order));
        }
    }
    let (listed, counted) = (books.orders.len() as i64, report.figures.orders);
    if listed != counted {
        let finding = format!("{counted} orders counted, but {listed} listed");
        report.differences.push(Difference::new("ledger", finding));
    }
    Ok(())
}

async fn walk_stock(
    store: &dyn Store,
    report: &mut AuditReport,
    mut promised: BTreeMap<Sku, Promised>,
) -> Result<(), LedgerFault> {
    let mut cursor: Option<Sku> = None;
    loop {
        let page = store.list_stock(cursor.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        cursor = Some(last.sku.clone());
        for level in &page {
            let moved = movements(store, report, &level.sku).await?;
            let promised = promised.remove(&level.sku).unwrap_or_default();
            report.differences.extend(stock::check(level, promised, moved));
        }
    }
    let without_stock = promised.into_iter().filter(|(_, promised)| promised.sold != 0);
    report.differences.extend(without_stock.map(|(sku, promised)| {
        Difference::new(sku, format!("{} sold, but no stock is kept of it", promised.sold))
    }));
    Ok(())
}

async fn movements(
    store: &dyn Store,
    report: &mut AuditReport,
    sku: &Sku,
) -> Result<Moved, LedgerFault> {
    let mut moved = Moved::default();
    let mut cursor = None;
    loop {
        let page = store.list_movements(sku, cursor, PAGE).await?;
        let Some(last) = page.last() else { return Ok(moved) };
        cursor = Some(last.id);
        report.movements += page.len() as u64;
        for movement in &page {
            report.differences.extend(moved.add(movement));
        }
        if page.len() < PAGE as usize {
            return Ok(moved);
        }
    }
}

async fn walk_attempts(
    store: &dyn Store,
    report: &mut AuditReport,
    books: &mut Books,
) -> Result<(), LedgerFault> {
    let mut cursor = None;
    loop {
        let page = store.list_attempts(cursor, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        cursor = Some(last.id);
        for attempt in page {
            report.attempts += 1;
            report.pending += u64::from(attempt.state == AttemptState::Pending);
            books.attempts.insert(attempt.id, attempt);
        }
    }
}
