//! One attempt to pay, and how it is written.

use std::fmt;

use super::{
    countries::COUNTRIES,
    goods::Basket,
    storefront::{Part, Told},
};
use crate::base::Timestamp;

/// The columns. `fraud` and `attack` are the truth, for judging a model; the schema names neither.
pub const HEADER: &str = "order_id,placed_at,storefront,cart,customer,email,email_domain,\
    email_digits,card,card_bin,card_country,wallet,ip,ip_prefix,ip_country,device,address,\
    billing_country,shipping_country,billing_differs,amount,lines,units,gift_card,digital,discount,\
    account_days,session_seconds,agent,failed,label,label_at,fraud,attack";

/// E-mail domains. Each world has its own.
const DOMAINS: [&str; 9] = [
    "freemail",
    "postbox",
    "mail",
    "inbox",
    "tenminutes",
    "throwaway",
    "burner",
    "works",
    "school",
];

/// Domains that everybody may have an address at.
pub const FREE_DOMAINS: [u8; 4] = [0, 1, 2, 3];

/// Domains whose addresses are thrown away after use.
pub const THROWN_AWAY: [u8; 3] = [4, 5, 6];

/// Domains of those who have one through work or school.
pub const WORK_DOMAINS: [u8; 2] = [7, 8];

/// Card issuers, by world and country: eight digits.
const BINS: u32 = 40_000_000;

/// The first number of a world's network addresses.
const NETS: u16 = 11;

/// Worlds that have another first number than each other.
const NETS_MOST: u16 = 200;

/// An attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Many stolen cards tried on one cart.
    CardTesting,
    /// A stolen card, used for goods.
    StolenCard,
    /// A good customer's account in other hands.
    Takeover,
    /// Stolen cards, goods to the same few addresses.
    Reshipper,
    /// One person, many accounts, every first-order discount.
    Promotion,
    /// A good customer who disputes what was received.
    Friendly,
}

impl Attack {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CardTesting => "card_testing",
            Self::StolenCard => "stolen_card",
            Self::Takeover => "account_takeover",
            Self::Reshipper => "reshipper_ring",
            Self::Promotion => "promotion_abuse",
            Self::Friendly => "friendly_fraud",
        }
    }
}

/// An attempt. Numbers stand for values that are the same where the numbers are.
#[derive(Debug, Clone)]
pub struct Order {
    /// The world it happens in: what has a number there is nothing elsewhere.
    pub world: u16,
    /// Its place in the file.
    pub number: u32,
    /// When, in seconds since 1970.
    pub second: i64,
    /// The cart.
    pub cart: u32,
    /// The account; none for a guest.
    pub customer: Option<u32>,
    /// The e-mail address.
    pub email: u32,
    /// Its domain.
    pub domain: u8,
    /// Digits in it.
    pub email_digits: u8,
    /// The card.
    pub card: u32,
    /// Its issuer among those of its country.
    pub issuer: u8,
    /// Its country, of [`COUNTRIES`].
    pub card_country: u8,
    /// Whether it is in a phone's wallet.
    pub wallet: bool,
    /// The IP address: 16 bits of its part of the net, 8 of its own.
    pub ip: u32,
    /// Its country.
    pub ip_country: u8,
    /// The device.
    pub device: u32,
    /// Where it ships to.
    pub address: u32,
    /// Country of the bill.
    pub billing_country: u8,
    /// Country it ships to.
    pub shipping_country: u8,
    /// Whether bill and goods go to different addresses.
    pub billing_differs: bool,
    /// Amount in cents.
    pub cents: u32,
    /// Lines.
    pub lines: u8,
    /// Units.
    pub units: u16,
    /// Whether a gift card is among them.
    pub gift_card: bool,
    /// Whether it is all digital.
    pub digital: bool,
    /// Whether a discount was used.
    pub discount: bool,
    /// Age of the account in days; none for a guest.
    pub account_days: Option<u32>,
    /// From the first page to paying, in seconds.
    pub session_seconds: u32,
    /// Whether an agent placed it.
    pub agent: bool,
    /// Whether the payment failed.
    pub failed: bool,
    /// What the shop came to believe.
    pub label: bool,
    /// Days until it did.
    pub label_day: u16,
    /// The truth.
    pub attack: Option<Attack>,
    /// Where it came through, and what that tells of it.
    pub told: Told,
}

impl Order {
    /// What is in the cart.
    pub fn basket(&self) -> Basket {
        let Self { cents, lines, units, digital, gift_card, .. } = *self;
        Basket { cents, lines, units, digital, gift_card }
    }

    /// The same with this in the cart.
    #[must_use]
    pub fn with(self, basket: Basket) -> Self {
        let Basket { cents, lines, units, digital, gift_card } = basket;
        Self { cents, lines, units, digital, gift_card, ..self }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bit = |yes: bool| u8::from(yes);
        let time = |second: i64| Timestamp::from_micros(second * 1_000_000).to_offset();
        let date = |second: i64| {
            let at = time(second);
            let (date, clock) = (at.date(), at.time());
            let (year, month, day) = date.to_calendar_date();
            let (hour, minute, second) = clock.as_hms();
            let month = u8::from(month);
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        };
        let tells = |part, cells: String| match self.told.tells(part) {
            true => cells,
            false => ",".repeat(cells.matches(',').count()),
        };
        let number = |number: Option<u32>| number.map_or(String::new(), |n| n.to_string());
        let country = |place: u8| COUNTRIES[usize::from(place)].code;
        let world = self.world;
        let domain = format!("{}{world}.example", DOMAINS[usize::from(self.domain)]);
        let issuer = u32::from(self.card_country) * 100 + u32::from(self.issuer);
        let bin = BINS + u32::from(world) * 10_000 + issuer;
        let [_, b, c, d] = self.ip.to_be_bytes();
        let a = NETS + world % NETS_MOST;
        let email = format!("e{}@{domain},{domain},{},", self.email, self.email_digits);
        let card_country = country(self.card_country);
        let card = format!("c{world}-{},{bin},{card_country},{},", self.card, bit(self.wallet));
        let ip_country = country(self.ip_country);
        let net = format!("{a}.{b}.{c}.{d},{a}.{b}.{c},{ip_country},");
        let (bill, goods) = (country(self.billing_country), country(self.shipping_country));
        let address =
            format!("a{world}-{},{bill},{goods},{},", self.address, bit(self.billing_differs));
        let through = self.told.storefront.name();
        write!(f, "o{},{},{through},", self.number, date(self.second))?;
        write!(f, "k{world}-{},", self.cart)?;
        let customer = self.customer.map_or(String::new(), |n| format!("u{world}-{n}"));
        f.write_str(&tells(Part::Account, format!("{customer},")))?;
        f.write_str(&tells(Part::Email, email))?;
        f.write_str(&tells(Part::Card, card))?;
        f.write_str(&tells(Part::Net, net))?;
        f.write_str(&tells(Part::Device, format!("d{world}-{},", self.device)))?;
        f.write_str(&tells(Part::Address, address))?;
        write!(f, "{}.{:02},", self.cents / 100, self.cents % 100)?;
        write!(f, "{},{},{},", self.lines, self.units, bit(self.gift_card))?;
        write!(f, "{},{},", bit(self.digital), bit(self.discount))?;
        f.write_str(&tells(Part::Account, format!("{},", number(self.account_days))))?;
        f.write_str(&tells(Part::Session, format!("{},", self.session_seconds)))?;
        f.write_str(&tells(Part::Device, format!("{},", bit(self.agent))))?;
        write!(f, "{},{},", bit(self.failed), bit(self.label))?;
        let found = self.label.then(|| date(self.second + i64::from(self.label_day) * 86_400));
        write!(f, "{},{},", found.unwrap_or_default(), bit(self.attack.is_some()))?;
        f.write_str(self.attack.map_or("", Attack::name))
    }
}
