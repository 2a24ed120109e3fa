//! Unpin: what undoes T1 when a payment came to nothing.

use super::{
    answer::CheckoutRefused,
    count,
    desk::unexpected,
    record::document,
    saga::{Assessed, Attempt, Ended, Failed, Saga, Verdict},
    session::{Notice, NoticeCode, Session},
};
use crate::ledger::{
    Entry, EntryId, Fact, LedgerRefused,
    entry::Settle,
    row::{AttemptState, SessionState},
};

impl Saga<'_> {
    pub(super) async fn settle(
        &mut self,
        assessed: &Assessed,
        attempt: &Attempt,
        Failed { verdict, second_look }: Failed,
    ) -> Result<Ended, CheckoutRefused> {
        let after = self.reopened(&verdict);
        let answered = attempt.waiting.as_ref().map(|key| self.desk.answered(key, &after));
        let (key, answer) = answered.unzip();
        let now = self.desk.now();
        // A call on its way, or a buyer who is late, may act at the gateway even now.
        let may_act = matches!(verdict, Verdict::Unheard | Verdict::Ended);
        let settle = Settle {
            attempt: attempt.id,
            checkout: after.id,
            state: state(&verdict),
            code: code(&verdict),
            reopens: after.state == SessionState::Open,
            body: document(&after),
            hold_until: after.hold_until,
            watch_until: may_act.then(|| now.plus(self.desk.terms.watch)),
            assessment: second_look.as_deref().cloned(),
            key,
            now,
        };
        let id = EntryId::attempt(attempt.id, "settled", self.desk.decision());
        let entry = Entry::new(id, Fact::Settle(Box::new(settle)));
        match self.desk.writer.write(entry).await? {
            Ok(_) => {
                count::told(&after.notices);
                *self.session = after;
                // Here, where one of several that find it out comes first, and nobody else.
                self.remember_failure(assessed, &verdict).await;
                Ok(answer.into())
            }
            Err(LedgerRefused::AlreadyPlaced { .. } | LedgerRefused::AlreadySettled { .. }) => {
                self.take_the_settled_answer(attempt).await
            }
            // The request was answered by a challenge meanwhile, and that stays its answer.
            Err(LedgerRefused::KeyTaken(row)) if attempt.waiting.is_some() => {
                let unasked = Attempt { waiting: None, ..attempt.clone() };
                let failed = Failed { verdict, second_look };
                Box::pin(self.settle(assessed, &unasked, failed)).await?;
                Ok(row.answer.into())
            }
            Err(refused) => Err(unexpected(&refused)),
        }
    }

    fn reopened(&self, verdict: &Verdict) -> Session {
        let mut after = self.session.clone();
        after.version += 1;
        after.state = if after.express { SessionState::Canceled } else { SessionState::Open };
        // A declined payment is no progress; what the bank or the line took of the buyer's time is
        // not the buyer's fault.
        if !matches!(verdict, Verdict::Declined(_)) {
            self.desk.renew(&mut after);
        }
        after.notices = vec![verdict.notice()];
        if matches!(verdict, Verdict::Declined(_)) {
            after.declines += 1;
        }
        if after.express {
            after.held.clear();
        }
        after.challenge_url = None;
        after.challenge = None;
        after
    }
}

const fn state(verdict: &Verdict) -> AttemptState {
    match verdict {
        Verdict::Declined(_) | Verdict::Ended | Verdict::Unavailable(_) => AttemptState::Declined,
        Verdict::Unheard => AttemptState::Unheard,
    }
}

fn code(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Declined(decline) => decline.record(),
        Verdict::Ended => "not_confirmed".to_owned(),
        Verdict::Unavailable(_) => "gateway_unreachable".to_owned(),
        Verdict::Unheard => "never_heard_of".to_owned(),
    }
}

impl Verdict {
    /// What the buyer hears.
    pub(super) fn notice(&self) -> Notice {
        let (code, text) = match self {
            Verdict::Declined(code) => {
                let text = format!("The payment was declined ({code}). Try another instrument.");
                (NoticeCode::PaymentDeclined, text)
            }
            Verdict::Ended => {
                let text = "The payment was not confirmed in time; nothing was charged. Pay again.";
                (NoticeCode::PaymentUnavailable, text.into())
            }
            Verdict::Unavailable(_) => {
                let text =
                    "The payment service could not be reached; nothing was charged. Try again.";
                (NoticeCode::PaymentUnavailable, text.into())
            }
            Verdict::Unheard => {
                let text = "The payment did not go through; nothing was charged. Try again.";
                (NoticeCode::PaymentUnavailable, text.into())
            }
        };
        Notice::of(code, text)
    }
}
