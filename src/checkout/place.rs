//! T2: the order, its payment and its events become true together; and what is owed after it (T3).

use tracing::{Span, field};

use super::{
    answer::{CheckoutRefused, Reply},
    collect::Debt,
    count,
    crash::CrashPoint,
    desk::{Capture, unexpected},
    record::{operation, order, placed},
    saga::{Assessed, Attempt, Ended, Granted, Placing, Saga},
    session::Session,
};
use crate::{
    base::{EventId, OrderId},
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::{OperationWrite, Place, StoredAnswer},
        row::{NewOperation, OperationKind, OperationRow, OperationState, SessionState},
    },
};

impl Saga<'_> {
    pub(super) async fn place(
        &mut self,
        assessed: &Assessed,
        attempt: &Attempt,
        granted: &Granted,
    ) -> Result<Placing, CheckoutRefused> {
        let assessment = match self.look_again(assessed, attempt, granted) {
            Ok(assessment) => assessment,
            Err(failed) => return Ok(Placing::Failed(failed)),
        };
        let after = self.completed(attempt);
        let answered = attempt.waiting.as_ref().map(|key| self.desk.answered(key, &after));
        let (key, answer) = answered.unzip();
        let order_id = OrderId::of(after.id);
        Span::current().record("order.id", field::display(order_id));
        let now = self.desk.now();
        let place = Place {
            attempt: attempt.id,
            authorization: granted.authorization.clone(),
            order: order(&after),
            events: vec![placed(self.event_id(), order_id, now)],
            operations: self.capture_of(attempt, granted).into_iter().collect(),
            assessment,
            case: self.case(attempt),
            key,
            now,
        };
        let id = EntryId::attempt(attempt.id, "placed", self.desk.decision());
        let fact = Fact::Place(Box::new(place));
        match self.desk.writer.write(Entry::new(id, fact)).await? {
            Ok(_) => {
                count::sold(self.session);
                self.desk.unpaid.forget(after.id);
                if let Some(judged) = &assessed.0 {
                    self.desk.fraud.succeeded(judged);
                }
                *self.session = after;
                self.reach(CrashPoint::AfterPlace);
                Ok(Placing::Placed(answer.into()))
            }
            // Its authorization is this one.
            Err(LedgerRefused::AlreadyPlaced { .. }) => Ok(Placing::PlacedElsewhere),
            Err(LedgerRefused::AlreadySettled { .. }) => Ok(Placing::SettledElsewhere),
            // The request was answered by a challenge meanwhile, and that stays its answer.
            Err(LedgerRefused::KeyTaken(row)) if attempt.waiting.is_some() => {
                let unasked = Attempt { waiting: None, ..attempt.clone() };
                match Box::pin(self.place(assessed, &unasked, granted)).await? {
                    Placing::Placed(_) => Ok(Placing::Placed(row.answer.into())),
                    other => Ok(other),
                }
            }
            Err(refused) => Err(unexpected(&refused)),
        }
    }

    fn completed(&self, attempt: &Attempt) -> Session {
        let mut after = self.session.clone();
        after.version += 1;
        after.state = SessionState::Completed;
        after.placed_at = Some(self.desk.now());
        after.test_payment = self.desk.is_test(&attempt.gateway);
        after.held.clear();
        after
    }

    fn event_id(&self) -> EventId {
        EventId::new(self.desk.now(), &*self.desk.chance)
    }

    fn capture_of(&self, attempt: &Attempt, granted: &Granted) -> Option<NewOperation> {
        let authorization = granted.authorization.name()?;
        let at_once = self.desk.terms.capture == Capture::Immediate;
        let is_due = at_once && self.session.risk.is_none();
        is_due.then(|| operation(attempt.id, OperationKind::Capture, authorization, attempt.amount))
    }

    /// Hands the capture to the collector. When it is busy the debt waits in the ledger.
    pub(super) fn capture(&self, attempt: &Attempt, granted: &Granted) {
        if let Some(operation) = self.capture_of(attempt, granted) {
            self.desk.collector.collect(self.owed(attempt, operation));
        }
    }

    fn owed(&self, attempt: &Attempt, operation: NewOperation) -> Debt {
        let row = OperationRow {
            operation,
            state: OperationState::Due,
            currency: attempt.amount.currency(),
            order: OrderId::of(self.session.id),
        };
        Debt { row, gateway: Some(attempt.gateway.clone()), ended: None }
    }

    /// The answer stored by whoever settled the attempt, and the session as it stands since.
    pub(super) async fn take_the_settled_answer(
        &mut self,
        attempt: &Attempt,
    ) -> Result<Ended, CheckoutRefused> {
        if let Some(session) = self.desk.load(self.session.id).await? {
            *self.session = session;
        }
        let Some(key) = &attempt.waiting else { return Ok(Ended::NobodyWaits) };
        let row = self.desk.store.find_key(&key.caller, &key.key).await?;
        Ok(row.and_then(|row| row.answer).into())
    }

    /// Lets an authorization go that no order uses: owed in the ledger first, then asked of the
    /// gateway.
    pub(super) async fn void(
        &self,
        attempt: &Attempt,
        granted: &Granted,
    ) -> Result<(), CheckoutRefused> {
        let Some(authorization) = granted.authorization.name() else { return Ok(()) };
        let operation = operation(attempt.id, OperationKind::Void, authorization, attempt.amount);
        self.desk.owe(self.owed(attempt, operation)).await
    }
}

impl From<Option<StoredAnswer>> for Ended {
    fn from(answer: Option<StoredAnswer>) -> Self {
        answer.map_or(Self::NobodyWaits, |answer| Self::Replied(Reply::Done(answer)))
    }
}

impl super::desk::Checkout {
    /// Records a debt to the gateway and hands it to the collector.
    pub(super) async fn owe(&self, debt: Debt) -> Result<(), CheckoutRefused> {
        let row = &debt.row;
        let id = EntryId::of(format_args!("{}/due", row.operation.id));
        let fact = Fact::Operation(OperationWrite {
            operation: row.operation.clone(),
            state: OperationState::Due,
            note: String::new(),
            events: Vec::new(),
            case: None,
            now: self.now(),
        });
        match self.writer.write(Entry::new(id, fact)).await? {
            // Settled before: nothing is owed any more.
            Ok(_) | Err(LedgerRefused::OperationSettled) => self.collector.collect(debt),
            Err(refused) => return Err(unexpected(&refused)),
        }
        Ok(())
    }
}
