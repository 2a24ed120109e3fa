//! Asks the gateway, where there is something to pay. Nothing is locked and no transaction is open
//! meanwhile.

use std::{sync::Arc, time::Duration};

use super::{
    crash::CrashPoint,
    desk::Checkout,
    saga::{Assessed, Attempt, GatewayAnswer, Granted, Paying, Payment, Saga, Verdict},
};
use crate::{
    base::Verification,
    fraud::assessment::Outcome,
    ledger::Authorization,
    payment::{AuthorizeRequest, Authorized, Decline, Found, Gateway, GatewayFault},
};

/// The first pause before the gateway is asked again; doubles.
const PAUSE: Duration = Duration::from_millis(50);

impl Saga<'_> {
    pub(super) async fn authorize(
        &self,
        payment: &Payment<'_>,
        assessed: &Assessed,
        attempt: &mut Attempt,
        gateways: &[Arc<dyn Gateway>],
    ) -> GatewayAnswer {
        let Paying::With(means) = &payment.paying else {
            return GatewayAnswer::Granted(Granted::of_nothing());
        };
        self.reach(CrashPoint::CallSent);
        let judged = assessed.0.as_ref();
        let authenticate = judged.is_some_and(|judged| judged.outcome == Outcome::Challenge);
        let mut answer = GatewayAnswer::Unknown;
        for gateway in gateways {
            if gateway.name() != attempt.gateway && !self.desk.send_to(attempt, gateway).await {
                break;
            }
            let request = self.desk.authorize_request(attempt, &means.credential, authenticate);
            answer = self.desk.ask_to_authorize(gateway, attempt, &request).await;
            // Known not to have acted: the next one may be asked, while there is time.
            if !matches!(answer, GatewayAnswer::Refused(Verdict::Unavailable(_)))
                || self.desk.now() >= attempt.deadline
            {
                break;
            }
        }
        self.reach(CrashPoint::AnswerRead);
        answer
    }
}

impl Granted {
    fn of_nothing() -> Self {
        Self { authorization: Authorization::NothingToPay, verification: Verification::default() }
    }
}

impl Checkout {
    /// Asks until there is a definite answer or the deadline has passed. Asking again is safe: the
    /// reference is the idempotency key.
    async fn ask_to_authorize(
        &self,
        gateway: &Arc<dyn Gateway>,
        attempt: &Attempt,
        request: &AuthorizeRequest,
    ) -> GatewayAnswer {
        let mut pause = PAUSE;
        // Once a call may have acted, a later one that did not says nothing about it.
        let mut may_have_acted = false;
        loop {
            let left = attempt.deadline.since(self.now());
            let call = tokio::time::timeout(left, gateway.authorize(request));
            let fault = match call.await {
                Ok(Ok(answer)) => return answer.into(),
                Ok(Err(fault)) => fault,
                Err(_) => GatewayFault::Unknown("no answer before the deadline".into()),
            };
            match fault {
                GatewayFault::NotSent(why) if !may_have_acted => {
                    return GatewayAnswer::Refused(Verdict::Unavailable(why));
                }
                GatewayFault::Refused(why) if !may_have_acted => {
                    return GatewayAnswer::Refused(Verdict::Declined(Decline::read(&why)));
                }
                fault => {
                    may_have_acted = true;
                    tracing::info!(attempt.id = %attempt.id, %fault, "the gateway gave no answer");
                }
            }
            match self.ask_what_became(attempt).await {
                GatewayAnswer::Unknown if self.now() < attempt.deadline => {}
                answer => return answer,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// What the gateway knows of an attempt. That it never heard of it is definite only after the
    /// deadline.
    pub(super) async fn ask_what_became(&self, attempt: &Attempt) -> GatewayAnswer {
        if attempt.is_of_nothing() {
            return GatewayAnswer::Granted(Granted::of_nothing());
        }
        let found = self.find(&attempt.gateway, &attempt.lookup()).await;
        self.read_found(attempt, found)
    }

    /// What the gateway says of an attempt.
    pub(super) fn read_found(
        &self,
        attempt: &Attempt,
        found: Result<Found, GatewayFault>,
    ) -> GatewayAnswer {
        match found {
            Ok(Found::Answered { answer, voided: false, .. }) => answer.into(),
            Ok(Found::Answered { voided: true, .. }) => {
                GatewayAnswer::Refused(Verdict::Declined(Decline::read("authorization_voided")))
            }
            Ok(Found::Nothing) if self.now() >= attempt.deadline => {
                GatewayAnswer::Refused(Verdict::Unheard)
            }
            Ok(Found::Nothing) => GatewayAnswer::Unknown,
            Err(fault) => {
                tracing::warn!(attempt.id = %attempt.id, %fault, "the gateway tells nothing");
                GatewayAnswer::Unknown
            }
        }
    }
}

impl From<Authorized> for GatewayAnswer {
    fn from(answer: Authorized) -> Self {
        match answer {
            Authorized::Approved { authorization, verification, .. } => Self::Granted(Granted {
                authorization: Authorization::Named(authorization),
                verification,
            }),
            Authorized::Declined(decline) => Self::Refused(Verdict::Declined(decline)),
            Authorized::Challenged(challenge) => Self::Challenged(challenge),
        }
    }
}
