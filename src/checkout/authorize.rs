//! Asks the gateway, where there is something to pay. Nothing is locked and no transaction is open
//! meanwhile.

use std::time::Duration;

use super::{
    answer::CheckoutRefused,
    crash::CrashPoint,
    desk::Checkout,
    saga::{Attempted, Saga, Stop, Verdict},
};
use crate::payment::{AuthorizeRequest, Authorized, Credential, Found, GatewayFault};
use crate::{base::Verification, fraud::assessment::Outcome, ledger::Authorization};

/// The first pause before the gateway is asked again; doubles.
const PAUSE: Duration = Duration::from_millis(50);

impl Saga<'_> {
    pub(super) async fn authorize(&mut self) -> Result<(), Stop> {
        let attempt = self.attempt()?;
        if attempt.is_of_nothing() {
            self.granted(Granted::of_nothing());
            return Ok(());
        }
        let Some(credential) = self.means().map(|means| means.credential.clone()) else {
            return Err(Stop::Later(CheckoutRefused::KeyInFlight));
        };
        self.reach(CrashPoint::CallSent);
        let authenticate =
            self.judged.as_ref().is_some_and(|judged| judged.outcome == Outcome::Challenge);
        let verdict = self.desk.ask_to_authorize(&attempt, credential, authenticate).await;
        self.reach(CrashPoint::AnswerRead);
        match verdict {
            Some(Ok(granted)) => {
                self.granted(granted);
                Ok(())
            }
            Some(Err(verdict)) => Err(Stop::Verdict(verdict)),
            None => Err(Stop::Later(CheckoutRefused::KeyInFlight)),
        }
    }

    pub(super) fn granted(&mut self, granted: Granted) {
        self.authorization = Some(granted.authorization);
        self.verification = granted.verification;
    }
}

/// The gateway's yes, or that there was nothing to ask it for.
#[derive(Debug)]
pub(super) struct Granted {
    authorization: Authorization,
    verification: Verification,
}

impl Granted {
    fn of_nothing() -> Self {
        Self { authorization: Authorization::NothingToPay, verification: Verification::default() }
    }
}

impl Checkout {
    /// Asks until there is a definite answer or the deadline has passed. Asking again is safe: the
    /// reference is the idempotency key. `None`: the outcome is unknown, and recovery will ask.
    async fn ask_to_authorize(
        &self,
        attempt: &Attempted,
        credential: Credential,
        authenticate: bool,
    ) -> Option<Result<Granted, Verdict>> {
        let request = AuthorizeRequest {
            reference: attempt.id,
            amount: attempt.amount,
            credential,
            not_after: attempt.deadline,
            authenticate,
        };
        let mut pause = PAUSE;
        // Once a call may have acted, a later one that did not says nothing about it.
        let mut may_have_acted = false;
        loop {
            let left = attempt.deadline.since(self.now());
            let call = tokio::time::timeout(left, self.gateway.authorize(&request));
            let fault = match call.await {
                Ok(Ok(answer)) => return Some(verdict(answer)),
                Ok(Err(fault)) => fault,
                Err(_) => GatewayFault::Unknown("no answer before the deadline".into()),
            };
            match fault {
                GatewayFault::NotSent(why) if !may_have_acted => {
                    return Some(Err(Verdict::Unavailable(why)));
                }
                GatewayFault::Refused(code) if !may_have_acted => {
                    return Some(Err(Verdict::Declined(code)));
                }
                fault => {
                    may_have_acted = true;
                    tracing::info!(attempt = %attempt.id, %fault, "the gateway gave no answer");
                }
            }
            if let Some(found) = self.ask_what_became(attempt).await {
                return Some(found);
            }
            if self.now() >= attempt.deadline {
                return None;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// What the gateway knows of an attempt. `None`: nothing definite. That it never heard of the
    /// attempt is definite only after the deadline.
    pub(super) async fn ask_what_became(
        &self,
        attempt: &Attempted,
    ) -> Option<Result<Granted, Verdict>> {
        if attempt.is_of_nothing() {
            return Some(Ok(Granted::of_nothing()));
        }
        match self.gateway.find(attempt.id).await {
            Ok(Found::Answered { answer, voided: false, .. }) => Some(verdict(answer)),
            Ok(Found::Answered { voided: true, .. }) => {
                Some(Err(Verdict::Declined("authorization_voided".into())))
            }
            Ok(Found::Nothing) if self.now() >= attempt.deadline => Some(Err(Verdict::Unheard)),
            Ok(Found::Nothing) => None,
            Err(fault) => {
                tracing::warn!(attempt = %attempt.id, %fault, "the gateway tells nothing");
                None
            }
        }
    }
}

fn verdict(answer: Authorized) -> Result<Granted, Verdict> {
    match answer {
        Authorized::Approved { authorization, verification } => {
            Ok(Granted { authorization: Authorization::Named(authorization), verification })
        }
        Authorized::Declined { code } => Err(Verdict::Declined(code)),
        Authorized::Challenged { url } => Err(Verdict::Challenged(url)),
    }
}
