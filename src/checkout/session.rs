//! A checkout session: what is being bought, by whom, for how much, and what stands in the way.

use serde::{Deserialize, Serialize};

pub use super::notice::{Notice, NoticeCode};

use super::answer::{CheckoutRefused, Demands, Draft, DraftLine};
use crate::{
    base::{
        AttemptId, CheckoutId, Currency, Money, OrderId, Origin, Person, Protocol, Sku, Timestamp,
        Verification,
    },
    catalog::{GroupId, StockPolicy},
    ledger::row::SessionState,
    pricing::{Priced, Totals, Wish},
};

/// One line as quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The platform's name for the line, or ours (`li_1`).
    pub id: String,
    /// What.
    pub sku: Sku,
    /// Its name for people.
    pub title: String,
    /// Units wanted; all of them are held when the SKU is tracked.
    pub quantity: u32,
    /// At which price each.
    pub unit_price: Money,
    /// Address of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// How its units are counted.
    pub stock_policy: StockPolicy,
    /// Its tax category, unless it is the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The group whose variant it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// Where the shop has it, for rules about what is bought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_categories: Vec<String>,
    /// Its index in the request that named it.
    pub at: usize,
}

/// The instrument last used, as it may be shown: never its credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instrument {
    /// The platform's name for it.
    pub id: String,
    /// Which payment handler it belongs to.
    pub handler_id: String,
    /// `card`, ….
    pub kind: String,
    /// `visa`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_digits: Option<String>,
}

/// An instrument that was tried, under the name by which retries are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// A digest of cart and instrument.
    pub key: u64,
    /// When last.
    pub at: Timestamp,
}

/// A payment that waits for its buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenged {
    /// Until when.
    pub until: Timestamp,
    /// A digest of what it is paid with, so that paying with the same again is asking again; none
    /// where a crash took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<u64>,
}

/// Why the money waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// What its loss would cost by the score, in minor units.
    pub expected_loss_minor: i64,
}

/// A session. The ledger keeps it as a document (without the person), the cart actor in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The checkout.
    pub id: CheckoutId,
    /// Who created it; only they see it.
    pub caller: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Origin::is_usual")]
    pub origin: Origin,
    /// Its version; the row's column decides.
    #[serde(skip)]
    pub version: u32,
    /// Where it stands; the row's column decides.
    #[serde(skip, default = "open")]
    pub state: SessionState,
    /// The one currency of all its money.
    pub currency: Currency,
    /// Whether nothing has been priced yet, and the first product to come decides the currency.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub currency_is_open: bool,
    /// What is bought.
    pub lines: Vec<Line>,
    /// What it costs.
    pub totals: Totals,
    /// Discounts, delivery and taxes, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced: Option<Box<Priced>>,
    /// What stands in the way.
    pub notices: Vec<Notice>,
    /// Who it is about: kept in its own sealed place.
    #[serde(skip)]
    pub person: Person,
    /// The instrument last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<Instrument>,
    /// How often a payment was attempted.
    #[serde(default)]
    pub attempts: u32,
    /// The attempt under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// How many of them were declined, by the gateway or before it was asked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub declines: u32,
    /// Instruments tried, so that trying one again is known as that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// What a person is to look at before the money is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Whether it came through the express lane: refused, it leaves nothing.
    #[serde(default)]
    pub express: bool,
    /// The request that it came with, where it came through the express lane: a refusal names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<str>>,
    /// Whether it is a cart: it holds nothing and is never paid for, but becomes checkouts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cart: bool,
    /// The buyer's country, where nothing else tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Box<str>>,
    /// Units held per SKU, as last committed; the holds' rows decide.
    #[serde(skip)]
    pub held: Vec<(Sku, u32)>,
    /// Where the buyer proves who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_url: Option<String>,
    /// A payment that waits for its buyer, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenged>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Until when its holds live.
    pub hold_until: Timestamp,
    /// When it first held anything: its holds live for so long from then on, and no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// When the order was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_at: Option<Timestamp>,
    /// What the issuer said of the card that paid.
    #[serde(default, skip_serializing_if = "Verification::is_empty")]
    pub verification: Verification,
    /// Whether it was paid with money for trying things out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_payment: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

const fn open() -> SessionState {
    SessionState::Open
}

impl Session {
    /// What this cart wants, for the checkout it becomes.
    pub fn draft(&self) -> Draft {
        let line = |line: &Line| DraftLine {
            id: Some(line.id.clone()),
            item: line.sku.as_str().to_owned(),
            quantity: line.quantity,
        };
        Draft {
            currency: (!self.currency_is_open).then_some(self.currency),
            lines: self.lines.iter().map(line).collect(),
            person: self.person.clone(),
            codes: self.priced.as_ref().map(|priced| priced.codes.clone()).unwrap_or_default(),
            country: self.country.as_deref().map(str::to_owned),
            ..Draft::default()
        }
    }

    /// The way of coming that was chosen, as it was wished for.
    pub fn wish(&self) -> Option<Wish> {
        let chosen = self.priced.as_ref()?.fulfillment.as_ref()?;
        Some(Wish {
            method: chosen.method,
            destination: chosen.destination.clone(),
            option: chosen.selected.clone(),
        })
    }

    /// What stands in it, to be priced anew. Lines that are no more what they were are named, and
    /// refuse nothing.
    pub(super) fn redraft(&self) -> Draft {
        let demands = Demands { whole: false, ..Demands::of(self.origin.protocol) };
        let (delivery, is_cart) = (self.wish(), self.is_cart);
        Draft { delivery, is_cart, demands, ..self.draft() }
    }

    /// Whether what was quoted counts for this person now. A quote lives as long as its hold, and
    /// for the buyer whom it was made for: limits of discounts count for the one who pays.
    pub(super) fn is_quoted_for(&self, person: &Person, now: Timestamp) -> bool {
        now < self.hold_until && self.person.mailbox() == person.mailbox()
    }

    /// What is to be paid for it; none when it costs nothing.
    pub fn due(&self) -> Option<Money> {
        (self.totals.total.minor() != 0).then_some(self.totals.total)
    }

    /// Uses of discounts that are held and sold with the goods.
    pub fn uses(&self) -> &[Sku] {
        self.priced.as_ref().map_or(&[], |priced| &priced.uses)
    }

    /// Whether this caller may go on with it over this protocol.
    ///
    /// # Errors
    /// [`NotFound`](CheckoutRefused::NotFound) for strangers, who learn nothing; and
    /// [`OtherProtocol`](CheckoutRefused::OtherProtocol).
    pub fn check_asker(&self, caller: &str, protocol: Protocol) -> Result<(), CheckoutRefused> {
        if self.caller != caller {
            return Err(CheckoutRefused::NotFound(self.id));
        }
        let opened = self.origin.protocol;
        if opened.is_open_to(protocol) {
            Ok(())
        } else {
            Err(CheckoutRefused::OtherProtocol(opened))
        }
    }

    /// The order it became.
    pub fn order(&self) -> Option<OrderId> {
        (self.state == SessionState::Completed).then(|| OrderId::of(self.id))
    }

    /// Whether nothing stands in the way of paying. A challenge does not: passing it is paying
    /// again.
    pub fn is_ready(&self) -> bool {
        self.is_ready_for(&self.person)
    }

    /// The same, once this person is known too: who pays may say there who they are.
    pub fn is_ready_for(&self, person: &Person) -> bool {
        let has_email = person.buyer.as_ref().is_some_and(|buyer| buyer.email.is_some());
        let stands = |notice: &Notice| match notice.code {
            NoticeCode::PaymentChallenged => false,
            NoticeCode::EmailMissing => !has_email,
            code => code.blocks(),
        };
        self.state == SessionState::Open && !self.notices.iter().any(stands)
    }

    /// Whether a payment waits for its buyer, who proves who they are at
    /// [`challenge_url`](Self::challenge_url).
    pub fn is_challenged(&self) -> bool {
        self.state == SessionState::Completing && self.challenge.is_some()
    }

    /// Whether a notice of this kind stands.
    pub fn has(&self, code: NoticeCode) -> bool {
        self.notices.iter().any(|notice| notice.code == code)
    }
}
