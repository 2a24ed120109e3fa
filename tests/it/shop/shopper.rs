//! Somebody who buys.

use doorbuster::{
    base::{Buyer, CheckoutId, Email, Hints, Money, Origin, Person, Protocol},
    cart::messages::{Ask, Command, Show},
    checkout::{
        Asked, CheckoutRefused, Draft, DraftLine, Instrument, Means, NoticeCode, Reply, Session,
        Tender,
    },
    ledger::row::SessionState,
    payment::Credential,
};
use std::{cell::RefCell, sync::Arc};

use super::TestShop;

/// What a shopper was told.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) Result<Reply, CheckoutRefused>);

impl Told {
    /// The answer's bytes.
    pub(crate) fn text(&self) -> String {
        match &self.0 {
            Ok(Reply::Done(answer) | Reply::Replay(answer)) => {
                format!("{} {}", answer.status, answer.body.open().expect("it opens"))
            }
            Err(refused) => panic!("there is no answer: {refused}"),
        }
    }

    pub(crate) fn is_replay(&self) -> bool {
        matches!(self.0, Ok(Reply::Replay(_)))
    }

    /// The refusal's words.
    pub(crate) fn refusal(&self) -> String {
        match &self.0 {
            Ok(_) => panic!("it was answered: {}", self.text()),
            Err(refused) => refused.to_string(),
        }
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.0, Err(CheckoutRefused::KeyInFlight))
    }

    pub(crate) fn says(&self, word: &str) -> bool {
        self.text().contains(word)
    }
}

/// Somebody with a cart.
pub(crate) struct Shopper<'a> {
    shop: &'a TestShop,
    pub(crate) checkout: CheckoutId,
    email: &'static str,
    lines: RefCell<Vec<(String, u32)>>,
    codes: RefCell<Vec<String>>,
}

/// The address of whoever gives no other.
const ADA: &str = "ada@example.com";

/// Somebody who has left the shop with a cart in it.
pub(crate) struct Away {
    pub(super) checkout: CheckoutId,
    pub(super) lines: RefCell<Vec<(String, u32)>>,
}

impl<'a> Shopper<'a> {
    pub(super) fn returns(shop: &'a TestShop, away: Away) -> Self {
        let (checkout, lines) = (away.checkout, away.lines);
        Self { shop, checkout, email: ADA, lines, codes: RefCell::default() }
    }

    pub(super) fn comes(shop: &'a TestShop) -> Self {
        let checkout = CheckoutId::new(shop.now(), &*shop.dice);
        shop.seen.lock().unwrap().push(checkout);
        Self { shop, checkout, email: ADA, lines: RefCell::default(), codes: RefCell::default() }
    }

    /// The same shopper, served by another replica, or by the shop opened again.
    pub(crate) fn at<'b>(&self, shop: &'b TestShop) -> Shopper<'b> {
        let (lines, codes) = (self.lines.clone(), self.codes.clone());
        Shopper { shop, checkout: self.checkout, email: self.email, lines, codes }
    }

    /// Gives this address.
    pub(crate) fn named(self, email: &'static str) -> Self {
        Self { email, ..self }
    }

    /// Sends this discount code from now on.
    pub(crate) fn types(self, code: &str) -> Self {
        self.codes.borrow_mut().push(code.to_owned());
        self
    }

    /// Puts units into the cart, with a key of its own.
    pub(crate) async fn adds(&self, item: &str, quantity: u32) -> Told {
        let is_new = self.lines.borrow().is_empty();
        self.lines.borrow_mut().push((item.to_owned(), quantity));
        self.writes(&self.shop.fresh_key(), is_new).await
    }

    /// Replaces the cart.
    pub(crate) async fn wants(&self, lines: &[(&str, u32)]) -> Told {
        self.wants_as(&self.shop.fresh_key(), lines).await
    }

    /// Replaces the cart under this key.
    pub(crate) async fn wants_as(&self, key: &str, lines: &[(&str, u32)]) -> Told {
        let is_new = self.lines.borrow().is_empty();
        *self.lines.borrow_mut() =
            lines.iter().map(|(item, quantity)| ((*item).to_owned(), *quantity)).collect();
        self.writes(key, is_new).await
    }

    /// Sends the cart as it is once more.
    pub(crate) async fn writes(&self, key: &str, is_new: bool) -> Told {
        let draft = Box::new(self.draft());
        let command = if is_new { Command::Create(draft) } else { Command::Update(draft) };
        self.asks(key, Protocol::Ucp, command).await
    }

    pub(crate) async fn pays(&self, token: &str) -> Told {
        self.pays_as(&self.shop.fresh_key(), token).await
    }

    pub(crate) async fn pays_as(&self, key: &str, token: &str) -> Told {
        let command = Command::Complete(Box::new(tender(token, None)));
        self.asks(key, Protocol::Ucp, command).await
    }

    /// Pays under this key with nothing.
    pub(crate) async fn pays_nothing(&self, key: &str) -> Told {
        let tender = Tender { means: None, ..tender("", None) };
        self.asks(key, Protocol::Ucp, Command::Complete(Box::new(tender))).await
    }

    /// Pays, and says there to be this buyer.
    pub(crate) async fn pays_named(&self, email: &str) -> Told {
        let tender = Tender { person: person(email), ..tender("success_token", None) };
        let command = Command::Complete(Box::new(tender));
        self.asks(&self.shop.fresh_key(), Protocol::Ucp, command).await
    }

    /// Pays only if it costs this much.
    pub(crate) async fn pays_exactly(&self, total: Money) -> Told {
        let tender = tender("success_token", Some(total));
        let command = Command::Complete(Box::new(tender));
        self.asks(&self.shop.fresh_key(), Protocol::Ucp, command).await
    }

    /// Buys through the express lane.
    pub(crate) async fn buys(&self, lines: &[(&str, u32)]) -> Told {
        self.buys_as(&self.shop.fresh_key(), lines, "success_token").await
    }

    /// Buys through the express lane under this key. Sent again, it comes as another checkout.
    pub(crate) async fn buys_as(&self, key: &str, lines: &[(&str, u32)], token: &str) -> Told {
        *self.lines.borrow_mut() =
            lines.iter().map(|(item, quantity)| ((*item).to_owned(), *quantity)).collect();
        let tender = Box::new(tender(token, None));
        let command = Command::Express(Box::new(self.draft()), tender);
        self.asks(key, Protocol::V1, command).await
    }

    /// Buys as somebody nobody has seen: a new e-mail address, network address, device and card.
    pub(crate) async fn buys_as_nobody(&self, number: u32, item: &str, token: &str) -> Told {
        *self.lines.borrow_mut() = vec![(item.to_owned(), 1)];
        let email = Some(Email::parse(&format!("b{number}@mail{number}.example")).expect("one"));
        let hints = Hints {
            card_fingerprint: Some(format!("card{number}")),
            device_id: Some(format!("device{number}")),
            ..Hints::default()
        };
        let [_, a, b, c] = number.to_be_bytes();
        let person = Person {
            buyer: Some(Box::new(Buyer { email, ..Buyer::default() })),
            ip: Some(format!("{}.{b}.{c}.9", 100 + a)),
            hints: Some(Box::new(hints)),
            ..Person::default()
        };
        let draft = Box::new(Draft { person, ..self.draft() });
        let command = Command::Express(draft, Box::new(tender(token, None)));
        self.asks(&self.shop.fresh_key(), Protocol::V1, command).await
    }

    pub(crate) async fn cancels(&self) -> Told {
        self.asks(&self.shop.fresh_key(), Protocol::Ucp, Command::Cancel).await
    }

    /// Tries to give up over this protocol.
    pub(crate) async fn gives_up_over(&self, protocol: Protocol) -> Told {
        self.asks(&self.shop.fresh_key(), protocol, Command::Cancel).await
    }

    /// Gives up the cart at this version (`If-Match`), and no other.
    pub(crate) async fn cancels_at(&self, version: u32) -> Told {
        let ask = self.ask(&self.shop.fresh_key(), "the same", Protocol::Ucp, Command::Cancel);
        let ask = Ask { if_version: Some(vec![version]), ..ask };
        Told(self.shop.app().carts.ask(ask).await)
    }

    /// The session as shown.
    pub(crate) async fn session(&self) -> Arc<Session> {
        self.look().await.expect("there is a session")
    }

    pub(crate) async fn look(&self) -> Result<Arc<Session>, CheckoutRefused> {
        self.look_over(Protocol::Ucp).await
    }

    /// The session as shown over this protocol.
    pub(crate) async fn look_over(
        &self,
        protocol: Protocol,
    ) -> Result<Arc<Session>, CheckoutRefused> {
        let show = Show { checkout: self.checkout, caller: "anonymous".into(), protocol };
        self.shop.app().carts.show(show).await
    }

    pub(crate) async fn state(&self) -> SessionState {
        self.session().await.state
    }

    pub(crate) async fn was_told(&self, code: NoticeCode) -> bool {
        self.session().await.has(code)
    }

    /// Leaves, to come back when the shop has opened again.
    pub(crate) fn leaves(self) -> Away {
        Away { checkout: self.checkout, lines: self.lines }
    }

    /// Pays under a key that was used for something else.
    pub(crate) async fn pays_with_another_body(&self, key: &str) -> Told {
        let command = Command::Complete(Box::new(tender("success_token", None)));
        self.sends(key, "another", Protocol::Ucp, command).await
    }

    async fn asks(&self, key: &str, protocol: Protocol, command: Command) -> Told {
        self.sends(key, "the same", protocol, command).await
    }

    async fn sends(&self, key: &str, body: &str, protocol: Protocol, command: Command) -> Told {
        let ask = self.ask(key, body, protocol, command);
        Told(self.shop.app().carts.ask(ask).await)
    }

    fn ask(&self, key: &str, body: &str, protocol: Protocol, command: Command) -> Ask {
        let asked = Asked {
            caller: "anonymous".into(),
            key: key.to_owned(),
            fingerprint: body.to_owned(),
            request: None,
            origin: Origin::of(protocol),
        };
        Ask { checkout: self.checkout, asked, if_version: None, command }
    }

    fn draft(&self) -> Draft {
        let line = |(item, quantity): &(String, u32)| DraftLine {
            id: None,
            item: item.clone(),
            quantity: *quantity,
        };
        let lines = self.lines.borrow().iter().map(line).collect();
        Draft {
            lines,
            person: person(self.email),
            codes: self.codes.borrow().clone(),
            ..Draft::default()
        }
    }
}

fn person(email: &str) -> Person {
    let email = Some(Email::parse(email).expect("an address"));
    Person { buyer: Some(Box::new(Buyer { email, ..Buyer::default() })), ..Person::default() }
}

fn tender(token: &str, expected_total: Option<Money>) -> Tender {
    Tender {
        means: Some(Means {
            instrument: Instrument { id: "card_1".into(), ..Instrument::default() },
            credential: Credential::new(token.to_owned()),
        }),
        expected_total,
        person: Person::default(),
    }
}
