//! A payment that waits for its buyer: the same attempt goes on, wherever it is heard of again.
//!
//! The buyer's return, a repeated complete, a notification and the reconciler all ask the gateway
//! what became of it, and then place the order or settle; they compete on the attempt, so one of
//! them does it. Whoever wants to pay with something else, or to change or cancel the checkout,
//! ends the attempt at the gateway first: only what has definitely ended is given up.

use sha2::{Digest, Sha256};

use super::{
    answer::{Asked, CheckoutRefused, Means, Operation, Reply, Tender},
    count,
    desk::{Checkout, unexpected},
    record::document,
    saga::{Attempt, Ended, GatewayAnswer, Saga, Verdict},
    session::{Challenged, Notice, NoticeCode, Session},
};
use crate::{
    base::AttemptId,
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::Challenge as ChallengeWrite,
        row::{AttemptChallenge, AttemptRow, AttemptState, SessionState},
    },
    payment::{Authorized, Challenge, DeclineCode, Found},
};

impl Saga<'_> {
    /// The attempt waits for its buyer, and whoever asked is told where they go.
    pub(super) async fn challenge(
        &mut self,
        attempt: &Attempt,
        challenge: Challenge,
        means: Option<u64>,
    ) -> Result<Ended, CheckoutRefused> {
        let now = self.desk.now();
        let latest = now.plus(self.desk.terms.challenge_ttl);
        let until = challenge.until.map_or(latest, |until| until.min(latest));
        let mut after = self.session.clone();
        after.version += 1;
        after.challenge_url = Some(challenge.url.clone());
        after.challenge = Some(Challenged { until, means });
        let text = "The bank wants to be sure it is you; confirm the payment there.";
        after.notices = vec![Notice::of(NoticeCode::PaymentChallenged, text.to_owned())];
        let answered = attempt.waiting.as_ref().map(|key| self.desk.answered(key, &after));
        let (key, answer) = answered.unzip();
        let write = ChallengeWrite {
            attempt: attempt.id,
            checkout: after.id,
            challenge: AttemptChallenge { id: challenge.id, url: challenge.url, until },
            body: document(&after),
            key,
            now,
        };
        let id = EntryId::attempt(attempt.id, "challenged", self.desk.decision());
        let entry = Entry::new(id, Fact::Challenge(Box::new(write)));
        match self.desk.writer.write(entry).await? {
            Ok(_) => {
                count::told(&after.notices);
                *self.session = after;
                Ok(answer.into())
            }
            Err(
                LedgerRefused::AlreadyPlaced { .. }
                | LedgerRefused::AlreadySettled { .. }
                | LedgerRefused::KeyTaken(_),
            ) => self.take_the_settled_answer(attempt).await,
            Err(refused) => Err(unexpected(&refused)),
        }
    }
}

impl Checkout {
    /// Goes on with a payment under way when its buyer asks to pay again. `None` where the session
    /// stands open, and paying begins anew.
    pub(super) async fn go_on(
        &self,
        session: &mut Session,
        asked: &Asked,
        tender: &Tender,
    ) -> Result<Option<Reply>, CheckoutRefused> {
        let before = session.challenge.filter(|_| session.is_challenged());
        let attempt = session.attempt;
        self.recover(session).await?;
        let Some(Challenged { means, .. }) = before else {
            return Ok(Some(self.earlier_or(asked, CheckoutRefused::Completing).await?));
        };
        if session.state == SessionState::Completed {
            return Ok(Some(self.answer(session, asked, Operation::Complete).await?));
        }
        let Some(with) = &tender.means else {
            return Ok(Some(self.earlier_or(asked, CheckoutRefused::MeansMissing).await?));
        };
        // Who pays with the same again asks what became of it.
        if attempt.map(|id| digest(id, with)) == means {
            return Ok(Some(self.answer(session, asked, Operation::Complete).await?));
        }
        match self.earlier_or(asked, CheckoutRefused::Completing).await {
            Err(CheckoutRefused::Completing) => {}
            earlier => return earlier.map(Some),
        }
        self.give_up(session).await?;
        match session.state {
            SessionState::Open => Ok(None),
            SessionState::Completing => Err(CheckoutRefused::Completing),
            _ => Ok(Some(self.answer(session, asked, Operation::Complete).await?)),
        }
    }

    /// Ends a payment that waits for its buyer, at the gateway first. Then the session stands open;
    /// or it is completed, where the buyer was faster; or as it was, where nothing is known.
    pub(super) async fn give_up(&self, session: &mut Session) -> Result<(), CheckoutRefused> {
        match session.is_challenged() {
            true => self.settle_pending(session, true).await,
            false => Ok(()),
        }
    }

    /// Goes on with an attempt whose buyer may have come back, with what they brought along.
    pub(super) async fn resume(&self, attempt: &Attempt, returned: Option<&str>) -> GatewayAnswer {
        let found = match self.gateways.required(&attempt.gateway) {
            Ok(gateway) => gateway.resume(&attempt.lookup(), returned).await,
            Err(fault) => Err(fault),
        };
        self.read_found(attempt, found)
    }

    /// Hands the gateway what a buyer brought back from its pages: some gateways go on by nothing
    /// else. What came of it is asked for by whoever settles the attempt.
    pub async fn bring_back(&self, row: &AttemptRow, returned: &str) {
        if row.state != AttemptState::Pending || returned.is_empty() {
            return;
        }
        let answer = self.resume(&self.unasked(row), Some(returned)).await;
        tracing::info!(attempt.id = %row.id, ?answer, "a buyer came back");
    }

    /// Ends an attempt at its gateway, and says what is true then.
    pub(super) async fn end_attempt(&self, attempt: &Attempt) -> GatewayAnswer {
        let gateway = match self.gateways.required(&attempt.gateway) {
            Ok(gateway) => gateway,
            Err(fault) => {
                tracing::error!(attempt.id = %attempt.id, %fault, "a payment cannot be ended");
                return GatewayAnswer::Unknown;
            }
        };
        match gateway.end(&attempt.lookup()).await {
            Ok(Found::Answered { voided: true, .. }) => GatewayAnswer::Refused(Verdict::Ended),
            Ok(Found::Answered { answer: Authorized::Declined(decline), .. })
                if decline.code == DeclineCode::Canceled =>
            {
                GatewayAnswer::Refused(Verdict::Ended)
            }
            // It could not be ended: it still waits.
            Ok(Found::Answered { answer: Authorized::Challenged(_), .. }) => GatewayAnswer::Unknown,
            Ok(Found::Answered { answer, .. }) => answer.into(),
            Ok(Found::Nothing) if self.now() >= attempt.deadline => {
                GatewayAnswer::Refused(Verdict::Unheard)
            }
            Ok(Found::Nothing) => GatewayAnswer::Unknown,
            Err(fault) => {
                tracing::warn!(attempt.id = %attempt.id, %fault, "a payment is not ended yet");
                GatewayAnswer::Unknown
            }
        }
    }
}

/// A digest of what an attempt is paid with. The credential itself is kept nowhere.
pub(super) fn digest(attempt: AttemptId, means: &Means) -> u64 {
    let mut hash = Sha256::new();
    hash.update(attempt.uuid().as_bytes());
    hash.update(means.credential.expose().as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(bytes)
}
