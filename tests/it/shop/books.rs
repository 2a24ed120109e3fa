//! The shop's state as one text, and what must be true of its books.

use doorbuster::{
    audit::audit, checkout::record::from_row, ledger::row::SessionState, payment::sandbox::Charge,
};
use std::time::Duration;

use super::TestShop;

impl TestShop {
    /// Carts, stock, payments and events, a line each.
    pub(crate) async fn state(&self) -> String {
        let mut lines = Vec::new();
        let seen = self.seen.lock().unwrap().clone();
        for (number, checkout) in (1..).zip(seen) {
            let row = self.store().find_session(checkout).await.expect("the ledger answers");
            let Some(row) = row else { continue };
            let session = from_row(row).expect("it reads");
            let wants =
                session.lines.iter().map(|line| format!("{} x {}", line.quantity, line.sku));
            let wants = wants.collect::<Vec<_>>().join(", ");
            let state = word(session.state);
            lines.push(format!("cart_{number} {state}: {wants}"));
        }
        for level in self.store().list_stock(None, 100).await.expect("the ledger answers") {
            let (held, sold) = (level.held, level.sold);
            let line =
                format!("{}: on hand {}, held {held}, sold {sold}", level.sku, level.on_hand);
            lines.push(line);
        }
        lines.extend(self.bank.charges().iter().map(describe));
        let events = self.store().list_unsent_events(1000).await.expect("the ledger answers");
        lines.extend(events.iter().map(|event| event.kind.clone()));
        lines.join("\n")
    }

    /// The state, line by line.
    pub(crate) async fn assert_state(&self, expected: &[&str]) {
        assert_eq!(self.state().await.lines().collect::<Vec<_>>(), expected);
    }

    /// Nothing held, nothing under way, nothing owed, no buyer's money put aside, and the books
    /// right.
    pub(crate) async fn assert_clean_slate(&self) {
        let state = self.state().await;
        let figures = self.store().figures().await.expect("the ledger answers");
        let [_, completing, ..] = figures.sessions;
        assert_eq!((figures.holds, completing), (0, 0), "holds or payments are left:\n{state}");
        assert_eq!(self.bank.open_authorizations(), 0, "money is put aside:\n{state}");
        let far = self.now().plus(Duration::from_secs(365 * 24 * 3600));
        let due = self.store().list_due_operations(far, 1).await.expect("the ledger answers");
        assert!(due.is_empty(), "debts are due:\n{state}");
        self.assert_books().await;
    }

    /// Every SKU adds up, and the audit finds nothing.
    pub(crate) async fn assert_books(&self) {
        for level in self.store().list_stock(None, 100).await.expect("the ledger answers") {
            assert!(level.is_conserved(), "{level:?} does not add up");
        }
        let report = audit(self.store(), Some(self.bank.charges())).await.expect("it is audited");
        assert!(report.is_clean(), "{report}");
    }

    /// How many orders stand.
    pub(crate) async fn orders(&self) -> i64 {
        self.store().figures().await.expect("the ledger answers").orders
    }

    /// How often money was taken.
    pub(crate) fn captures(&self) -> usize {
        self.bank.charges().iter().filter(|charge| charge.captured_minor.is_some()).count()
    }
}

const fn word(state: SessionState) -> &'static str {
    match state {
        SessionState::Open => "open",
        SessionState::Completing => "completing",
        SessionState::Completed => "completed",
        SessionState::Canceled => "canceled",
        SessionState::Expired => "expired",
    }
}

fn describe(charge: &Charge) -> String {
    let amount = charge.amount;
    match (&charge.answer, charge.authorization(), charge.captured_minor, charge.voided) {
        (None, ..) => format!("payment failed: {amount}"),
        (_, None, ..) => format!("payment declined: {amount}"),
        (_, _, Some(_), _) => format!("payment captured: {amount}"),
        (_, _, None, true) => format!("payment let go: {amount}"),
        (_, _, None, false) => format!("payment authorized: {amount}"),
    }
}
