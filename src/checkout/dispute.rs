//! The buyer's bank takes money back: the fraud model learns of it, and the world hears.

use serde_json::json;

use super::{answer::CheckoutRefused, change::ChangeWish, desk::Checkout, record::event};
use crate::{
    base::{ChangeId, EventId, Sealed},
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::{KeyWrite, StoredAnswer},
        review::{LabelAmount, LabelDetails, LabelsWrite, NewLabel},
        row::OrderRow,
    },
    payment::{Dispute, DisputeState, Warning},
};

/// Where labels of disputes come from.
const DISPUTE: &str = "dispute";

/// Where labels of early fraud warnings come from.
const WARNING: &str = "early_warning";

impl Checkout {
    /// Records a dispute as it stands: an event for each state, told once; and for one about fraud
    /// a label, which a dispute that was won takes back.
    ///
    /// # Errors
    /// When the ledger cannot be reached; doing it again does it once.
    pub async fn dispute(
        &self,
        gateway: &str,
        order: &OrderRow,
        dispute: &Dispute,
    ) -> Result<(), CheckoutRefused> {
        let state = match dispute.state {
            DisputeState::Open => "open",
            DisputeState::UnderReview => "under_review",
            DisputeState::Won => "won",
            DisputeState::Lost => "lost",
        };
        let name = format!("dispute {gateway} {} {state}", dispute.id);
        if dispute.is_fraud {
            let details = LabelDetails {
                author: Some(gateway.to_owned()),
                reason: Some(dispute.reason.clone()),
                note: None,
                amount: Some(LabelAmount {
                    amount_minor: dispute.amount.minor(),
                    currency: dispute.amount.currency(),
                }),
            };
            let fraud = dispute.state != DisputeState::Won;
            self.label(DISPUTE, &name, order, (fraud, details)).await?;
        }
        let (id, at) = (ChangeId::named(order.id, &name), self.now());
        let body = json!({ "order": order.id, "dispute": dispute.id, "state": state,
            "reason": dispute.reason, "amount_minor": dispute.amount.minor(),
            "currency": dispute.amount.currency(), "evidence_due": dispute.evidence_due });
        let told = event(EventId::new(at, &*self.chance), order.id, "payment.disputed", &body, at);
        let wish = ChangeWish::of(id, order.id, at);
        let mut change = self.change(wish, self.sale(order).await?, None);
        change.events = vec![told];
        let entry = Entry::new(EntryId::of(id), Fact::Change(Box::new(change)));
        let outcome = self.writer.write(entry).await?;
        tracing::warn!(
            order.id = %order.id, dispute = dispute.id, state, reason = dispute.reason,
            amount = %dispute.amount, due = ?dispute.evidence_due, ?outcome,
            "a payment is disputed"
        );
        Ok(())
    }

    /// Records an early fraud warning as a label: the bank is sure, and nobody has disputed yet.
    ///
    /// # Errors
    /// When the ledger cannot be reached; doing it again does it once.
    pub async fn warned(
        &self,
        gateway: &str,
        order: &OrderRow,
        warning: &Warning,
    ) -> Result<(), CheckoutRefused> {
        let reason = Some(warning.reason.clone()).filter(|reason| !reason.is_empty());
        let author = Some(gateway.to_owned());
        let details = LabelDetails { author, reason, note: None, amount: None };
        let name = format!("warning {gateway} {}", warning.id);
        tracing::warn!(
            order.id = %order.id, warning = warning.id, reason = warning.reason,
            "the buyer's bank says that a payment was fraud"
        );
        self.label(WARNING, &name, order, (true, details)).await
    }

    async fn label(
        &self,
        source: &str,
        name: &str,
        order: &OrderRow,
        (fraud, details): (bool, LabelDetails),
    ) -> Result<(), CheckoutRefused> {
        let now = self.now();
        let label =
            NewLabel { order: order.id, fraud, source: source.to_owned(), at: now, details };
        let body = Sealed::seal("{}").into();
        let answer = StoredAnswer { status: 200, body, version: 0 };
        let key = KeyWrite {
            caller: source.to_owned(),
            key: name.to_owned(),
            fingerprint: name.to_owned(),
            dialect: "v1".to_owned(),
            answer: Some(answer),
            now,
        };
        let labels = LabelsWrite { labels: vec![label], key };
        let entry =
            Entry::new(EntryId::of(format_args!("labels/{name}")), Fact::Labels(Box::new(labels)));
        match self.writer.write(entry).await? {
            Ok(_) | Err(LedgerRefused::KeyTaken(_)) => Ok(()),
            Err(refused) => Err(super::desk::unexpected(&refused)),
        }
    }
}
