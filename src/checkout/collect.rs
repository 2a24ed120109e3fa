//! Captures, voids and refunds: debts that stand in the ledger before the gateway is asked.

use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tracing::{Instrument, Span};

use super::{
    crash::{CrashPoint, Probe},
    record::event,
};
use crate::{
    base::{Chance, Clock, EventId, Money, Timestamp},
    ledger::{
        Entry, EntryId, Fact, LedgerFault, Store, Writer,
        entry::OperationWrite,
        review::NewCase,
        row::{OperationKind, OperationRow, OperationState},
    },
    payment::{GatewayFault, Gateways, MoneyRequest, Moved},
    telemetry::metrics::{self, Step, StepOutcome},
};

/// Debts that wait in memory. More wait in the ledger, where the sweep finds them.
const QUEUE_BOUND: usize = 4096;

/// Debts collected at once.
const AT_ONCE: usize = 64;

/// Takes debts to be collected.
#[derive(Debug, Clone)]
pub struct Collector(mpsc::Sender<Debt>);

/// A debt on its way to its gateway.
#[derive(Debug, Clone)]
pub struct Debt {
    /// What is owed.
    pub row: OperationRow,
    /// The gateway that the attempt went to; looked up where it is not at hand.
    pub gateway: Option<String>,
    /// How it ended, where the gateway has told so by itself.
    pub ended: Option<Result<(), String>>,
}

impl From<OperationRow> for Debt {
    fn from(row: OperationRow) -> Self {
        Self { row, gateway: None, ended: None }
    }
}

impl Collector {
    /// Hands a debt over. When the collector is busy the debt stays in the ledger and is found
    /// later.
    pub fn collect(&self, due: impl Into<Debt>) {
        let _full = self.0.try_send(due.into());
    }
}

/// Collects debts: asks the gateway, then records what it did (T3).
pub struct Collection {
    /// The ledger, for reading.
    pub store: Arc<dyn Store>,
    /// The ledger, for writing.
    pub writer: Writer,
    /// Who holds the money.
    pub gateways: Gateways,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub chance: Arc<dyn Chance>,
    /// Crash points, for tests.
    pub probe: Arc<dyn Probe>,
    /// When somebody should have looked at a refused capture.
    pub review_due: Duration,
    /// An order whose capture was refused is given up if nobody has looked by then.
    pub review_max: Duration,
}

/// What the log knows of everything that is done about a debt.
fn span(due: &OperationRow) -> Span {
    tracing::info_span!(
        parent: None,
        "collect",
        operation.id = %due.operation.id,
        attempt.id = %due.operation.attempt,
        order.id = %due.order,
    )
}

impl Collection {
    /// The handle and the task, which ends when every handle is gone.
    pub fn start(self) -> (Collector, impl Future<Output = ()> + Send + 'static) {
        let (queue, inbox) = mpsc::channel(QUEUE_BOUND);
        (Collector(queue), self.run(inbox))
    }

    async fn run(self, mut inbox: mpsc::Receiver<Debt>) {
        use futures_util::{StreamExt, stream::FuturesUnordered};
        let mut working = FuturesUnordered::new();
        loop {
            tokio::select! {
                // In this order, not by chance: new debts first, until there are enough at once.
                biased;
                due = inbox.recv(), if working.len() < AT_ONCE => match due {
                    Some(due) => {
                        let span = span(&due.row);
                        working.push(self.collect(due).instrument(span));
                    }
                    None => break,
                },
                Some(()) = working.next(), if !working.is_empty() => {}
            }
        }
        while working.next().await.is_some() {}
    }

    /// Collects one debt. What cannot be done now stays due.
    async fn collect(&self, Debt { row: due, gateway, ended }: Debt) {
        let began = self.clock.now();
        let answer = match ended {
            Some(ended) => ended.map(|()| Moved::Done).map_err(GatewayFault::Refused),
            None => self.ask(&due, gateway).await,
        };
        self.probe.reach(CrashPoint::InCollection);
        self.count(&due, &answer, began);
        let (state, note) = match answer {
            Ok(Moved::Done) => (OperationState::Done, String::new()),
            Ok(Moved::Accepted) => {
                tracing::debug!(operation.id = %due.operation.id, "a debt is being worked on");
                return;
            }
            Err(GatewayFault::Refused(why)) => (OperationState::Refused, why),
            Err(fault) => {
                tracing::info!(operation.id = %due.operation.id, %fault, "a debt stays due");
                return;
            }
        };
        if state == OperationState::Refused {
            let (operation, order) = (due.operation.id, due.order);
            tracing::error!(
                operation.id = %operation, order.id = %order, note, "the gateway refuses a debt"
            );
        }
        let began = self.clock.now();
        let recorded = self.record(&due, state, note).await;
        let outcome = if recorded.is_ok() { StepOutcome::Done } else { StepOutcome::Fault };
        metrics::checkout_step(Step::Record, outcome, self.clock.now().since(began));
        if let Err(fault) = recorded {
            let id = due.operation.id;
            tracing::warn!(operation.id = %id, %fault, "a collected debt is not recorded yet");
        }
    }

    fn count(&self, due: &OperationRow, answer: &Result<Moved, GatewayFault>, began: Timestamp) {
        let step = match due.operation.kind {
            OperationKind::Capture => Step::Capture,
            // A refund undoes a capture as a void undoes an authorization.
            OperationKind::Void | OperationKind::Refund => Step::Void,
        };
        let outcome = match answer {
            Ok(_) => StepOutcome::Done,
            Err(GatewayFault::Refused(_)) => StepOutcome::Refused,
            Err(_) => StepOutcome::Unknown,
        };
        metrics::checkout_step(step, outcome, self.clock.now().since(began));
    }

    async fn ask(
        &self,
        due: &OperationRow,
        gateway: Option<String>,
    ) -> Result<Moved, GatewayFault> {
        let name = match gateway {
            Some(name) => name,
            None => self.gateway_of(due).await?,
        };
        let gateway = self.gateways.required(&name)?;
        let request = MoneyRequest {
            reference: due.operation.attempt,
            part: due.operation.part(),
            authorization: due.operation.authorization.clone(),
            amount: Money::from_minor(due.operation.amount_minor, due.currency),
        };
        match due.operation.kind {
            OperationKind::Capture => gateway.capture(&request).await,
            OperationKind::Void => gateway.void(&request).await,
            OperationKind::Refund => gateway.refund(&request).await,
        }
    }

    /// The gateway that a debt's attempt went to.
    async fn gateway_of(&self, due: &OperationRow) -> Result<String, GatewayFault> {
        let found = self.store.find_attempt(due.operation.attempt).await;
        match found.map_err(|fault| GatewayFault::NotSent(fault.to_string()))? {
            Some(attempt) => Ok(attempt.gateway),
            None => Err(GatewayFault::NotSent("the ledger has no such attempt".to_owned())),
        }
    }

    async fn record(
        &self,
        due: &OperationRow,
        state: OperationState,
        note: String,
    ) -> Result<(), LedgerFault> {
        let now = self.clock.now();
        let word = match (due.operation.kind, state) {
            (OperationKind::Capture, OperationState::Refused) => "payment.capture_failed",
            (OperationKind::Capture, _) => "payment.captured",
            (OperationKind::Void, _) => "payment.voided",
            (OperationKind::Refund, OperationState::Refused) => "payment.refund_failed",
            (OperationKind::Refund, _) => "payment.refunded",
        };
        let id = EventId::new(now, &*self.chance);
        let amount = due.operation.amount_minor;
        let body = json!({ "order": due.order, "amount_minor": amount, "currency": due.currency });
        // A void that is refused comes too late: the money is captured, and that is told.
        let is_late = due.operation.kind == OperationKind::Void && state == OperationState::Refused;
        let events = (!is_late).then(|| event(id, due.order, word, &body, now));
        let case = (word == "payment.capture_failed").then(|| self.case(due, now));
        let fact = Fact::Operation(OperationWrite {
            operation: due.operation.clone(),
            state,
            note,
            events: events.into_iter().collect(),
            case,
            now,
        });
        let id = EntryId::of(format_args!("{}/{word}", due.operation.id));
        self.writer.write(Entry::new(id, fact)).await.map(drop)
    }

    /// What a person is to decide when the gateway will not capture: to try again, or to let the
    /// order go. Nothing ships before that.
    fn case(&self, due: &OperationRow, now: Timestamp) -> NewCase {
        NewCase {
            order: due.order,
            attempt: due.operation.attempt,
            priority: due.operation.amount_minor,
            due_at: now.plus(self.review_due),
            expires_at: now.plus(self.review_max),
            opened_at: now,
        }
    }
}
