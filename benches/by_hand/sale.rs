//! One order of one line on its way through the ledger, as the facts our store takes and as the
//! values a hand-written statement binds: the same ids, documents and times on both sides.

use doorbuster::{
    base::{
        AttemptId, CheckoutId, Currency, EventId, Money, OrderId, Origin, Person, Protocol, Sealed,
        Sku, Timestamp,
    },
    catalog::StockPolicy,
    checkout::{Instrument, Line, Operation, Render, Session, Shown, record},
    ledger::{
        Document, Done, Entry, EntryId, Fact, Outcome,
        entry::{HoldWanted, KeyWrite, NewAttempt, Place, Source, StoredAnswer},
        row::{NewOperation, OperationKind, SessionState},
    },
    pricing::Totals,
};
use std::time::Duration;

/// What the one product costs, in cents.
const PRICE: i64 = 12_900;

/// How long its hold and its payment attempt may take.
const HOLD: Duration = Duration::from_secs(600);
const DEADLINE: Duration = Duration::from_secs(10);

/// An order being placed. Everything it writes is known before it starts.
pub(crate) struct Sale {
    pub(crate) attempt: AttemptId,
    pub(crate) event: EventId,
    pub(crate) begun: Session,
    pub(crate) done: Session,
    pub(crate) begun_body: Document,
    pub(crate) done_body: Document,
    pub(crate) personal: Sealed,
    pub(crate) key: KeyWrite,
    pub(crate) answer: StoredAnswer,
}

/// Who asks, for what.
pub(crate) struct Wish {
    pub(crate) sku: Sku,
    pub(crate) quantity: u32,
    pub(crate) person: Person,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
}

impl Sale {
    pub(crate) fn new(
        wish: Wish,
        now: Timestamp,
        ids: (CheckoutId, AttemptId, EventId),
        render: &dyn Render,
    ) -> Self {
        let (checkout, attempt, event) = ids;
        let begun = session(&wish, checkout, attempt, now);
        let mut done = begun.clone();
        (done.version, done.state, done.placed_at) = (2, SessionState::Completed, Some(now));
        let shown = Shown::Session { session: &done, operation: Operation::Express };
        let answer = render.render(Protocol::V1, shown);
        let (key, fingerprint) = (wish.key, wish.fingerprint);
        let (caller, dialect) = ("anonymous".to_owned(), Protocol::V1.to_string());
        Self {
            attempt,
            event,
            begun_body: record::document(&begun),
            done_body: record::document(&done),
            personal: Sealed::seal_json(&begun.person),
            key: KeyWrite { caller, key, fingerprint, dialect, answer: None, now },
            answer,
            begun,
            done,
        }
    }

    pub(crate) fn checkout(&self) -> CheckoutId {
        self.begun.id
    }

    pub(crate) fn order(&self) -> OrderId {
        OrderId::of(self.begun.id)
    }

    pub(crate) fn line(&self) -> &Line {
        &self.begun.lines[0]
    }

    pub(crate) fn total(&self) -> Money {
        self.begun.totals.total
    }

    pub(crate) fn deadline(&self) -> Timestamp {
        self.begun.created_at.plus(DEADLINE)
    }

    /// The debt that the order makes.
    pub(crate) fn capture(&self, authorization: &str) -> NewOperation {
        record::operation(self.attempt, OperationKind::Capture, authorization, self.total())
    }

    /// T1 as our store takes it.
    pub(crate) fn begin(&self) -> Entry {
        let (session, line) = (&self.begun, self.line());
        let (sku, quantity, source) = (line.sku.clone(), line.quantity, Source::Direct);
        let attempt = NewAttempt {
            id: self.attempt,
            order: self.order(),
            number: 1,
            amount_minor: self.total().minor(),
            currency: session.currency,
            gateway: "sandbox".into(),
            deadline: self.deadline(),
        };
        let (holds, key) = (vec![HoldWanted { sku, quantity, source }], Some(self.key.clone()));
        let now = session.created_at;
        let write = record::session_write(session, holds, true, Some(attempt), key, now);
        Entry::new(self.begin_id(), Fact::Session(Box::new(write)))
    }

    /// T2 as our store takes it.
    pub(crate) fn place(&self, authorization: &str) -> Entry {
        let now = self.done.created_at;
        let (event, order) = (self.event, self.order());
        let place = Place {
            attempt: self.attempt,
            authorization: authorization.into(),
            order: record::order(&self.done),
            operations: vec![self.capture(authorization)],
            events: vec![record::placed(event, order, now)],
            assessment: None,
            case: None,
            key: Some(KeyWrite { answer: Some(self.answer.clone()), ..self.key.clone() }),
            now,
        };
        Entry::new(self.place_id(), Fact::Place(Box::new(place)))
    }

    pub(crate) fn begin_id(&self) -> EntryId {
        EntryId::session(self.checkout(), 1, self.event.uuid().simple())
    }

    pub(crate) fn place_id(&self) -> EntryId {
        EntryId::attempt(self.attempt, "placed", self.event.uuid().simple())
    }

    /// What the store records of T1.
    pub(crate) fn begin_outcome(&self) -> String {
        text(&Ok(Done::Session { version: 1 }))
    }

    /// What the store records of T2.
    pub(crate) fn place_outcome(&self) -> String {
        text(&Ok(Done::Placed { order: self.order(), version: 2 }))
    }
}

fn session(wish: &Wish, id: CheckoutId, attempt: AttemptId, now: Timestamp) -> Session {
    let currency: Currency = "EUR".parse().expect("a currency");
    let unit_price = Money::from_minor(PRICE, currency);
    let totals = Totals::of(currency, [(unit_price, wish.quantity)]).expect("a small sum");
    let line = Line {
        id: "li_1".into(),
        sku: wish.sku.clone(),
        title: "Flash Sneaker, size 42".into(),
        quantity: wish.quantity,
        unit_price,
        image_url: None,
        stock_policy: StockPolicy::Tracked,
        category: None,
        group: None,
        product_categories: Vec::new(),
        at: 0,
    };
    let (instrument, kind) = ("instrument_1".to_owned(), "card".to_owned());
    Session {
        id,
        caller: "anonymous".into(),
        origin: Origin::of(Protocol::V1),
        version: 1,
        state: SessionState::Completing,
        currency,
        currency_is_open: false,
        lines: vec![line],
        totals,
        priced: None,
        notices: Vec::new(),
        person: wish.person.clone(),
        instrument: Some(Instrument { id: instrument, kind, ..Instrument::default() }),
        attempts: 1,
        attempt: Some(attempt),
        declines: 0,
        tried: Vec::new(),
        risk: None,
        express: true,
        request: None,
        verification: Default::default(),
        is_cart: false,
        country: None,
        held: Vec::new(),
        challenge_url: None,
        challenge: None,
        created_at: now,
        expires_at: now.plus(36 * HOLD),
        hold_until: now.plus(HOLD),
        held_since: None,
        placed_at: None,
        test_payment: false,
    }
}

fn text(outcome: &Outcome) -> String {
    serde_json::to_string(outcome).expect("outcomes serialize")
}
