//! Somebody who buys over a line that breaks: asks again under the same key until there is an
//! answer.

use doorbuster::{
    base::{
        Buyer, Chance, CheckoutId, Email, Origin, Person, Protocol, SeededChance, Sku, Timestamp,
    },
    cart::{Ask, Command},
    checkout::{Asked, CheckoutRefused, Draft, DraftLine, Instrument, Means, Reply, Tender},
    ledger::{LedgerFault, entry::StoredAnswer},
    payment::Credential,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::oneshot;

use super::{
    chaos::{Chaos, usize_of},
    replica::{Door, Request},
    tables::Tables,
};

/// How often a shopper asks under one key before the troubles are over.
const PATIENCE: u32 = 12;

/// How long a shopper waits for an answer.
const WAITS: Duration = Duration::from_secs(8);

/// Lines of a cart.
pub(crate) type Lines = Vec<(Sku, u32)>;

/// What is asked; sent again it is the same.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    Create(Lines),
    Update(CheckoutId, Lines),
    Complete(CheckoutId, &'static str),
    Cancel(CheckoutId),
    Express(Lines, &'static str),
}

/// Everything any shopper ever asked, by key, and what was answered.
#[derive(Default)]
pub(crate) struct Receipts(pub(crate) Mutex<BTreeMap<String, (Wish, Option<StoredAnswer>)>>);

/// The street in front of the shop.
#[derive(Clone)]
pub(crate) struct Street {
    pub(crate) chaos: Arc<Chaos>,
    pub(crate) doors: Arc<Mutex<Vec<Option<Door>>>>,
    pub(crate) receipts: Arc<Receipts>,
    pub(crate) tables: Arc<Mutex<Tables>>,
    pub(crate) skus: Arc<Vec<Sku>>,
}

/// What a request came to.
#[derive(Debug)]
pub(crate) enum Told {
    Answer(StoredAnswer),
    /// A definite no; nothing is stored.
    Refused(CheckoutRefused),
    /// Nothing definite.
    Nothing,
}

/// A shopper.
pub(crate) struct Shopper {
    pub(crate) street: Street,
    pub(crate) number: usize,
    pub(crate) dice: SeededChance,
    pub(crate) asked: u32,
}

impl Street {
    /// Sends a wish once, to any door that is open.
    async fn send(&self, key: &str, wish: &Wish, dice: &SeededChance) -> Told {
        let ask = ask(key, wish, CheckoutId::new(self.chaos.now(), dice));
        let open: Vec<Door> = self.doors.lock().unwrap().iter().flatten().cloned().collect();
        let Some(door) = open.get(usize_of(dice.below(open.len().max(1) as u64))) else {
            return Told::Nothing;
        };
        let (reply, answer) = oneshot::channel();
        if door.send(Request { ask, reply }).is_err() {
            return Told::Nothing;
        }
        let Ok(Ok(outcome)) = tokio::time::timeout(WAITS, answer).await else {
            return Told::Nothing;
        };
        match outcome {
            Ok(Reply::Done(answer) | Reply::Replay(answer)) => Told::Answer(answer),
            Err(
                CheckoutRefused::KeyInFlight
                | CheckoutRefused::Completing
                | CheckoutRefused::Busy
                | CheckoutRefused::Ledger(LedgerFault::Unreachable(_)),
            ) => Told::Nothing,
            Err(CheckoutRefused::Ledger(LedgerFault::Broken(why))) => {
                if !why.contains("simulated") {
                    self.chaos.wrong(format!("{key} broke something: {why}"));
                }
                Told::Nothing
            }
            Err(refused) => Told::Refused(refused),
        }
    }

    /// Asks until there is something definite, so often at most.
    pub(crate) async fn asks(
        &self,
        key: &str,
        wish: &Wish,
        dice: &SeededChance,
        times: u32,
    ) -> Told {
        let mut pause = Duration::from_millis(100 + dice.below(200));
        for _ in 0..times {
            let told = self.send(key, wish, dice).await;
            self.chaos.tell(|| match &told {
                Told::Answer(answer) => format!("{key} {} v{}", answer.status, answer.version),
                Told::Refused(refused) => format!("{key} refused: {refused}"),
                Told::Nothing => format!("{key} hears nothing"),
            });
            if !matches!(told, Told::Nothing) {
                self.note(key, wish, &told);
                return told;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(3));
        }
        self.note(key, wish, &Told::Nothing);
        Told::Nothing
    }

    /// Keeps the answer; another one under the same key is wrong.
    fn note(&self, key: &str, wish: &Wish, told: &Told) {
        let answer = match told {
            Told::Answer(answer) => Some(answer.clone()),
            Told::Refused(_) | Told::Nothing => None,
        };
        let mut receipts = self.receipts.0.lock().unwrap();
        let (_, kept) = receipts.entry(key.to_owned()).or_insert((wish.clone(), None));
        match (&*kept, &answer) {
            (Some(kept), Some(answer)) if kept != answer => {
                self.chaos.wrong(format!("{key} was answered {kept:?}, and now {answer:?}"));
            }
            (Some(kept), None) if matches!(told, Told::Refused(_)) => {
                self.chaos.wrong(format!("{key} was answered {kept:?}, and now {told:?}"));
            }
            (None, Some(_)) => *kept = answer,
            _ => {}
        }
    }

    /// A hold that was just acknowledged stands, unless somebody changed the session since.
    fn check_held(&self, answer: &StoredAnswer, checkout: CheckoutId) {
        let tables = self.tables.lock().unwrap();
        let Some(row) = tables.sessions.get(&checkout) else {
            return self.chaos.wrong(format!("the acknowledged {checkout} does not stand"));
        };
        // A draft that says the same again renews nothing; and clocks differ a little.
        let session: Value = serde_json::from_str(row.body.get()).unwrap();
        let until = session["hold_until"].as_str().expect("a moment");
        let until = Timestamp::parse(until).expect("a moment");
        let is_fresh = self.chaos.now().plus(Duration::from_secs(1)) < until;
        if row.version != answer.version || !is_fresh {
            return;
        }
        let body: Value = serde_json::from_str(answer.body.open().expect("it opens")).unwrap();
        let mut shown: BTreeMap<&str, u64> = BTreeMap::new();
        for line in body["line_items"].as_array().into_iter().flatten() {
            let quantity = line["quantity"].as_u64().unwrap_or(0);
            *shown.entry(line["item"]["id"].as_str().unwrap_or_default()).or_default() += quantity;
        }
        for (sku, quantity) in shown {
            let key = (checkout, Sku::parse(sku).expect("a SKU"));
            let held = tables.holds.get(&key).map_or(0, |hold| u64::from(hold.quantity));
            if held != quantity {
                let what = format!("{checkout} was told {quantity} of {sku}, and has {held}");
                self.chaos.wrong(what);
            }
        }
    }
}

impl Shopper {
    /// A visit from the door to the till, or to wherever it ends.
    pub(crate) async fn visits(mut self) {
        tokio::time::sleep(Duration::from_millis(self.dice.below(12_000))).await;
        for _ in 0..=self.dice.below(2) {
            if self.dice.below(3) == 0 {
                let wish = Wish::Express(self.lines(), self.token());
                self.asks(wish).await;
            } else {
                self.fills_a_cart().await;
            }
        }
    }

    async fn fills_a_cart(&mut self) {
        let Told::Answer(answer) = self.asks(Wish::Create(self.lines())).await else { return };
        let Some(checkout) = id_in(&answer) else { return };
        self.street.check_held(&answer, checkout);
        for _ in 0..self.dice.below(3) {
            self.waits(3000).await;
            let told = self.asks(Wish::Update(checkout, self.lines())).await;
            if let Told::Answer(answer) = told
                && says(&answer, "\"incomplete\"", "\"ready_for_complete\"")
            {
                self.street.check_held(&answer, checkout);
            }
        }
        if self.dice.below(6) == 0 {
            // Long enough for the hold to lapse.
            self.waits(20_000).await;
        }
        if self.dice.below(6) == 0 {
            self.asks(Wish::Cancel(checkout)).await;
            return;
        }
        for _ in 0..2 {
            let told = self.asks(Wish::Complete(checkout, self.token())).await;
            let paid =
                matches!(&told, Told::Answer(answer) if says(answer, "\"completed\"", "\"order\""));
            if paid || self.dice.below(4) == 0 {
                return;
            }
            self.waits(2000).await;
        }
    }

    async fn asks(&mut self, wish: Wish) -> Told {
        self.asked += 1;
        let key = format!("key-{}-{}", self.number, self.asked);
        self.street.asks(&key, &wish, &self.dice, PATIENCE).await
    }

    async fn waits(&self, at_most: u64) {
        tokio::time::sleep(Duration::from_millis(self.dice.below(at_most))).await;
    }

    fn lines(&self) -> Lines {
        let skus = &self.street.skus;
        let line = |_| {
            let sku = skus[usize_of(self.dice.below(skus.len() as u64))].clone();
            (sku, 1 + u32::try_from(self.dice.below(3)).expect("few"))
        };
        (0..=self.dice.below(2)).map(line).collect()
    }

    fn token(&self) -> &'static str {
        match self.dice.below(12) {
            0 => "fail_token",
            1 => "challenge_token",
            2 => "flaky_token",
            _ => "success_token",
        }
    }
}

fn says(answer: &StoredAnswer, one: &str, other: &str) -> bool {
    let text = answer.body.open().expect("it opens");
    text.contains(one) || text.contains(other)
}

/// The checkout an answer is about.
pub(crate) fn id_in(answer: &StoredAnswer) -> Option<CheckoutId> {
    let body: Value = serde_json::from_str(answer.body.open().ok()?).ok()?;
    let id = body.get("checkout_id").or_else(|| body.get("id"))?;
    id.as_str()?.parse().ok()
}

fn ask(key: &str, wish: &Wish, fresh: CheckoutId) -> Ask {
    let (checkout, protocol, command) = match wish {
        Wish::Create(lines) => (fresh, Protocol::Ucp, Command::Create(Box::new(draft(lines)))),
        Wish::Update(id, lines) => (*id, Protocol::Ucp, Command::Update(Box::new(draft(lines)))),
        Wish::Complete(id, token) => {
            (*id, Protocol::Ucp, Command::Complete(Box::new(tender(token))))
        }
        Wish::Cancel(id) => (*id, Protocol::Ucp, Command::Cancel),
        Wish::Express(lines, token) => {
            (fresh, Protocol::V1, Command::Express(Box::new(draft(lines)), Box::new(tender(token))))
        }
    };
    let (key, fingerprint) = (key.to_owned(), format!("{wish:?}"));
    let asked = Asked {
        caller: "anonymous".into(),
        key,
        fingerprint,
        request: None,
        origin: Origin::of(protocol),
    };
    Ask { checkout, asked, if_version: None, command }
}

fn draft(lines: &Lines) -> Draft {
    let email = Some(Email::parse("ada@example.com").expect("an address"));
    let buyer = Some(Buyer { email, ..Buyer::default() });
    let line = |(sku, quantity): &(Sku, u32)| DraftLine {
        id: None,
        item: sku.to_string(),
        quantity: *quantity,
    };
    let person = Person { buyer: buyer.map(Box::new), ..Person::default() };
    Draft { lines: lines.iter().map(line).collect(), person, ..Draft::default() }
}

fn tender(token: &str) -> Tender {
    Tender {
        means: Some(Means {
            instrument: Instrument { id: "card_1".into(), ..Instrument::default() },
            credential: Credential::new(token.to_owned()),
        }),
        expected_total: None,
        person: Person::default(),
    }
}
