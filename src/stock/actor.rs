//! One live SKU: a shell around [`Grants`].

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, MessageResult,
    ResponseActFuture, WrapFuture,
};
use std::sync::Arc;

use super::{
    grants::Grants,
    messages::{Landed, Retire, Seen, TakeUnits},
    registry::Desk,
};
use crate::base::Sku;

/// The actor of one SKU. It answers from memory and never waits; only earning a grant goes to the
/// ledger, beside it.
pub struct SkuActor {
    sku: Sku,
    grants: Grants,
    desk: Arc<Desk>,
}

impl SkuActor {
    /// An actor that has no grant yet.
    pub fn new(sku: Sku, desk: Arc<Desk>) -> Self {
        Self { sku, grants: Grants::default(), desk }
    }

    fn ask_for_a_grant(&self, ctx: &mut Context<Self>) {
        let (desk, sku) = (self.desk.clone(), self.sku.clone());
        let wish = async move { desk.ask_for_a_grant(sku).await };
        ctx.spawn(wish.into_actor(self).map(|granted, act, _| {
            let now = act.desk.now();
            act.grants.granted(granted, now);
        }));
    }
}

impl Actor for SkuActor {
    type Context = Context<Self>;
}

impl Handler<TakeUnits> for SkuActor {
    type Result = MessageResult<TakeUnits>;

    fn handle(&mut self, msg: TakeUnits, ctx: &mut Self::Context) -> Self::Result {
        let taken = self.grants.take(msg.quantity, self.desk.now(), self.desk.terms());
        if taken.ask {
            self.ask_for_a_grant(ctx);
        }
        MessageResult(taken.source)
    }
}

impl Handler<Landed> for SkuActor {
    type Result = ();

    fn handle(&mut self, msg: Landed, _: &mut Self::Context) {
        self.grants.landed(msg.grant, msg.quantity);
    }
}

impl Handler<Seen> for SkuActor {
    type Result = ();

    fn handle(&mut self, msg: Seen, _: &mut Self::Context) {
        self.grants.seen(&msg.0);
    }
}

impl Handler<Retire> for SkuActor {
    type Result = ResponseActFuture<Self, bool>;

    fn handle(&mut self, _: Retire, _: &mut Self::Context) -> Self::Result {
        let retired = self.grants.retire();
        let stops = retired.is_some();
        let desk = self.desk.clone();
        let give_back = async move {
            desk.give_back(retired.unwrap_or_default()).await;
        };
        Box::pin(give_back.into_actor(self).map(move |(), _, ctx: &mut Context<Self>| {
            if stops {
                ctx.stop();
            }
            stops
        }))
    }
}
