//! One live cart: a shell around [`Seat`].

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, MessageResult,
    ResponseFuture, WrapFuture,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::{
    carts::LiveCarts,
    messages::{Awaited, Retire, Show, Tend},
    seat::{Job, Outcome, Seat},
};
use crate::{
    base::CheckoutId,
    checkout::{Checkout, CheckoutRefused, Reply, Session},
};

/// A request that found the actor's address before it left the registry arrives within this time:
/// only a hand-over between two threads lies between.
const LAST_ARRIVALS: Duration = Duration::from_secs(1);

/// The actor of one cart. Jobs run beside it, one at a time; it keeps the line and the session.
pub struct CartActor {
    checkout: CheckoutId,
    desk: Arc<Checkout>,
    live: Arc<LiveCarts>,
    seat: Seat<(Job, oneshot::Sender<Outcome>)>,
}

impl CartActor {
    /// An actor that has not loaded its session yet.
    pub(super) fn new(checkout: CheckoutId, desk: Arc<Checkout>, live: Arc<LiveCarts>) -> Self {
        Self { checkout, desk, live, seat: Seat::default() }
    }

    /// Lines a job up and starts the next. The reply comes when the job is over, whoever still
    /// listens.
    fn take(&mut self, job: Job, ctx: &mut Context<Self>) -> oneshot::Receiver<Outcome> {
        let (reply, outcome) = oneshot::channel();
        if let Err((_, reply)) = self.seat.line_up((job, reply)) {
            let _gone = reply.send(Err(CheckoutRefused::Busy));
        }
        self.work(ctx);
        outcome
    }

    fn work(&mut self, ctx: &mut Context<Self>) {
        let next = self.seat.next_job(|(job, _)| job.is_wanted());
        let Some(((job, reply), session)) = next else { return };
        let (desk, span) = (self.desk.clone(), job.span());
        let work = async move {
            let (session, outcome) = job.run(&desk, session).await;
            let _gone = reply.send(outcome);
            if let Some(session) = &session {
                desk.keep_hot(session).await;
            }
            session
        };
        ctx.spawn(work.instrument(span).into_actor(self).map(|session, act, ctx| {
            act.seat.done(session);
            act.work(ctx);
            if act.seat.is_worthless() && act.live.remove(act.checkout, &ctx.address()) {
                act.leave(ctx);
            }
        }));
    }

    /// Stops once nobody can come any more. Who asks for this checkout then gets a new actor.
    fn leave(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(LAST_ARRIVALS, |act, ctx| {
            if act.seat.is_quiet() {
                ctx.stop();
            } else {
                act.leave(ctx);
            }
        });
    }
}

impl Actor for CartActor {
    type Context = Context<Self>;
}

impl Handler<Awaited> for CartActor {
    type Result = ResponseFuture<Result<Reply, CheckoutRefused>>;

    fn handle(&mut self, msg: Awaited, ctx: &mut Self::Context) -> Self::Result {
        let outcome = self.take(Job::Ask(msg), ctx);
        Box::pin(async move {
            let outcome = outcome.await.map_err(|_| CheckoutRefused::KeyInFlight)?;
            outcome?.ok_or(CheckoutRefused::KeyInFlight)
        })
    }
}

impl Handler<Tend> for CartActor {
    type Result = ResponseFuture<Result<(), CheckoutRefused>>;

    fn handle(&mut self, msg: Tend, ctx: &mut Self::Context) -> Self::Result {
        let outcome = self.take(Job::Tend(msg), ctx);
        Box::pin(async move { outcome.await.map_err(|_| CheckoutRefused::KeyInFlight)?.map(drop) })
    }
}

impl Handler<Show> for CartActor {
    type Result = ResponseFuture<Result<Arc<Session>, CheckoutRefused>>;

    fn handle(&mut self, msg: Show, _: &mut Self::Context) -> Self::Result {
        let memory = self.seat.at_rest().cloned();
        let desk = self.desk.clone();
        Box::pin(async move {
            match memory {
                Some(session) if desk.is_current(&session).await? => {
                    msg.to_its_caller(Some(session))
                }
                _ => msg.read(&desk).await,
            }
        })
    }
}

impl Handler<Retire> for CartActor {
    type Result = MessageResult<Retire>;

    fn handle(&mut self, _: Retire, ctx: &mut Self::Context) -> Self::Result {
        let quiet = self.seat.is_quiet();
        if quiet {
            ctx.stop();
        }
        MessageResult(quiet)
    }
}
