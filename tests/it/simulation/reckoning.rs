//! When the troubles are over: everything is settled, and every promise is checked.

use doorbuster::{
    audit::audit,
    base::{CheckoutId, OrderId, SeededChance},
    ledger::{
        entry::StoredAnswer,
        row::{AttemptState, OperationKind, OperationState},
    },
};
use std::time::Duration;

use super::{
    replica::{TERMS, World},
    shopper::{Street, Told, Wish, id_in},
};

/// Longer than any late commit, any late call and every watch.
const SETTLES_WITHIN: u32 = 60;

/// Waits until everything has settled, asks everything again, and checks what must be true.
pub(crate) async fn reckon(world: &World, street: &Street) {
    settle(world).await;
    ask_again(street).await;
    // Holds and sessions end by themselves, late authorizations are found.
    tokio::time::sleep(TERMS.session_ttl + TERMS.watch / 2).await;
    settle(world).await;
    let charges = world.bank.charges();
    match audit(&world.ledger, Some(charges)).await {
        Ok(report) if report.is_clean() => {}
        Ok(report) => world.chaos.wrong(format!("the audit finds: {report}")),
        Err(fault) => world.chaos.wrong(format!("the audit fails: {fault}")),
    }
    nothing_is_left(world);
    every_order_stands(world, street);
    no_money_is_left(world);
}

/// Waits until no payment is under way and no debt is due.
async fn settle(world: &World) {
    for _ in 0..SETTLES_WITHIN {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let far = world.chaos.now().plus(Duration::from_secs(3600));
        let tables = world.ledger.tables.lock().unwrap();
        if tables.overdue(far).is_empty() && tables.due(far).is_empty() {
            return;
        }
    }
    world.chaos.wrong("payments never settle".into());
}

/// Every key answers again as it answered before; those that never got an answer get one now.
async fn ask_again(street: &Street) {
    let receipts = street.receipts.0.lock().unwrap().clone();
    let dice = SeededChance::new(7);
    for (key, (wish, answer)) in receipts {
        let told = street.asks(&key, &wish, &dice, 20).await;
        match (&told, &answer) {
            (Told::Nothing, _) => street.chaos.wrong(format!("{key} is never answered")),
            (Told::Refused(refused), Some(_)) => {
                street.chaos.wrong(format!("{key} was answered, and now is refused: {refused}"));
            }
            _ => {}
        }
    }
}

/// No hold, no payment under way, no unit stranded with the dead.
fn nothing_is_left(world: &World) {
    let tables = world.ledger.tables.lock().unwrap();
    let figures = tables.figures();
    let [_, completing, ..] = figures.sessions;
    if (figures.holds, completing) != (0, 0) {
        world.chaos.wrong(format!("holds or payments are left: {figures:?}"));
    }
    for grant in tables.grants.values().filter(|grant| grant.active) {
        if !tables.lives(&grant.holder) {
            world.chaos.wrong(format!("{grant:?} is stranded: its holder is dead"));
        }
    }
    for sku in tables.stock.keys() {
        if let Err(broken) = tables.check(sku) {
            world.chaos.wrong(broken);
        }
    }
}

/// Every acknowledged order stands, paid once.
fn every_order_stands(world: &World, street: &Street) {
    let tables = world.ledger.tables.lock().unwrap();
    let receipts = street.receipts.0.lock().unwrap();
    for (key, (wish, answer)) in receipts.iter() {
        let Some(checkout) = answer.as_ref().and_then(|answer| acknowledged(wish, answer)) else {
            continue;
        };
        let Some(order) = tables.orders.get(&OrderId::of(checkout)) else {
            world.chaos.wrong(format!("{key} was told of the order of {checkout}: there is none"));
            continue;
        };
        let attempt = tables.attempts.get(&order.attempt);
        if attempt.is_none_or(|row| row.state != AttemptState::Authorized) {
            world.chaos.wrong(format!("{key}: the order's own attempt is {attempt:?}"));
        }
    }
    for order in tables.orders.values() {
        let operations =
            tables.operations.values().filter(|debt| debt.row.operation.attempt == order.attempt);
        for debt in operations {
            let row = &debt.row;
            let captured =
                row.operation.kind == OperationKind::Capture && row.state == OperationState::Done;
            if !captured {
                world.chaos.wrong(format!("an order's money: {row:?}"));
            }
        }
    }
}

/// The checkout whose order this answer acknowledges.
fn acknowledged(wish: &Wish, answer: &StoredAnswer) -> Option<CheckoutId> {
    let text = answer.body.open().expect("it opens");
    let placed = match wish {
        Wish::Complete(..) => text.contains("\"status\":\"completed\""),
        Wish::Express(..) => text.contains("\"status\":\"placed\""),
        Wish::Create(_) | Wish::Update(..) | Wish::Cancel(_) => false,
    };
    placed.then(|| id_in(answer)).flatten()
}

/// Every authorization was captured for an order of its own, or let go.
fn no_money_is_left(world: &World) {
    let tables = world.ledger.tables.lock().unwrap();
    for charge in world.bank.charges() {
        let paid_for = tables.orders.values().any(|order| order.attempt == charge.reference);
        let captured = charge.captured_minor.is_some();
        let settled = charge.authorization().is_none() || captured || charge.voided;
        if !settled {
            world.chaos.wrong(format!("money is put aside for ever: {charge:?}"));
        }
        if charge.authorization().is_some() && captured != paid_for {
            world.chaos.wrong(format!("captured {captured}, order {paid_for}: {charge:?}"));
        }
    }
}
