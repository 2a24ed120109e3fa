//! Adyen behind the trait: which calls, in which order.

use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Adyen,
    answers::authorized,
    calls::{Answered, unknown},
    credential,
    known::END,
    wire::{Amount, ModificationAnswer, PaymentAnswer, ServiceError},
};
use crate::{
    ledger::row::OperationKind,
    payment::{
        About, AuthorizeRequest, Authorized, Decline, DeclineCode, Found, Gateway, GatewayFault,
        Lookup, MoneyRequest, Moved, Named, Notification, NotificationRefused, Notified,
    },
};

/// What a buyer brings back from a bank's page.
const REDIRECT_RESULT: &str = "redirectResult";

#[async_trait]
impl Gateway for Adyen {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn is_test(&self) -> bool {
        !self.settings.is_live
    }

    /// Silence may be a notification that is late.
    fn can_find(&self) -> bool {
        false
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        if self.clock.now() > request.not_after {
            return Err(GatewayFault::NotSent("the call came after its deadline".into()));
        }
        let body = match self.payment(request) {
            Ok(body) => body,
            Err(decline) => return Ok(Authorized::Declined(decline)),
        };
        match self.post::<PaymentAnswer>("/payments", &body, &request.key()).await? {
            Answered::Done(answer) => authorized(&answer, &request.lookup()),
            // Nothing was tried: the request was wrong, and mostly in what it pays with.
            Answered::Refused(error) => {
                let decline = Decline::new(DeclineCode::InvalidInstrument, error.words());
                Ok(Authorized::Declined(decline))
            }
        }
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let amount = amount(request)?;
        self.modify(OperationKind::Capture, request, "captures", Some(amount)).await
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.modify(OperationKind::Void, request, "cancels", None).await
    }

    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let amount = amount(request)?;
        self.modify(OperationKind::Refund, request, "refunds", Some(amount)).await
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        self.known(lookup.reference).await?.found(lookup)
    }

    /// What a buyer brought back is handed in, and the answer kept: it is definite, and may be
    /// faster than the notification.
    async fn resume(&self, lookup: &Lookup, returned: Option<&str>) -> Result<Found, GatewayFault> {
        let known = self.find(lookup).await;
        let result = returned.and_then(redirect_result);
        match (known, result) {
            (Err(GatewayFault::Unknown(_)), Some(result)) => self.bring(lookup, &result).await,
            (known, _) => known,
        }
    }

    /// Canceled by our reference, which works without an answer to go by.
    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        let known = self.known(lookup.reference).await?;
        let found = known.found(lookup);
        let is_asked = known.movement(OperationKind::Void, END).is_some();
        if found.is_ok() || is_asked {
            return found;
        }
        let reference = lookup.reference;
        let name = format!("{reference}-end");
        let body = json!({
            "merchantAccount": self.settings.merchant_account,
            "paymentReference": reference,
            "reference": movement(reference, OperationKind::Void, END),
        });
        match self.post::<ModificationAnswer>("/cancels", &body, &name).await? {
            Answered::Done(answer) => {
                self.accepted(reference, OperationKind::Void, END, answer).await?;
                Err(unknown("Adyen cancels it, and a notification tells how that ended"))
            }
            Answered::Refused(error) => Err(unknown(&error.words())),
        }
    }

    async fn read(&self, notification: &Notification<'_>) -> Result<Notified, NotificationRefused> {
        self.read_notification(notification).await
    }
}

impl Adyen {
    /// What is asked for.
    fn payment(&self, request: &AuthorizeRequest) -> Result<Value, Decline> {
        let amount = Amount::of(request.amount).ok_or_else(|| {
            let why = "amounts in this currency have no decimals at Adyen";
            Decline::new(DeclineCode::NotPermitted, why)
        })?;
        let mut body = credential::read(&request.credential).ok_or_else(|| {
            Decline::new(DeclineCode::InvalidInstrument, "not made by a component of Adyen")
        })?;
        // The bank's pages are addresses, which every storefront can open.
        let mut proof = json!({ "threeDSRequestData": { "nativeThreeDS": "disabled" } });
        if request.authenticate {
            proof["attemptAuthentication"] = json!("always");
        }
        let ours = json!({
            "merchantAccount": self.settings.merchant_account,
            "amount": amount,
            "reference": request.reference,
            "merchantOrderReference": request.order,
            "returnUrl": request.return_url,
            "channel": "Web",
            "authenticationData": proof,
            "additionalData": { "manualCapture": "true" },
        });
        if let Value::Object(ours) = ours {
            body.extend(ours);
        }
        Ok(Value::Object(body))
    }

    /// A capture, cancel or refund. Adyen takes note of it, and tells later how it ended; what was
    /// taken note of is not asked for again.
    async fn modify(
        &self,
        kind: OperationKind,
        request: &MoneyRequest,
        path: &str,
        amount: Option<Amount>,
    ) -> Result<Moved, GatewayFault> {
        let known = self.known(request.reference).await?;
        if let Some(moved) = known.movement(kind, request.part) {
            return moved;
        }
        let mut body = json!({
            "merchantAccount": self.settings.merchant_account,
            "reference": movement(request.reference, kind, request.part),
        });
        if let Some(amount) = amount {
            body["amount"] = json!(amount);
        }
        let path = format!("/payments/{}/{path}", psp_reference(&request.authorization)?);
        match self.post::<ModificationAnswer>(&path, &body, &request.key(kind)).await? {
            Answered::Done(answer) => {
                self.accepted(request.reference, kind, request.part, answer).await?;
                Ok(Moved::Accepted)
            }
            Answered::Refused(error) => Err(refused(&error)),
        }
    }

    async fn accepted(
        &self,
        reference: crate::base::AttemptId,
        kind: OperationKind,
        part: u8,
        answer: ModificationAnswer,
    ) -> Result<(), GatewayFault> {
        let id = format!("accepted:{}", answer.psp_reference);
        let psp_reference = Some(answer.psp_reference);
        let payment = Named { reference: Some(reference), id: psp_reference, amount: None };
        self.keep(id, About::Accepted { payment, kind, part }).await
    }

    /// Hands in what a buyer brought back.
    async fn bring(&self, lookup: &Lookup, result: &str) -> Result<Found, GatewayFault> {
        let body = json!({ "details": { REDIRECT_RESULT: result } });
        // One key for one result: a second browser brings the same, somebody's forgery another.
        let digest = Sha256::digest(result.as_bytes());
        let digest: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{digest}-{}", lookup.reference);
        let answer = match self.post::<PaymentAnswer>("/payments/details", &body, &key).await? {
            Answered::Done(answer) => answer,
            Answered::Refused(error) => return Err(unknown(&error.words())),
        };
        // Without our reference it may be the result of somebody else's payment.
        if answer.merchant_reference.is_none() {
            return Err(unknown("Adyen's answer does not say which payment it is about"));
        }
        let authorized = authorized(&answer, lookup)?;
        let Authorized::Challenged(_) = authorized else {
            let id = format!("details:{}:{}", lookup.reference, answer.result_code);
            let payment = Named {
                reference: Some(lookup.reference),
                id: answer.psp_reference.clone(),
                amount: Some(lookup.amount),
            };
            self.keep(id, About::Answered { payment, answer: authorized }).await?;
            return self.find(lookup).await;
        };
        Err(unknown("the bank wants more of the buyer"))
    }
}

/// Our name for a capture, cancel or refund: notifications bring it back.
fn movement(reference: crate::base::AttemptId, kind: OperationKind, part: u8) -> String {
    format!("{reference}-{}-{part}", kind.as_str())
}

/// `redirectResult` of a query, decoded.
fn redirect_result(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(name, _)| name == REDIRECT_RESULT)?;
    Some(found.1.into_owned()).filter(|result| !result.is_empty())
}

/// A name that goes into a path: nothing else may come of it.
fn psp_reference(name: &str) -> Result<&str, GatewayFault> {
    match !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(name),
        false => Err(GatewayFault::Refused(format!("`{name}` is no `pspReference` of Adyen's"))),
    }
}

fn amount(request: &MoneyRequest) -> Result<Amount, GatewayFault> {
    Amount::of(request.amount).ok_or_else(|| {
        let why = "amounts in this currency have no decimals at Adyen";
        GatewayFault::Refused(why.to_owned())
    })
}

fn refused(error: &ServiceError) -> GatewayFault {
    GatewayFault::Refused(error.words())
}
