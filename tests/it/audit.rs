//! The audit, on both databases: clean after honest trade, and loud after each kind of damage.

use doorbuster::{
    audit::audit,
    base::{AttemptId, CheckoutId, Money, Verification},
    ledger::entry::{LineMoveKind, MoveKind},
    payment::{Authorized, Decline, sandbox::Charge},
};

use crate::support::bench::{Bench, write};

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::postgres().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::sqlite().await).await;
            })+
        }
    };
}

on_both!(honest_trade_is_clean, money_without_an_order_is_told, damaged_stock_is_told);

/// An order of four mugs, three shipped, one of them back; a decline beside it, and an open cart.
async fn trade(bench: &Bench) -> (AttemptId, AttemptId) {
    bench.receive("MUG", 10).await;
    let write_off = bench.moved("MUG", MoveKind::WriteOff, 1);
    bench.one(write_off).await.expect("it is written off");
    let paid = buy(bench, bench.checkout(), true).await;
    let declined = buy(bench, bench.checkout(), false).await;
    let cart = bench.session(bench.checkout(), 1, &[("MUG", 2)]);
    bench.one(write(cart)).await.expect("it is held");
    (paid, declined)
}

async fn buy(bench: &Bench, checkout: CheckoutId, approved: bool) -> AttemptId {
    let attempt = bench.attempt();
    let mugs = [("MUG", 4)];
    let mugs = if approved { &mugs[..] } else { &[("MUG", 1)] };
    bench.one(write(bench.session(checkout, 1, mugs))).await.expect("it is held");
    bench.one(write(bench.pinning(checkout, 2, mugs, attempt))).await.expect("it is pinned");
    if !approved {
        bench.one(bench.settle(checkout, attempt, true)).await.expect("it is settled");
        return attempt;
    }
    bench.one(bench.place(checkout, attempt, mugs)).await.expect("it is placed");
    for (kind, units) in [(LineMoveKind::Ship, 3), (LineMoveKind::Return, 1)] {
        bench.one(bench.line(checkout, kind, units).await).await.expect("it moves");
    }
    attempt
}

fn charge(reference: AttemptId, approved: bool) -> Charge {
    let amount = Money::from_minor(100, "EUR".parse().expect("a currency"));
    let answer = if approved {
        Authorized::Approved {
            authorization: "auth-1".into(),
            verification: Verification::default(),
            expires_at: None,
        }
    } else {
        Authorized::Declined(Decline::read("insufficient_funds"))
    };
    Charge {
        reference,
        amount,
        answer: Some(answer),
        captured_minor: approved.then_some(100),
        captures: Default::default(),
        refunded_minor: None,
        refunds: Default::default(),
        voided: false,
        attempts: 1,
    }
}

async fn findings(bench: &Bench, charges: Option<Vec<Charge>>) -> Vec<String> {
    let report = audit(&*bench.store, charges).await.expect("the ledger answers");
    report.differences.iter().map(ToString::to_string).collect()
}

async fn honest_trade_is_clean(bench: Bench) {
    assert_eq!(findings(&bench, Some(vec![])).await, [""; 0], "an empty ledger");
    let (paid, declined) = trade(&bench).await;
    let book = vec![charge(paid, true), charge(declined, false)];
    assert_eq!(findings(&bench, Some(book.clone())).await, [""; 0]);
    assert_eq!(findings(&bench, None).await, [""; 0], "without a book");
    let report = audit(&*bench.store, Some(book)).await.expect("the ledger answers");
    let told = (report.figures.orders, report.attempts, report.movements, report.charges);
    assert_eq!(told, (1, 2, 4, Some(2)));
    assert_eq!(report.paid["EUR"], 100);
}

async fn money_without_an_order_is_told(bench: Bench) {
    let (paid, declined) = trade(&bench).await;
    let twice = vec![charge(paid, true), charge(declined, true)];
    let found = findings(&bench, Some(twice)).await;
    assert_eq!(found, [format!("{declined}: EUR 1.00 are captured without an order")]);
    let found = findings(&bench, Some(vec![charge(declined, false)])).await;
    assert!(found.len() == 1 && found[0].ends_with("the book has no charge for it"), "{found:?}");
}

async fn damaged_stock_is_told(bench: Bench) {
    trade(&bench).await;
    damage(&bench, "update stock set on_hand = on_hand + 1").await;
    let found = findings(&bench, None).await;
    assert_eq!(
        found,
        [
            "MUG: 8 on hand, but 3 free + 0 granted + 3 held + 1 sold",
            "MUG: 8 on hand, but movements say 7"
        ]
    );
    damage(&bench, "update stock set on_hand = on_hand - 1").await;
    damage(&bench, "delete from stock_movements where kind = 'return'").await;
    let found = findings(&bench, None).await;
    assert_eq!(
        found,
        [
            "MUG: 7 on hand, but movements say 6",
            "MUG: 1 returned by order lines, but movements say 0",
        ]
    );
}

/// What no code of ours would do.
async fn damage(bench: &Bench, sql: &'static str) {
    bench.by_hand(sql).await.expect("the damage is done");
}
