//! T2: the order, its payment and its events become true together; and what is owed after it (T3).

use super::{
    answer::{CheckoutRefused, Reply},
    count,
    crash::CrashPoint,
    desk::{Capture, unexpected},
    record::{document, event, operation, order},
    saga::{Attempted, Saga, Stop},
    session::Session,
};
use crate::{
    base::{EventId, OrderId},
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::{OperationWrite, Place},
        row::{NewOperation, OperationKind, OperationRow, OperationState, SessionState},
    },
};

impl Saga<'_> {
    pub(super) async fn place(&mut self) -> Result<(), Stop> {
        let attempt = self.attempt()?;
        let assessment = self.look_again()?;
        let case = self.case(attempt.id);
        let Some(authorization) = self.authorization.clone() else {
            return Err(Stop::Later(CheckoutRefused::KeyInFlight));
        };
        let after = self.completed();
        let key = attempt.key.as_ref().map(|key| self.desk.answered(key, &after));
        let answer = key.as_ref().and_then(|key| key.answer.clone());
        let body = document(&after);
        let order_id = OrderId::of(after.id);
        let now = self.desk.now();
        let placed = event(self.event_id(), order_id, "order.placed", &after, now);
        let place = Place {
            attempt: attempt.id,
            authorization,
            order: order(&after, &body),
            body,
            operations: self.capture_of(&attempt).into_iter().collect(),
            events: vec![placed],
            assessment,
            case,
            key,
            now,
        };
        let id = EntryId::attempt(attempt.id, "placed", self.desk.decision());
        let fact = Fact::Place(Box::new(place));
        let written = self.desk.writer.write(Entry::new(id, fact)).await;
        match written.map_err(CheckoutRefused::from)? {
            Ok(_) => {
                count::sold(self.session);
                self.desk.unpaid.forget(after.id);
                if let Some(judged) = &self.judged {
                    self.desk.fraud.succeeded(judged);
                }
                *self.session = after;
                self.reply = answer.map(Reply::Done);
                self.reach(CrashPoint::AfterPlace);
                Ok(())
            }
            // Somebody else sold it: that order is the answer, and its authorization is this one.
            Err(LedgerRefused::AlreadyPlaced { .. }) => {
                self.take_the_settled_answer().await?;
                Err(self
                    .reply
                    .take()
                    .map_or(Stop::Later(CheckoutRefused::KeyInFlight), Stop::Answered))
            }
            Err(LedgerRefused::AlreadySettled { .. }) => Err(Stop::SettledElsewhere),
            Err(refused) => Err(Stop::Later(unexpected(&refused))),
        }
    }

    fn completed(&self) -> Session {
        let mut after = self.session.clone();
        after.version += 1;
        after.state = SessionState::Completed;
        after.placed_at = Some(self.desk.now());
        after.test_payment = self.desk.gateway.is_test();
        after.held.clear();
        after
    }

    fn event_id(&self) -> EventId {
        EventId::new(self.desk.now(), &*self.desk.chance)
    }

    fn capture_of(&self, attempt: &Attempted) -> Option<NewOperation> {
        let authorization = self.authorization.as_ref()?.name()?;
        let at_once = self.desk.terms.capture == Capture::Immediate;
        let is_due = at_once && self.session.risk.is_none();
        is_due.then(|| operation(attempt.id, OperationKind::Capture, authorization, attempt.amount))
    }

    /// Hands the capture to the collector. When it is busy the debt waits in the ledger.
    pub(super) fn capture(&mut self) {
        let Some(attempt) = self.attempt.clone() else { return };
        if let Some(operation) = self.capture_of(&attempt) {
            self.desk.collector.collect(OperationRow {
                operation,
                state: OperationState::Due,
                currency: attempt.amount.currency(),
                order: OrderId::of(self.session.id),
            });
        }
    }

    /// The answer stored by whoever settled the attempt, and the session as it stands since.
    pub(super) async fn take_the_settled_answer(&mut self) -> Result<(), CheckoutRefused> {
        if let Some(session) = self.desk.load(self.session.id).await? {
            *self.session = session;
        }
        let key = self.attempt.as_ref().and_then(|attempt| attempt.key.as_ref());
        if let Some(key) = key {
            let row = self.desk.store.find_key(&key.caller, &key.key).await?;
            self.reply = row.and_then(|row| row.answer).map(Reply::Done);
        }
        Ok(())
    }

    /// Lets an authorization go that no order uses: owed in the ledger first, then asked of the
    /// gateway.
    pub(super) async fn void(&mut self) -> Result<(), CheckoutRefused> {
        let (Some(attempt), Some(authorization)) = (&self.attempt, &self.authorization) else {
            return Ok(());
        };
        let Some(authorization) = authorization.name() else { return Ok(()) };
        let operation = operation(attempt.id, OperationKind::Void, authorization, attempt.amount);
        let row = OperationRow {
            operation,
            state: OperationState::Due,
            currency: attempt.amount.currency(),
            order: OrderId::of(self.session.id),
        };
        self.desk.owe(row).await
    }
}

impl super::desk::Checkout {
    /// Records a debt to the gateway and hands it to the collector.
    pub(super) async fn owe(&self, row: OperationRow) -> Result<(), CheckoutRefused> {
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
            Ok(_) | Err(LedgerRefused::OperationSettled) => self.collector.collect(row),
            Err(refused) => return Err(unexpected(&refused)),
        }
        Ok(())
    }
}
