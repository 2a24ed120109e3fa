//! One live cart: a shell around [`Seat`].

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, MessageResult,
    ResponseFuture, WrapFuture,
};
use std::sync::Arc;
use tokio::sync::oneshot;

use super::{
    messages::{Awaited, Retire, Show, Tend},
    seat::{Job, Outcome, Seat},
};
use crate::checkout::{Checkout, CheckoutRefused, Reply, Session};

/// The actor of one cart. Jobs run beside it, one at a time; it keeps the line and the session.
pub struct CartActor {
    desk: Arc<Checkout>,
    seat: Seat<(Job, oneshot::Sender<Outcome>)>,
}

impl CartActor {
    /// An actor that has not loaded its session yet.
    pub fn new(desk: Arc<Checkout>) -> Self {
        Self { desk, seat: Seat::default() }
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
        let desk = self.desk.clone();
        let work = async move {
            let (session, outcome) = job.run(&desk, session).await;
            let _gone = reply.send(outcome);
            if let Some(session) = &session {
                desk.keep_hot(session).await;
            }
            session
        };
        ctx.spawn(work.into_actor(self).map(|session, act, ctx| {
            act.seat.done(session);
            act.work(ctx);
        }));
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
            let session = match memory {
                Some(session) if desk.is_current(&session).await? => Some(session),
                _ => desk.load(msg.checkout).await?,
            };
            let session = session.ok_or(CheckoutRefused::NotFound(msg.checkout))?;
            session.check_asker(&msg.caller, msg.protocol)?;
            Ok(Arc::new(session))
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
