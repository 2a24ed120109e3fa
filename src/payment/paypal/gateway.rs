//! PayPal behind the trait: which calls, in which order.

use async_trait::async_trait;
use serde_json::json;
use std::time::Duration;

use super::{
    PayPal,
    answers::{HONOURED, belongs_to_another, check, ended},
    calls::Answered,
    declines::decline,
    source::{Source, vaulted},
    wire::Order,
};
use crate::{
    base::AttemptId,
    payment::{
        AuthorizeRequest, Authorized, Decline, DeclineCode, Found, Gateway, GatewayFault, Lookup,
        MoneyRequest, Moved, Notification, NotificationRefused, Notified,
    },
};

#[async_trait]
impl Gateway for PayPal {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn authorization_lasts(&self) -> Option<Duration> {
        Some(HONOURED)
    }

    fn is_test(&self) -> bool {
        self.settings.sandbox
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        self.in_time(request.not_after)?;
        let Some(source) = Source::read(&request.credential) else {
            let decline = Decline::new(DeclineCode::InvalidInstrument, "not a token of PayPal");
            return Ok(Authorized::Declined(decline));
        };
        if let Source::Order(name) = source {
            return self.take_over(name, request).await;
        }
        let order = match self.create(&request.lookup()).await? {
            Answered::Done(order) => order,
            Answered::Failed(error) => return Ok(Authorized::Declined(decline(&error))),
        };
        if order.authorization().is_some() || order.status != "CREATED" {
            // Asked before: the order tells what came of it.
            return self.authorized(&order, &request.lookup());
        }
        self.in_time(request.not_after)?;
        match source {
            Source::Vaulted(vault, token) => {
                let body = vaulted(vault, token, request);
                self.pay(&order.id, ("vaulted", &body), &request.lookup()).await
            }
            Source::Redirect | Source::Order(_) => self.send_buyer(&order, request).await,
        }
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.take(request).await
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.let_go(request).await
    }

    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.give_back(request).await
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        match self.order_of_payment(lookup).await? {
            Some(order) => self.found(&order, lookup),
            None => Ok(Found::Nothing),
        }
    }

    /// Authorizes what the buyer has agreed to. What they bring back is not needed: the order knows
    /// whether they have.
    async fn resume(&self, lookup: &Lookup, _: Option<&str>) -> Result<Found, GatewayFault> {
        let Some(order) = self.order_of_payment(lookup).await? else { return Ok(Found::Nothing) };
        if order.authorization().is_some() || belongs_to_another(&order, lookup) {
            return self.found(&order, lookup);
        }
        check(&order, lookup)?;
        let answer = match (order.status.as_str(), order.authentication()) {
            (_, Some(result @ ("N" | "R"))) => {
                let decline = Decline::new(DeclineCode::AuthenticationFailed, result);
                Authorized::Declined(decline)
            }
            ("APPROVED", _) | (_, Some(_)) => {
                self.pay(&order.id, ("approved", &json!({})), lookup).await?
            }
            _ => return self.found(&order, lookup),
        };
        Ok(Found::Answered { answer, captured_minor: 0, refunded_minor: 0, voided: false })
    }

    /// Nobody but us can authorize an order: one that we have not is given up by that alone.
    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        match self.order_of_payment(lookup).await? {
            Some(order) if order.authorization().is_some() => self.found(&order, lookup),
            Some(_) => Ok(ended("given up")),
            None if lookup.known.is_some() => Ok(ended("PayPal has forgotten the order")),
            None => Ok(Found::Nothing),
        }
    }

    async fn read(&self, notification: &Notification<'_>) -> Result<Notified, NotificationRefused> {
        self.read_notification(notification).await
    }

    async fn reference_of(&self, known: &str) -> Result<Option<AttemptId>, GatewayFault> {
        Ok(self.order(known).await?.and_then(|order| order.reference()))
    }
}

impl PayPal {
    /// The order of a payment, by the name it is known by; else by the call that has made it.
    async fn order_of_payment(&self, lookup: &Lookup) -> Result<Option<Order>, GatewayFault> {
        match &lookup.known {
            Some(name) => self.order(name).await,
            None => self.create_again(lookup).await,
        }
    }
}
