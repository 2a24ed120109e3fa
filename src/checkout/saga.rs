//! The checkout as a table: what each step does, and beside it what undoes it.
//!
//! | step | does | undone by |
//! |---|---|---|
//! | assess | judges the payment; declined, it ends here | nothing: what was judged stays judged |
//! | begin (T1) | records the attempt, pins the holds, re-holds what has lapsed | settle: unpin and reopen, or for the express lane release and cancel |
//! | authorize | asks the gateway; nothing is locked meanwhile | void, a durable debt before the call |
//! | place (T2) | order, payment, events; holds become sold | nothing: an order stands; a return is a new fact |
//! | capture (T3) | hands the debt to the collector | nothing: it is owed |
//!
//! T0, the hold, stands in [`open`](super::open); it is undone by release or by time.

use super::{
    answer::{Asked, CheckoutRefused, Means, Reply, Tender},
    crash::CrashPoint,
    desk::Checkout,
    session::Session,
};
use crate::{
    base::{AttemptId, Money, Timestamp, Verification},
    fraud::Judged,
    ledger::{Authorization, entry::KeyWrite, review::NewAssessment},
};

/// The steps after the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Fraud.
    Assess,
    /// T1.
    Begin,
    /// The gateway.
    Authorize,
    /// T2.
    Place,
    /// T3.
    Capture,
}

/// The attempt a saga is about.
#[derive(Debug, Clone)]
pub(super) struct Attempted {
    /// Our reference at the gateway.
    pub id: AttemptId,
    /// What it authorizes.
    pub amount: Money,
    /// When the outcome counts as unknown.
    pub deadline: Timestamp,
    /// The request that waits for it.
    pub key: Option<KeyWrite>,
}

impl Attempted {
    /// Whether there is nothing to pay: then no gateway hears of it.
    pub(super) const fn is_of_nothing(&self) -> bool {
        self.amount.minor() == 0
    }
}

/// The gateway's definite word, or its definite silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No.
    Declined(String),
    /// Not before the buyer proves who they are there.
    Challenged(String),
    /// It was never reached.
    Unavailable(String),
    /// After the deadline it has never heard of the attempt.
    Unheard,
}

/// Why a saga stops.
pub(super) enum Stop {
    /// It came to nothing: all that was done is undone.
    Verdict(Verdict),
    /// Somebody else settled the attempt first: only the authorization is undone.
    SettledElsewhere,
    /// It ends here with an answer, and there is nothing to undo.
    Answered(Reply),
    /// It goes on later, by recovery or by the same request sent again: nothing is undone.
    Later(CheckoutRefused),
}

impl From<CheckoutRefused> for Stop {
    fn from(refused: CheckoutRefused) -> Self {
        Self::Later(refused)
    }
}

/// One checkout on its way to an order.
pub(super) struct Saga<'a> {
    pub desk: &'a Checkout,
    pub session: &'a mut Session,
    pub asked: Option<&'a Asked>,
    pub tender: Option<Tender>,
    pub attempt: Option<Attempted>,
    pub authorization: Option<Authorization>,
    pub judged: Option<Judged>,
    pub verification: Verification,
    /// What a second look came to, when it ended the payment.
    pub second_look: Option<NewAssessment>,
    pub reply: Option<Reply>,
}

impl Step {
    /// The table's order.
    pub const ALL: [Self; 5] =
        [Self::Assess, Self::Begin, Self::Authorize, Self::Place, Self::Capture];

    async fn run(self, saga: &mut Saga<'_>) -> Result<(), Stop> {
        match self {
            Self::Assess => saga.assess().await,
            Self::Begin => saga.begin().await,
            Self::Authorize => saga.authorize().await,
            Self::Place => saga.place().await,
            Self::Capture => {
                saga.capture();
                Ok(())
            }
        }
    }

    async fn undo(self, saga: &mut Saga<'_>, stop: &Stop) -> Result<(), CheckoutRefused> {
        match (self, stop) {
            (Self::Begin, Stop::Verdict(verdict)) => saga.settle(verdict).await,
            (Self::Authorize, Stop::Verdict(_) | Stop::SettledElsewhere) => saga.void().await,
            (Self::Begin, Stop::SettledElsewhere) => saga.take_the_settled_answer().await,
            (Self::Begin | Self::Authorize, Stop::Answered(_) | Stop::Later(_)) => Ok(()),
            // A judgement stands; so does an order, and what is owed for it stays owed.
            (Self::Assess | Self::Place | Self::Capture, _) => Ok(()),
        }
    }

    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assess => "assess",
            Self::Begin => "begin",
            Self::Authorize => "authorize",
            Self::Place => "place",
            Self::Capture => "capture",
        }
    }
}

impl Saga<'_> {
    /// Runs the table from a step on. When one stops, those before it are undone, last first.
    pub(super) async fn run(mut self, from: Step) -> Result<Reply, CheckoutRefused> {
        let first = Step::ALL.iter().position(|step| *step == from).unwrap_or(0);
        for (at, step) in Step::ALL.iter().enumerate().skip(first) {
            let began = self.desk.now();
            let ended = step.run(&mut self).await;
            self.desk.count_saga(*step, &ended, began);
            if let Err(stop) = ended {
                return self.stop(at, stop).await;
            }
        }
        self.reply.ok_or(CheckoutRefused::KeyInFlight)
    }

    /// Ends the saga before this step of the table.
    pub(super) async fn stop_before(
        self,
        step: Step,
        stop: Stop,
    ) -> Result<Reply, CheckoutRefused> {
        let at = Step::ALL.iter().position(|other| *other == step).unwrap_or(0);
        self.stop(at, stop).await
    }

    async fn stop(mut self, at: usize, stop: Stop) -> Result<Reply, CheckoutRefused> {
        for done in Step::ALL[..at].iter().rev() {
            done.undo(&mut self, &stop).await?;
        }
        match stop {
            Stop::Answered(reply) => Ok(reply),
            Stop::Later(refused) => Err(refused),
            Stop::Verdict(_) | Stop::SettledElsewhere => {
                self.reply.ok_or(CheckoutRefused::KeyInFlight)
            }
        }
    }

    pub(super) fn attempt(&self) -> Result<Attempted, Stop> {
        self.attempt.clone().ok_or(Stop::Later(CheckoutRefused::KeyInFlight))
    }

    /// What it is paid with; none where there is nothing to pay.
    pub(super) fn means(&self) -> Option<&Means> {
        self.session.due().and(self.tender.as_ref()?.means.as_ref())
    }

    pub(super) fn reach(&self, point: CrashPoint) {
        self.desk.probe.reach(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_step_in_order() {
        let names = Step::ALL.map(Step::as_str);
        assert_eq!(names, ["assess", "begin", "authorize", "place", "capture"]);
    }
}
