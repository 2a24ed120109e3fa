//! Ends a review: the money is taken, or let go, or given back, and units follow; once.

use super::desk::{Capture, Checkout};
use crate::{
    base::{ChangeId, EventId, OrderId},
    checkout::record::event,
    fraud::cases::CaseRow,
    ledger::{
        Entry, EntryId, Fact, LedgerFault, LedgerRefused, Outcome,
        entry::{KeyWrite, Sale},
        review::{CaseState, CloseReason, LabelDetails, NewLabel, Resolve},
        row::OrderRow,
    },
};
use serde_json::json;

/// Who decided what about an order, and why.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The order.
    pub order: OrderId,
    /// What becomes of it.
    pub to: CaseState,
    /// Who says so.
    pub by: String,
    /// Whether an open case must be theirs.
    pub claimed: bool,
    /// Why, as one of a few reasons; whoever asks by words alone gives none.
    pub because: Option<CloseReason>,
    /// Why, in words.
    pub reason: String,
}

impl Checkout {
    /// Ends a case. The ledger judges: whoever comes first decides, and the same request asked
    /// again is the same decision. What is owed for it is asked of the gateway at once.
    ///
    /// # Errors
    /// When the ledger cannot be reached. A case that is not there, or has ended, is a refusal.
    pub async fn resolve(
        &self,
        verdict: &Verdict,
        key: Option<KeyWrite>,
    ) -> Result<Outcome, LedgerFault> {
        let Some(order) = self.store.find_order(verdict.order).await? else {
            return Ok(Err(LedgerRefused::NoSuchCase));
        };
        let resolve = self.fact(verdict, &order, self.sale(&order).await?, key);
        // A decision of its own: another one about the same case is another entry, and is refused.
        let id = EntryId::of(format_args!("{}/resolved/{}", order.id, self.decision()));
        let written = self.writer.write(Entry::new(id, Fact::Resolve(Box::new(resolve)))).await?;
        if written.is_ok() {
            self.collect_debts(verdict.order).await;
        }
        Ok(written)
    }

    /// Declines a case that nobody has decided in time.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the next round tries again.
    pub async fn expire_case(&self, case: &CaseRow) -> Result<Outcome, LedgerFault> {
        let reason = "nobody decided before the authorization lapses".to_owned();
        let (order, to, by) = (case.order, CaseState::Expired, "time".to_owned());
        let because = None;
        self.resolve(&Verdict { order, to, by, claimed: false, because, reason }, None).await
    }

    fn fact(
        &self,
        verdict: &Verdict,
        order: &OrderRow,
        sale: Sale,
        key: Option<KeyWrite>,
    ) -> Resolve {
        let now = self.now();
        let mut body = json!({ "order": order.id, "decision": verdict.to });
        if let Some(because) = verdict.because {
            body["reason"] = json!(because);
        }
        let id = EventId::new(now, &*self.chance);
        Resolve {
            order: order.id,
            sale,
            to: verdict.to,
            by: verdict.by.clone(),
            claimed: verdict.claimed,
            reason: CloseReason::join(verdict.because, &verdict.reason),
            captures: self.terms.capture == Capture::Immediate,
            change: ChangeId::new(now, &*self.chance),
            label: label(verdict).map(|(fraud, source)| NewLabel {
                order: order.id,
                fraud,
                source: source.to_owned(),
                at: now,
                details: LabelDetails {
                    author: Some(verdict.by.clone()),
                    ..LabelDetails::default()
                },
            }),
            events: vec![event(id, order.id, "order.reviewed", &body, now)],
            key,
            now,
        }
    }
}

/// What a decision teaches. Time teaches nothing, nor does an order that was declined for another
/// reason than fraud: who does not answer the phone is not thereby a fraudster.
const fn label(verdict: &Verdict) -> Option<(bool, &'static str)> {
    let is_fraud = matches!(verdict.because, Some(CloseReason::Fraud));
    match verdict.to {
        CaseState::Approved => Some((false, "reviewer")),
        CaseState::Declined if is_fraud => Some((true, "reviewer")),
        CaseState::Refunded if is_fraud => Some((true, "refund")),
        CaseState::Declined | CaseState::Refunded => None,
        CaseState::Open | CaseState::Expired | CaseState::Canceled => None,
    }
}
