//! Which gateway a payment goes to, and what may be asked of the one it went to.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    answer::{CheckoutRefused, Means, Reply},
    count,
    desk::Checkout,
    reopen::Reopened,
    saga::{Attempt, Payment, Saga},
    session::{Notice, NoticeCode},
};
use crate::{
    base::{AttemptId, Person},
    payment::{AuthorizeRequest, Choosing, Credential, Found, Gateway, GatewayFault, Lookup},
};

impl Saga<'_> {
    /// The gateways that take this payment, the first choice first; none where nothing is paid.
    /// Where there is none, the request ends here, and nothing is tried.
    pub(super) async fn choose(
        &mut self,
        payment: &Payment<'_>,
    ) -> Result<ControlFlow<Reply, Vec<Arc<dyn Gateway>>>, CheckoutRefused> {
        let Some(means) = payment.paying.means() else {
            return Ok(ControlFlow::Continue(Vec::new()));
        };
        let Means { instrument, .. } = means;
        let (currency, handler, kind) =
            (self.session.totals.total.currency(), &instrument.handler_id, &instrument.kind);
        let country = country(&payment.person).or_else(|| country(&self.session.person));
        let country = country.or(self.session.country.as_deref());
        let gateways = self.desk.gateways.choose(Choosing { currency, country, handler, kind });
        if !gateways.is_empty() {
            return Ok(ControlFlow::Continue(gateways));
        }
        let text = format!(
            "No payment service of this shop takes this instrument in {currency}; pay with \
             another one."
        );
        let notice = Notice::of(NoticeCode::PaymentDeclined, text);
        if self.session.express {
            let currency = Some(self.session.currency);
            let reply = self.desk.nothing(payment.asked, &[notice], currency).await?.1;
            return Ok(ControlFlow::Break(reply));
        }
        count::told(std::slice::from_ref(&notice));
        let session = self.session.clone();
        let notices = vec![notice];
        let reopened = Reopened { session, notices, personal: false, assessment: None };
        let (after, reply) = self.desk.reopen(payment.asked, reopened, Vec::new()).await?;
        *self.session = after;
        Ok(ControlFlow::Break(reply))
    }
}

/// Where whoever pays lives: their billing address says it best.
fn country(person: &Person) -> Option<&str> {
    let addresses = [&person.billing, &person.shipping];
    addresses.into_iter().flatten().find_map(|address| address.address_country.as_deref())
}

impl Checkout {
    /// Whether money of this gateway is for trying things out. What pays nothing is real.
    pub(super) fn is_test(&self, gateway: &str) -> bool {
        self.gateways.named(gateway).is_some_and(|gateway| gateway.is_test())
    }

    /// What the gateway that a payment went to knows of it.
    pub(super) async fn find(&self, gateway: &str, lookup: &Lookup) -> Result<Found, GatewayFault> {
        self.gateways.required(gateway)?.find(lookup).await
    }

    /// Whether an attempt's gateway can be sure that it never heard of it.
    pub(super) fn can_find(&self, attempt: &Attempt) -> bool {
        self.gateways.named(&attempt.gateway).is_none_or(|gateway| gateway.can_find())
    }

    /// Records that an attempt goes to another gateway, because the one before cannot have acted.
    /// `false` where it was settled meanwhile, or that is not known: then nothing is sent.
    pub(super) async fn send_to(&self, attempt: &mut Attempt, gateway: &Arc<dyn Gateway>) -> bool {
        let sent = self.store.redirect_attempt(attempt.id, &attempt.gateway, gateway.name()).await;
        match sent {
            Ok(true) => {
                let (from, to) = (&attempt.gateway, gateway.name());
                tracing::warn!(attempt.id = %attempt.id, from, to, "the next gateway is asked");
                gateway.name().clone_into(&mut attempt.gateway);
                true
            }
            Ok(false) => false,
            Err(fault) => {
                tracing::warn!(attempt.id = %attempt.id, %fault, "the next gateway is not asked");
                false
            }
        }
    }

    /// What the gateway is asked for.
    pub(super) fn authorize_request(
        &self,
        attempt: &Attempt,
        credential: &Credential,
        authenticate: bool,
    ) -> AuthorizeRequest {
        AuthorizeRequest {
            reference: attempt.id,
            order: attempt.order,
            amount: attempt.amount,
            credential: credential.clone(),
            not_after: attempt.deadline,
            authenticate,
            return_url: self.return_url(attempt.id),
        }
    }

    /// Where a buyer comes back to from a gateway's pages. An attempt's id is as hard to guess as
    /// its checkout's.
    fn return_url(&self, attempt: AttemptId) -> String {
        format!("{}/payments/return/{attempt}", self.public_url)
    }
}

impl Attempt {
    /// The payment, to be looked up.
    pub(super) fn lookup(&self) -> Lookup {
        Lookup {
            reference: self.id,
            order: self.order,
            amount: self.amount,
            not_after: self.deadline,
            known: self.known.clone(),
        }
    }
}
