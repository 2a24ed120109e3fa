//! The checkout as a table: what each step does, and beside it what undoes it.
//!
//! | step | does | undone by |
//! |---|---|---|
//! | assess | judges the payment; declined, it ends here | nothing: what was judged stays judged |
//! | begin (T1) | records the attempt, pins the holds, re-holds what has lapsed | settle: unpin and reopen, or for the express lane release and cancel |
//! | authorize | asks the gateway; nothing is locked meanwhile | void, a durable debt before the call |
//! | challenge | the attempt waits for its buyer; the holds stay pinned | ended at the gateway, then settle |
//! | place (T2) | order, payment, events; holds become sold | nothing: an order stands; a return is a new fact |
//! | capture (T3) | hands the debt to the collector | nothing: it is owed |
//!
//! T0, the hold, stands in [`open`](super::open); it is undone by release or by time.
//!
//! A step takes what those before it have proved ([`Assessed`], then the [`Attempt`] of T1, then
//! what was [`Granted`]) and returns what the next one needs. So whoever stops has in hand what
//! there is to undo, and nothing else.

use std::ops::ControlFlow;

use super::{
    answer::{Asked, CheckoutRefused, Means, Reply},
    challenge::digest,
    crash::CrashPoint,
    desk::Checkout,
    session::Session,
};
use crate::{
    base::{AttemptId, Money, OrderId, Person, Timestamp, Verification},
    fraud::Judged,
    ledger::{Authorization, entry::KeyWrite, review::NewAssessment},
    payment::{Challenge, Decline},
    telemetry::metrics,
};

/// A request to pay.
pub(super) struct Payment<'a> {
    /// Who asks, and waits for the answer.
    pub asked: &'a Asked,
    /// What came with it of the person.
    pub person: Person,
    /// With what.
    pub paying: Paying,
}

/// What is paid with.
pub(super) enum Paying {
    /// It costs nothing: no gateway hears of it.
    Nothing,
    /// This.
    With(Means),
}

impl Paying {
    /// The means, where there are any.
    pub(super) const fn means(&self) -> Option<&Means> {
        match self {
            Self::Nothing => None,
            Self::With(means) => Some(means),
        }
    }
}

/// The payment was judged and goes on. Nothing, where nobody judges.
pub(super) struct Assessed(pub Option<Judged>);

/// T1 stands: the holds are pinned by this attempt.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// Our reference at the gateway.
    pub id: AttemptId,
    /// The order it pays for.
    pub order: OrderId,
    /// What it authorizes.
    pub amount: Money,
    /// The gateway it goes to, and with it everything that is asked about it.
    pub gateway: String,
    /// The gateway's own name for it, once it is known.
    pub known: Option<String>,
    /// When the outcome counts as unknown.
    pub deadline: Timestamp,
    /// The request that waits for it. None, where that one has its answer already, or has gone.
    pub waiting: Option<KeyWrite>,
}

impl Attempt {
    /// Whether there is nothing to pay: then no gateway hears of it.
    pub(super) const fn is_of_nothing(&self) -> bool {
        self.amount.minor() == 0
    }
}

/// The gateway's yes, or that there was nothing to ask it for.
#[derive(Debug)]
pub(super) struct Granted {
    pub authorization: Authorization,
    pub verification: Verification,
}

/// The gateway's definite no, or its definite silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No.
    Declined(Decline),
    /// It waited for its buyer, and was ended at the gateway.
    Ended,
    /// It was never reached.
    Unavailable(String),
    /// After the deadline it has never heard of the attempt.
    Unheard,
}

/// What became of an attempt at the gateway.
#[derive(Debug)]
pub(super) enum GatewayAnswer {
    /// The money is reserved.
    Granted(Granted),
    /// It is not, and never will be.
    Refused(Verdict),
    /// It waits for its buyer.
    Challenged(Challenge),
    /// Nobody knows yet: recovery asks again.
    Unknown,
}

/// A payment that came to nothing.
pub(super) struct Failed {
    /// Why.
    pub verdict: Verdict,
    /// What a second look came to, when that ended it.
    pub second_look: Option<Box<NewAssessment>>,
}

impl From<Verdict> for Failed {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, second_look: None }
    }
}

/// What T2 came to.
pub(super) enum Placing {
    /// The order stands.
    Placed(Ended),
    /// The second look says no: nothing is placed.
    Failed(Failed),
    /// Somebody else placed it, by the same authorization.
    PlacedElsewhere,
    /// Somebody else settled the attempt first: this authorization is of no use.
    SettledElsewhere,
}

/// A payment that is settled.
pub(super) enum Ended {
    /// With the answer of the request that waited.
    Replied(Reply),
    /// And nobody waits for an answer.
    NobodyWaits,
}

/// One checkout on its way to an order.
pub(super) struct Saga<'a> {
    pub desk: &'a Checkout,
    pub session: &'a mut Session,
}

impl Saga<'_> {
    /// Pays from the beginning.
    pub(super) async fn pay(mut self, payment: &Payment<'_>) -> Result<Reply, CheckoutRefused> {
        let began = self.desk.now();
        let assessed = self.assess(payment).await;
        self.desk.count_flow(metrics::Step::Assess, &assessed, began);
        let assessed = match assessed? {
            ControlFlow::Continue(assessed) => assessed,
            ControlFlow::Break(reply) => return Ok(reply),
        };
        let gateways = match self.choose(payment).await? {
            ControlFlow::Continue(gateways) => gateways,
            ControlFlow::Break(reply) => return Ok(reply),
        };
        let began = self.desk.now();
        let attempt = self.begin(payment, &assessed, gateways.first()).await;
        self.desk.count_flow(metrics::Step::Attempt, &attempt, began);
        let mut attempt = match attempt? {
            ControlFlow::Continue(attempt) => attempt,
            ControlFlow::Break(reply) => return Ok(reply),
        };
        let began = self.desk.now();
        let answer = self.authorize(payment, &assessed, &mut attempt, &gateways).await;
        self.desk.count_answer(&answer, began);
        let ended = match answer {
            GatewayAnswer::Granted(granted) => self.finish(&assessed, &attempt, &granted).await?,
            GatewayAnswer::Refused(verdict) => {
                self.settle(&assessed, &attempt, verdict.into()).await?
            }
            GatewayAnswer::Challenged(challenge) => {
                let means = payment.paying.means().map(|means| digest(attempt.id, means));
                self.challenge(&attempt, challenge, means).await?
            }
            GatewayAnswer::Unknown => return Err(CheckoutRefused::KeyInFlight),
        };
        match ended {
            Ended::Replied(reply) => Ok(reply),
            // Somebody else settled it, and the answer stored under this key has gone since.
            Ended::NobodyWaits => Err(CheckoutRefused::KeyInFlight),
        }
    }

    /// From the authorization on: the order, or what undoes the steps before.
    pub(super) async fn finish(
        &mut self,
        assessed: &Assessed,
        attempt: &Attempt,
        granted: &Granted,
    ) -> Result<Ended, CheckoutRefused> {
        let began = self.desk.now();
        let placing = self.place(assessed, attempt, granted).await;
        self.desk.count_placing(&placing, began);
        match placing? {
            Placing::Placed(ended) => {
                self.capture(attempt, granted);
                Ok(ended)
            }
            Placing::Failed(failed) => {
                self.void(attempt, granted).await?;
                self.settle(assessed, attempt, failed).await
            }
            Placing::PlacedElsewhere => self.take_the_settled_answer(attempt).await,
            Placing::SettledElsewhere => {
                self.void(attempt, granted).await?;
                self.take_the_settled_answer(attempt).await
            }
        }
    }

    pub(super) fn reach(&self, point: CrashPoint) {
        self.desk.probe.reach(point);
    }
}
