//! The line to a gateway: every call has a deadline, is counted, and goes through a circuit
//! breaker; its failure says whether the gateway may have acted.

use std::{sync::Arc, time::Duration};

use super::{
    GatewayFault,
    breaker::{Breaker, Open},
};
use crate::{
    base::Clock,
    outbound::{Answer, Client, Exchange},
    telemetry::metrics::{self, GatewayCall},
};

/// The line to one gateway.
pub struct Line {
    name: String,
    client: Client,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    breaker: Breaker,
}

impl Line {
    /// A line to the gateway of this configured name; each call waits so long.
    pub fn new(
        name: impl Into<String>,
        client: Client,
        clock: Arc<dyn Clock>,
        deadline: Duration,
    ) -> Self {
        let (name, breaker) = (name.into(), Breaker::default());
        metrics::gateway_open(&name, false);
        Self { name, client, clock, deadline, breaker }
    }

    /// Sends a call and reads its answer, whatever its status.
    ///
    /// # Errors
    /// Without an answer: [`NotSent`](GatewayFault::NotSent) where nothing can have been done,
    /// which is also so while the breaker is open; else [`Unknown`](GatewayFault::Unknown).
    pub async fn exchange(&self, exchange: Exchange<'_>) -> Result<Answer, GatewayFault> {
        let began = self.clock.now();
        if let Err(Open { wait }) = self.breaker.admit(began) {
            metrics::gateway_call(&self.name, GatewayCall::Spared, Duration::ZERO);
            let seconds = wait.as_secs() + 1;
            let name = &self.name;
            return Err(GatewayFault::NotSent(format!(
                "the gateway `{name}` keeps failing and is asked again in {seconds} s"
            )));
        }
        let answer = self.client.exchange(exchange, self.deadline).await;
        let now = self.clock.now();
        let failed = answer.as_ref().map_or(true, |answer| is_failure(answer.status));
        let outcome = if failed { GatewayCall::Failed } else { GatewayCall::Answered };
        metrics::gateway_call(&self.name, outcome, now.since(began));
        let is_open = self.breaker.ended(failed, now);
        metrics::gateway_open(&self.name, is_open);
        if is_open && failed {
            tracing::warn!(
                gateway = self.name,
                "a gateway keeps failing, and is left alone a while"
            );
        }
        answer.map_err(|fault| match fault.may_have_acted() {
            true => GatewayFault::Unknown(fault.to_string()),
            false => GatewayFault::NotSent(fault.to_string()),
        })
    }
}

/// The gateway's own fault, or too much asked of it. Anything else is an answer.
const fn is_failure(status: u16) -> bool {
    status >= 500 || status == 429
}
