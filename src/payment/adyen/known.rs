//! What is known of a payment: everything that Adyen has told of it, folded.

use super::{Adyen, calls::unknown};
use crate::{
    base::AttemptId,
    ledger::row::OperationKind,
    payment::{
        About, Authorized, Decline, DeclineCode, Found, GatewayEvent, GatewayFault, Lookup, Moved,
        Named,
    },
};

/// The cancel of a payment that nobody has told of: another one than that of an authorization.
pub(super) const END: u8 = u8::MAX;

/// What Adyen has told of one payment.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<About>);

impl Adyen {
    /// Reads it.
    pub(super) async fn known(&self, reference: AttemptId) -> Result<Known, GatewayFault> {
        let told = self.inbox.told_of(&self.settings.name, reference).await;
        told.map(Known).map_err(|fault| unknown(&fault.to_string()))
    }

    /// Keeps what an answer to a call of ours tells: nobody else tells it again.
    pub(super) async fn keep(&self, id: String, about: About) -> Result<(), GatewayFault> {
        let event = GatewayEvent { id, kind: "answer".to_owned(), about };
        let kept = self.inbox.keep(&self.settings.name, &event, self.clock.now()).await;
        kept.map(drop).map_err(|fault| unknown(&fault.to_string()))
    }
}

impl Known {
    /// What became of the payment.
    ///
    /// # Errors
    /// Where nothing definite was told yet, or of another amount.
    pub(super) fn found(&self, asked: &Lookup) -> Result<Found, GatewayFault> {
        let ended = self.ended(OperationKind::Void, END);
        let Some(answer) = self.answer(asked)? else {
            return match ended {
                // Nothing was told of it but that it was canceled by its reference.
                Some(Ok(())) => {
                    let why = Decline::new(DeclineCode::Canceled, "canceled by its reference");
                    Ok(answered(Authorized::Declined(why), (0, 0), false))
                }
                // Nothing was there to be canceled.
                Some(Err(_)) => Ok(Found::Nothing),
                None => Err(unknown("Adyen has told nothing of it yet, and has no look-up")),
            };
        };
        let moved =
            (self.sum(OperationKind::Capture, asked), self.sum(OperationKind::Refund, asked));
        let voided = [ended, self.ended(OperationKind::Void, 0)].contains(&Some(Ok(())));
        Ok(answered(answer, moved, voided))
    }

    /// The answer: what is reserved stays reserved, whatever was refused before.
    fn answer(&self, asked: &Lookup) -> Result<Option<Authorized>, GatewayFault> {
        let mut found = None;
        for about in &self.0 {
            let About::Answered { payment, answer } = about else { continue };
            if payment.amount.is_some_and(|amount| amount != asked.amount) {
                tracing::error!(
                    attempt.id = %asked.reference, told = ?payment.amount, asked = %asked.amount,
                    "Adyen tells of another amount than was asked for"
                );
                return Err(unknown("Adyen tells of another amount than was asked for"));
            }
            if !matches!(found, Some(Authorized::Approved { .. })) {
                found = Some(answer.clone());
            }
        }
        Ok(found)
    }

    /// How a capture, void or refund ended, where that was told. Done is done.
    pub(super) fn ended(&self, of: OperationKind, which: u8) -> Option<Result<(), String>> {
        let mut ends = self.0.iter().filter_map(|about| match about {
            About::Moved { kind, part, ended, .. } if *kind == of && *part == which => Some(ended),
            _ => None,
        });
        let first = ends.next()?;
        Some(if ends.any(Result::is_ok) { Ok(()) } else { first.clone() })
    }

    /// What is to be said of a capture, void or refund without asking for it; `None` where it was
    /// never taken note of.
    pub(super) fn movement(
        &self,
        of: OperationKind,
        which: u8,
    ) -> Option<Result<Moved, GatewayFault>> {
        if let Some(ended) = self.ended(of, which) {
            return Some(ended.map(|()| Moved::Done).map_err(GatewayFault::Refused));
        }
        let is_accepted = self.0.iter().any(|about| {
            matches!(about, About::Accepted { kind, part, .. } if *kind == of && *part == which)
        });
        is_accepted.then_some(Ok(Moved::Accepted))
    }

    /// The movement that Adyen names so, where it was taken note of.
    pub(super) fn accepted_as(&self, psp_reference: &str) -> Option<(OperationKind, u8)> {
        self.0.iter().find_map(|about| match about {
            About::Accepted { payment: Named { id: Some(id), .. }, kind, part }
                if id == psp_reference =>
            {
                Some((*kind, *part))
            }
            _ => None,
        })
    }

    fn sum(&self, of: OperationKind, asked: &Lookup) -> i64 {
        let moved = self.0.iter().filter_map(|about| match about {
            About::Moved { kind, ended: Ok(()), amount: Some(amount), .. }
                if *kind == of && amount.currency() == asked.amount.currency() =>
            {
                Some(amount.minor())
            }
            _ => None,
        });
        moved.sum()
    }
}

const fn answered(answer: Authorized, (captured, refunded): (i64, i64), voided: bool) -> Found {
    Found::Answered { answer, captured_minor: captured, refunded_minor: refunded, voided }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Money, OrderId, Timestamp, Verification};
    use uuid::Uuid;

    fn euros(minor: i64) -> Money {
        Money::from_minor(minor, "EUR".parse().expect("a currency"))
    }

    fn asked() -> Lookup {
        let (reference, order) =
            (AttemptId::from_uuid(Uuid::max()), OrderId::from_uuid(Uuid::max()));
        let not_after = Timestamp::from_micros(0);
        Lookup { reference, order, amount: euros(1000), not_after, known: None }
    }

    fn told(answer: Authorized, amount: i64) -> About {
        let payment = Named { amount: Some(euros(amount)), ..Named::default() };
        About::Answered { payment, answer }
    }

    fn approved() -> Authorized {
        let verification = Verification::default();
        Authorized::Approved { authorization: "PSP".into(), verification, expires_at: None }
    }

    fn moved(kind: OperationKind, part: u8, amount: i64, ended: Result<(), String>) -> About {
        About::Moved { payment: Named::default(), kind, part, amount: Some(euros(amount)), ended }
    }

    // breaks: a refusal that comes late and hides what is reserved; another amount taken for ours
    #[test]
    fn what_is_reserved_stays_reserved_in_whatever_order_it_is_told() {
        let refused = Authorized::Declined(Decline::read("declined"));
        let orders = [
            vec![told(refused.clone(), 1000), told(approved(), 1000)],
            vec![told(approved(), 1000), told(refused, 1000)],
        ];
        for told in orders {
            let found = Known(told).found(&asked()).expect("definite");
            assert_eq!(found, answered(approved(), (0, 0), false));
        }
        assert!(Known(vec![told(approved(), 999)]).found(&asked()).is_err());
        assert!(Known::default().found(&asked()).is_err(), "silence says nothing");
    }

    // breaks: a payment that is taken for ended because somebody asked for its end
    #[test]
    fn a_payment_nobody_told_of_ends_when_its_cancel_is_told() {
        let accepted =
            About::Accepted { payment: Named::default(), kind: OperationKind::Void, part: END };
        assert!(Known(vec![accepted.clone()]).found(&asked()).is_err());
        let done = moved(OperationKind::Void, END, 1000, Ok(()));
        let found = Known(vec![accepted.clone(), done]).found(&asked()).expect("definite");
        assert!(matches!(found, Found::Answered { answer: Authorized::Declined(_), .. }));
        let failed = moved(OperationKind::Void, END, 1000, Err("not found".into()));
        assert_eq!(Known(vec![accepted, failed]).found(&asked()), Ok(Found::Nothing));
    }

    // breaks: parts that are taken for one another, or a movement asked for twice
    #[test]
    fn every_part_is_known_by_itself() {
        let capture = OperationKind::Capture;
        let payment = Named { id: Some("MOD".into()), ..Named::default() };
        let known = Known(vec![
            told(approved(), 1000),
            moved(capture, 0, 300, Ok(())),
            moved(capture, 1, 200, Err("no".into())),
            About::Accepted { payment, kind: capture, part: 2 },
            moved(OperationKind::Refund, 0, 100, Ok(())),
        ]);
        assert_eq!(known.movement(capture, 0), Some(Ok(Moved::Done)));
        assert_eq!(known.movement(capture, 1), Some(Err(GatewayFault::Refused("no".into()))));
        assert_eq!(known.movement(capture, 2), Some(Ok(Moved::Accepted)));
        assert_eq!(known.movement(capture, 3), None);
        assert_eq!(known.accepted_as("MOD"), Some((capture, 2)));
        let found = known.found(&asked()).expect("definite");
        assert_eq!(found, answered(approved(), (300, 100), false));
    }
}
