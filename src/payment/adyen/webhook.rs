//! Notifications of Adyen: whether one is Adyen's own, and what it is about.
//!
//! The signature covers a few fields of each item, and no time. What it does not cover (reasons,
//! results of checks) decides nothing about money; what comes twice has one name, and is kept once.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    Adyen, declines,
    known::END,
    wire::{Batch, Item},
};
use crate::{
    base::{AttemptId, Timestamp},
    ledger::row::OperationKind,
    payment::{
        About, Authorized, Dispute, DisputeState, GatewayEvent, Named, Notification,
        NotificationRefused, Notified, Warning,
    },
};

/// What Adyen wants to read; anything else is sent again.
const ANSWER: &str = "[accepted]";

/// Items of one batch that are read. Adyen sends a handful.
const ITEMS_MAX: usize = 200;

impl Adyen {
    pub(super) async fn read_notification(
        &self,
        notification: &Notification<'_>,
    ) -> Result<Notified, NotificationRefused> {
        let batch: Batch = serde_json::from_slice(notification.body)
            .map_err(|error| NotificationRefused::Malformed(error.to_string()))?;
        if batch.notification_items.is_empty() || batch.notification_items.len() > ITEMS_MAX {
            let why = format!("between 1 and {ITEMS_MAX} items are read at once");
            return Err(NotificationRefused::Malformed(why));
        }
        let items: Vec<Item> = batch.notification_items.into_iter().map(|one| one.item).collect();
        // All are Adyen's own, or none is looked at.
        for item in &items {
            self.verify(item)?;
        }
        if (batch.live == "true") != self.settings.is_live {
            let (theirs, ours) = match self.settings.is_live {
                true => ("test", "live"),
                false => ("live", "test"),
            };
            let why = format!("it is about {theirs} money, and this gateway is {ours}");
            return Err(NotificationRefused::Foreign(why));
        }
        let mut events = Vec::new();
        for item in items {
            if item.merchant_account_code != self.settings.merchant_account {
                let why = format!("it is about the account `{}`", item.merchant_account_code);
                return Err(NotificationRefused::Foreign(why));
            }
            let about = self.about(&item).await?;
            let Item { psp_reference, event_code: kind, success, .. } = item;
            // The same event may first fail and then succeed.
            let id = format!("{kind}:{psp_reference}:{success}");
            events.push(GatewayEvent { id, kind, about });
        }
        Ok(Notified { events, answer: ANSWER })
    }

    /// HMAC-SHA256 over the signed fields with any of the keys, compared in constant time.
    fn verify(&self, item: &Item) -> Result<(), NotificationRefused> {
        let forged = |why: &str| NotificationRefused::Forged(why.to_owned());
        let signature = item
            .text("hmacSignature")
            .ok_or_else(|| forged("there is no `hmacSignature`: switch it on at the webhook"))?;
        let signature =
            STANDARD.decode(signature).map_err(|_| forged("its `hmacSignature` is no base64"))?;
        let signed = signed(item);
        let is_ours = self.settings.hmac_keys.iter().filter_map(|key| unhex(key)).any(|key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key)
                .expect("invariant: HMAC takes keys of every length");
            mac.update(signed.as_bytes());
            mac.verify_slice(&signature).is_ok()
        });
        match is_ours {
            true => Ok(()),
            false => Err(forged(
                "the signature fits no `hmac_key` of this gateway: compare it with the key of the \
                 webhook in Adyen's Customer Area",
            )),
        }
    }

    async fn about(&self, item: &Item) -> Result<About, NotificationRefused> {
        let amount = item.amount.money();
        let kind = match item.event_code.as_str() {
            "AUTHORISATION" => return authorisation(item),
            "CAPTURE" | "CAPTURE_FAILED" => OperationKind::Capture,
            "CANCELLATION" | "TECHNICAL_CANCEL" => OperationKind::Void,
            "REFUND" | "REFUND_FAILED" | "REFUNDED_REVERSED" => OperationKind::Refund,
            code => return Ok(dispute(code, item)),
        };
        let Some((reference, named)) = reference(&item.merchant_reference) else {
            return Ok(About::Other);
        };
        // Named as we named it; else as it was taken note of.
        let named = match named {
            Some(named) => Some(named),
            None => {
                let known = self.known(reference).await;
                let known = known.map_err(|why| NotificationRefused::NotNow(why.to_string()))?;
                known.accepted_as(&item.psp_reference)
            }
        };
        let id = Some(item.original_reference.clone()).filter(|id| !id.is_empty());
        let payment = Named { reference: Some(reference), id, amount: None };
        let part = match named {
            Some((known, part)) if known == kind => part,
            None if item.event_code == "TECHNICAL_CANCEL" => END,
            None if kind == OperationKind::Void => 0,
            // Somebody did it in Adyen's Customer Area.
            _ => return Ok(About::Payment(payment)),
        };
        let failed = matches!(
            item.event_code.as_str(),
            "CAPTURE_FAILED" | "REFUND_FAILED" | "REFUNDED_REVERSED"
        );
        let ended = match item.is_success() && !failed {
            true => Ok(()),
            false => Err(reason(item)),
        };
        Ok(About::Moved { payment, kind, part, amount, ended })
    }
}

/// The fields that are signed, with colons between. Source: Adyen, "Verify HMAC signatures".
fn signed(item: &Item) -> String {
    let value = item.amount.value.to_string();
    [
        &item.psp_reference,
        &item.original_reference,
        &item.merchant_account_code,
        &item.merchant_reference,
        &value,
        &item.amount.currency,
        &item.event_code,
        &item.success,
    ]
    .map(String::as_str)
    .join(":")
}

fn authorisation(item: &Item) -> Result<About, NotificationRefused> {
    let Some((reference, None)) = reference(&item.merchant_reference) else {
        return Ok(About::Other);
    };
    let amount = item.amount.money().ok_or_else(|| {
        NotificationRefused::Malformed(format!("no currency is `{}`", item.amount.currency))
    })?;
    let answer = match item.is_success() {
        true => Authorized::Approved {
            authorization: item.psp_reference.clone(),
            verification: crate::base::Verification::default(),
            expires_at: None,
        },
        false => Authorized::Declined(declines::told(&reason(item))),
    };
    let id = Some(item.psp_reference.clone());
    let payment = Named { reference: Some(reference), id, amount: Some(amount) };
    Ok(About::Answered { payment, answer })
}

fn dispute(code: &str, item: &Item) -> About {
    let state = match code {
        "NOTIFICATION_OF_CHARGEBACK"
        | "REQUEST_FOR_INFORMATION"
        | "CHARGEBACK"
        | "PREARBITRATION_OPEN" => DisputeState::Open,
        "INFORMATION_SUPPLIED" => DisputeState::UnderReview,
        "CHARGEBACK_REVERSED" | "PREARBITRATION_WON" => DisputeState::Won,
        "SECOND_CHARGEBACK" | "PREARBITRATION_LOST" => DisputeState::Lost,
        "NOTIFICATION_OF_FRAUD" => return warning(item),
        _ => return About::Other,
    };
    let (Some(amount), Some((reference, _))) =
        (item.amount.money(), reference(&item.merchant_reference))
    else {
        return About::Other;
    };
    let reason_code = item.text("chargebackReasonCode").unwrap_or_default();
    let due = item.text("defensePeriodEndsAt").and_then(Timestamp::parse);
    About::Dispute(Dispute {
        id: format!("dispute:{}", item.original_reference),
        payment: Named { reference: Some(reference), id: None, amount: None },
        amount,
        reason: match reason_code.is_empty() {
            true => reason(item),
            false => format!("{reason_code}: {}", reason(item)),
        },
        is_fraud: is_fraud(reason_code),
        state,
        evidence_due: due,
    })
}

fn warning(item: &Item) -> About {
    let Some((reference, _)) = reference(&item.merchant_reference) else { return About::Other };
    let payment = Named { reference: Some(reference), ..Named::default() };
    let (id, reason) = (item.psp_reference.clone(), reason(item));
    About::Warning(Warning { id, payment, reason })
}

/// Reason codes of the schemes for fraud: Visa 10.x, Mastercard 4837, 4863, 4870, 4871, American
/// Express F10 to F31, Discover UA0x.
fn is_fraud(code: &str) -> bool {
    let is_amex = code.strip_prefix('F').is_some_and(|rest| rest.parse::<u8>().is_ok());
    code.starts_with("10.")
        || matches!(code, "4837" | "4863" | "4870" | "4871")
        || is_amex
        || code.starts_with("UA0")
}

fn reason(item: &Item) -> String {
    match &item.reason {
        Some(reason) if !reason.is_empty() => reason.clone(),
        _ => item.event_code.clone(),
    }
}

/// The attempt that a reference of ours names, and which movement of it, where it names one.
fn reference(text: &str) -> Option<(AttemptId, Option<(OperationKind, u8)>)> {
    if let Ok(attempt) = text.parse() {
        return Some((attempt, None));
    }
    let mut parts = text.rsplitn(3, '-');
    let (part, kind, attempt) = (parts.next()?, parts.next()?, parts.next()?);
    let all = [OperationKind::Capture, OperationKind::Void, OperationKind::Refund];
    let kind = all.into_iter().find(|known| known.as_str() == kind)?;
    Some((attempt.parse().ok()?, Some((kind, part.parse().ok()?))))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: another order of the fields, or one left out. The item and its signature are Adyen's
    // own example, which its libraries are tested with
    #[test]
    fn adyens_own_example_verifies() {
        let key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
        let item: Item = serde_json::from_value(serde_json::json!({
            "additionalData": { "hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=" },
            "amount": { "currency": "EUR", "value": 1130 },
            "pspReference": "7914073381342284",
            "eventCode": "AUTHORISATION",
            "eventDate": "2019-05-06T17:15:34.121+02:00",
            "merchantAccountCode": "TestMerchant",
            "merchantReference": "TestPayment-1407325143704",
            "paymentMethod": "visa",
            "success": "true"
        }))
        .expect("an item");
        assert_eq!(
            signed(&item),
            "7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(&unhex(key).expect("a key")).expect("a key");
        mac.update(signed(&item).as_bytes());
        let theirs = item.text("hmacSignature").expect("a signature");
        assert_eq!(STANDARD.encode(mac.finalize().into_bytes()), theirs);
    }

    // breaks: a movement's name that does not come back from a notification
    #[test]
    fn what_we_named_is_found_in_what_comes_back() {
        let attempt = AttemptId::from_uuid(uuid::Uuid::max());
        assert_eq!(reference(&attempt.to_string()), Some((attempt, None)));
        let named = format!("{attempt}-refund-3");
        assert_eq!(reference(&named), Some((attempt, Some((OperationKind::Refund, 3)))));
        for foreign in ["", "order-1", "pay_x-refund-3", &format!("{attempt}-refund-300")] {
            assert_eq!(reference(foreign), None, "{foreign}");
        }
    }

    // breaks: a dispute about goods that labels its buyer a thief, or one about fraud that does not
    #[test]
    fn the_schemes_own_codes_say_what_is_fraud() {
        for code in ["10.4", "4837", "F29", "UA02"] {
            assert!(is_fraud(code), "{code}");
        }
        for code in ["13.1", "4853", "C08", "", "FR2"] {
            assert!(!is_fraud(code), "{code}");
        }
    }
}
