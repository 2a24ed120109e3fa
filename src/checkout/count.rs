//! What the checkout tells those who watch it: steps by outcome, holds, units sold, refusals.

use super::{
    answer::{CheckoutRefused, Reply},
    desk::Checkout,
    saga::{GatewayAnswer, Placing},
    session::{Notice, NoticeCode, Session},
};
use crate::{
    base::{Sku, Timestamp},
    catalog::StockPolicy,
    ledger::{
        Shortage,
        entry::{HoldWanted, Source},
    },
    telemetry::metrics::{self, HoldResult, Refusal, StepOutcome},
};
use std::{collections::BTreeSet, ops::ControlFlow};

impl Checkout {
    /// A step ended now.
    pub(super) fn count(&self, step: metrics::Step, outcome: StepOutcome, began: Timestamp) {
        let took = self.now().since(began);
        metrics::checkout_step(step, outcome, took);
        tracing::debug!(?step, ?outcome, ?took, "a step ended");
    }

    /// A step ended now that goes on, or ends with an answer.
    pub(super) fn count_flow<T>(
        &self,
        step: metrics::Step,
        ended: &Result<ControlFlow<Reply, T>, CheckoutRefused>,
        began: Timestamp,
    ) {
        self.count_step(step, ended.as_ref().map(ControlFlow::is_continue), began);
    }

    /// The gateway has answered now, or nobody knows.
    pub(super) fn count_answer(&self, answer: &GatewayAnswer, began: Timestamp) {
        let ended = match answer {
            GatewayAnswer::Granted(_) => Ok(true),
            GatewayAnswer::Refused(_) | GatewayAnswer::Challenged(_) => Ok(false),
            GatewayAnswer::Unknown => Err(&CheckoutRefused::KeyInFlight),
        };
        self.count_step(metrics::Step::Authorize, ended, began);
    }

    /// T2 ended now.
    pub(super) fn count_placing(
        &self,
        placing: &Result<Placing, CheckoutRefused>,
        began: Timestamp,
    ) {
        let is_placed = |placing: &Placing| matches!(placing, Placing::Placed(_));
        self.count_step(metrics::Step::Place, placing.as_ref().map(is_placed), began);
    }

    fn count_step(
        &self,
        step: metrics::Step,
        done: Result<bool, &CheckoutRefused>,
        began: Timestamp,
    ) {
        let outcome = match done {
            Ok(true) => StepOutcome::Done,
            Ok(false) => StepOutcome::Refused,
            Err(CheckoutRefused::Ledger(_)) => StepOutcome::Fault,
            Err(_) => StepOutcome::Unknown,
        };
        self.count(step, outcome, began);
    }
}

/// Holds were committed; those that stood before were renewed and are no new ones.
pub(super) fn held(holds: &[HoldWanted], before: &[(Sku, u32)]) {
    let stood = |hold: &&HoldWanted| before.iter().any(|(sku, _)| *sku == hold.sku);
    for hold in holds.iter().filter(|hold| !stood(hold)) {
        metrics::hold(match hold.source {
            Source::Grant(_) => HoldResult::Granted,
            Source::Direct => HoldResult::Direct,
        });
    }
}

/// A session was written with these holds, in the place of those it had before.
pub(super) fn changed(
    before: Option<&Session>,
    holds: &[HoldWanted],
    units: &[(Sku, u32)],
    after: &Session,
) {
    let held_before = before.map_or(&[][..], |before| &before.held);
    held(holds, held_before);
    released(held_before, units);
    told(&after.notices);
}

/// Holds were refused.
pub(super) fn short(shortages: &[Shortage]) {
    for shortage in shortages {
        metrics::hold(match shortage.available {
            0 => HoldResult::SoldOut,
            _ => HoldResult::NotEnough,
        });
    }
}

/// The buyer gave these units back; those kept in part are still held.
pub(super) fn released(before: &[(Sku, u32)], after: &[(Sku, u32)]) {
    let is_kept = |sku: &Sku| after.iter().any(|(kept, _)| kept == sku);
    for _ in before.iter().filter(|(sku, _)| !is_kept(sku)) {
        metrics::hold(HoldResult::Released);
    }
}

/// An order was placed.
pub(super) fn sold(session: &Session) {
    metrics::units_sold(session.lines.iter().map(|line| u64::from(line.quantity)).sum());
    let counted = session.lines.iter().filter(|line| line.stock_policy == StockPolicy::Tracked);
    for _ in counted.map(|line| &line.sku).collect::<BTreeSet<_>>() {
        metrics::hold(HoldResult::Sold);
    }
}

/// The buyer was told no, for these reasons.
pub(super) fn told(notices: &[Notice]) {
    for notice in notices {
        let reason = match notice.code {
            NoticeCode::OutOfStock | NoticeCode::DiscountLost => Refusal::SoldOut,
            NoticeCode::QuantityAdjusted | NoticeCode::OrderLimit => Refusal::NotEnough,
            NoticeCode::ItemUnavailable
            | NoticeCode::CurrencyMismatch
            | NoticeCode::Undeliverable => Refusal::ItemUnavailable,
            NoticeCode::PaymentDeclined => Refusal::PaymentDeclined,
            NoticeCode::PaymentPending | NoticeCode::PaymentUnavailable => Refusal::PaymentUnknown,
            NoticeCode::TotalChanged => Refusal::TotalChanged,
            // What is still missing is no refusal, and a code that does not count refuses nothing.
            NoticeCode::LinesMissing
            | NoticeCode::EmailMissing
            | NoticeCode::HoldLapsed
            | NoticeCode::PaymentChallenged
            | NoticeCode::PaymentMissing
            | NoticeCode::DiscountExpired
            | NoticeCode::DiscountInvalid
            | NoticeCode::DiscountRepeated
            | NoticeCode::DiscountNotCombined
            | NoticeCode::DiscountNeedsBuyer
            | NoticeCode::DiscountIneligible
            | NoticeCode::DeliveryOpen => continue,
        };
        metrics::refused(reason);
    }
}
