//! What a notification of PayPal is about.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    PayPal,
    amount::Amount,
    calls::{Answered, is_id},
    wire::{Order, time},
};
use crate::{
    base::AttemptId,
    ledger::row::OperationKind,
    payment::{About, Dispute, DisputeState, Named, NotificationRefused},
};

/// A notification.
#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) event_type: String,
    resource: Value,
}

/// An authorization, a capture or a refund, as far as a notification is read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Part {
    id: String,
    amount: Option<Amount>,
    custom_id: Option<String>,
    invoice_id: Option<String>,
    supplementary_data: Supplement,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Supplement {
    related_ids: Related,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Related {
    order_id: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    dispute_id: String,
    #[serde(default)]
    disputed_transactions: Vec<Transaction>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    status: String,
    dispute_amount: Amount,
    #[serde(default)]
    dispute_outcome: Option<Outcome>,
    #[serde(default)]
    seller_response_due_date: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Transaction {
    seller_transaction_id: Option<String>,
    custom: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Outcome {
    outcome_code: String,
}

impl PayPal {
    pub(super) async fn about(&self, event: &Event) -> Result<About, NotificationRefused> {
        let kind = event.event_type.as_str();
        if kind.starts_with("CHECKOUT.ORDER.") {
            let order: Order = read(&event.resource)?;
            let (reference, amount) = (order.reference(), order.money());
            return Ok(About::Payment(Named { reference, id: named(order.id), amount }));
        }
        if kind.starts_with("PAYMENT.AUTHORIZATION.") {
            let part: Part = read(&event.resource)?;
            let amount = part.amount.as_ref().and_then(Amount::money);
            return Ok(About::Payment(Named { amount, ..part.named() }));
        }
        if kind.starts_with("PAYMENT.CAPTURE.") {
            return read(&event.resource).map(|part: Part| capture(kind, &part));
        }
        if kind.starts_with("CUSTOMER.DISPUTE.") {
            return self.dispute(&read(&event.resource)?).await;
        }
        Ok(About::Other)
    }

    /// A dispute is of a capture, which carries the attempt's name.
    async fn dispute(&self, case: &Case) -> Result<About, NotificationRefused> {
        let Some(transaction) = case.disputed_transactions.first() else {
            return Ok(About::Other);
        };
        let reference = match parse(transaction.custom.as_deref()) {
            Some(reference) => Some(reference),
            None => self.reference_of_capture(transaction).await?,
        };
        let Some(reference) = reference else { return Ok(About::Other) };
        let amount = case.dispute_amount.money().ok_or_else(|| {
            NotificationRefused::Malformed("the disputed amount does not read".to_owned())
        })?;
        Ok(About::Dispute(Dispute {
            id: case.dispute_id.clone(),
            payment: Named { reference: Some(reference), ..Named::default() },
            amount,
            reason: case.reason.clone(),
            is_fraud: case.reason == "UNAUTHORISED",
            state: state(case),
            evidence_due: time(case.seller_response_due_date.as_deref()),
        }))
    }

    async fn reference_of_capture(
        &self,
        transaction: &Transaction,
    ) -> Result<Option<AttemptId>, NotificationRefused> {
        let id = transaction.seller_transaction_id.as_deref().filter(|id| is_id(id));
        let Some(id) = id else { return Ok(None) };
        match self.get::<Part>(&format!("/v2/payments/captures/{id}")).await {
            Ok(Answered::Done(capture)) => Ok(parse(capture.custom_id.as_deref())),
            Ok(Answered::Failed(_)) => Ok(None),
            Err(fault) => Err(NotificationRefused::NotNow(fault.to_string())),
        }
    }
}

impl Part {
    fn named(&self) -> Named {
        let id = self.supplementary_data.related_ids.order_id.clone();
        Named { reference: parse(self.custom_id.as_deref()), id, amount: None }
    }
}

/// A capture that had been accepted has ended; anything else is a change of its payment.
fn capture(kind: &str, capture: &Part) -> About {
    let payment = capture.named();
    let part = payment.reference.and_then(|reference| {
        let name = capture.invoice_id.as_deref()?.strip_prefix(&reference.to_string())?;
        name.strip_prefix("-capture-")?.parse().ok()
    });
    let ended = match kind {
        "PAYMENT.CAPTURE.COMPLETED" => Ok(()),
        "PAYMENT.CAPTURE.DENIED" | "PAYMENT.CAPTURE.DECLINED" => {
            Err(format!("PayPal declined the capture {}", capture.id))
        }
        _ => return About::Payment(payment),
    };
    match part {
        Some(part) => {
            let amount = capture.amount.as_ref().and_then(Amount::money);
            About::Moved { payment, kind: OperationKind::Capture, part, amount, ended }
        }
        None => About::Payment(payment),
    }
}

fn state(case: &Case) -> DisputeState {
    let outcome = case.dispute_outcome.as_ref().map(|outcome| outcome.outcome_code.as_str());
    match (case.status.as_str(), outcome) {
        // PayPal pays the buyer itself where it resolves "with payout".
        ("RESOLVED", Some("RESOLVED_BUYER_FAVOUR" | "ACCEPTED")) => DisputeState::Lost,
        ("RESOLVED", _) => DisputeState::Won,
        ("UNDER_REVIEW" | "WAITING_FOR_BUYER_RESPONSE", _) => DisputeState::UnderReview,
        _ => DisputeState::Open,
    }
}

fn parse(name: Option<&str>) -> Option<AttemptId> {
    name.and_then(|name| name.parse().ok())
}

fn named(id: String) -> Option<String> {
    (!id.is_empty()).then_some(id)
}

fn read<T: DeserializeOwned>(resource: &Value) -> Result<T, NotificationRefused> {
    serde_json::from_value(resource.clone())
        .map_err(|error| NotificationRefused::Malformed(error.to_string()))
}
