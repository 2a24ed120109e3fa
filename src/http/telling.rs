//! What those who hear of orders are told: each protocol's own body, over the same order.

use async_trait::async_trait;
use std::sync::Arc;

use super::{acp, order_body::OrderBody, render::Answers, ucp, ucp01, v1};
use crate::{
    fraud::cases::Cases,
    ledger::{LedgerFault, entry::NewEvent, review::CaseState, row::OrderRow},
    outbox::{Form, Opened, Tells},
};

/// Tells of orders as their protocols show them.
pub struct Telling {
    /// Writes answers.
    pub answers: Arc<Answers>,
    /// Knows which orders wait for a person.
    pub cases: Cases,
}

#[async_trait]
impl Tells for Telling {
    fn opened(&self, order: &OrderRow) -> Opened {
        let body = OrderBody::of(order);
        Opened { origin: body.origin, caller: body.caller }
    }

    async fn tell(
        &self,
        form: Form,
        event: &NewEvent,
        order: &OrderRow,
    ) -> Result<Option<String>, LedgerFault> {
        Ok(match form {
            Form::Standard => Some(v1::webhook_deliveries::payload(event, order.clone())),
            Form::Ucp => ucp::webhook::body(&self.answers, &event.kind, order),
            Form::Ucp202601 => ucp01::webhook::body(&self.answers, &event.kind, order),
            Form::Acp => {
                let case = self.cases.find(order.id).await?;
                let in_review = case.is_some_and(|case| case.state == CaseState::Open);
                acp::webhook::body(&self.answers, &event.kind, order, in_review)
            }
        })
    }
}
