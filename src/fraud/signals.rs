//! Everything that is known of a checkout when it is to be paid for: the raw input of features and
//! rules. What is missing is missing, not zero.

use std::{net::IpAddr, sync::LazyLock};

use crate::base::{Address, CheckoutId, Currency, Hints, Money, Person, Timestamp, Verification};

/// What is known. Built from the cart, the person, the request and what the storefront tells.
#[derive(Debug, Clone)]
pub struct Signals {
    /// When it is judged.
    pub at: Timestamp,
    /// The cart.
    pub cart: CheckoutId,
    /// The API key it came with.
    pub storefront: String,
    /// What it costs in all.
    pub amount: Money,
    /// What is bought.
    pub goods: Goods,
    /// What discounts took off.
    pub discounts: Discounts,
    /// Who buys, where it goes.
    pub person: Person,
    /// The card's brand: `visa`, ….
    pub brand: Option<String>,
    /// When the cart was opened here; unknown where it is opened and paid in one.
    pub opened_at: Option<Timestamp>,
    /// Payments of this cart that came to nothing before.
    pub declines: u32,
    /// What the issuer said, once it was asked.
    pub verification: Verification,
}

/// What is bought, as far as trust is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goods {
    /// Different items.
    pub lines: u32,
    /// Units in all.
    pub units: u32,
    /// The tax categories of the items, each once, sorted.
    pub categories: Vec<String>,
    /// Their codes, each once, sorted.
    pub skus: Vec<String>,
    /// The groups whose variants they are, each once, sorted.
    pub groups: Vec<String>,
    /// Where the shop has them, `Apparel > Shirts`, each once, sorted.
    pub product_categories: Vec<String>,
    /// What a unit of the dearest costs, in minor units of the amount's currency.
    pub dearest_minor: i64,
    /// Whether a gift card is among them.
    pub gift_card: bool,
    /// Whether nothing needs to be shipped.
    pub digital: bool,
}

/// What discounts took off. Whoever abuses promotions types one code after the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discounts {
    /// Discounts that count.
    pub count: u32,
    /// Those of them that were asked for with a code.
    pub codes: u32,
    /// Codes that were typed, whether they count or not.
    pub tried: u32,
    /// What all of them take off, in minor units of the amount's currency.
    pub minor: i64,
}

/// How many leading bytes of an address name a household or a company: /24 and /48.
const PREFIX_V4: usize = 3;
const PREFIX_V6: usize = 6;

/// Nothing said.
static NO_HINTS: LazyLock<Hints> = LazyLock::new(Hints::default);

impl Signals {
    /// A checkout of which nothing is known any more.
    pub fn unknown(cart: CheckoutId, at: Timestamp) -> Self {
        Self {
            at,
            cart,
            storefront: String::new(),
            amount: Money::from_minor(0, Currency::NONE),
            goods: Goods::default(),
            discounts: Discounts::default(),
            person: Person::default(),
            brand: None,
            opened_at: None,
            declines: 0,
            verification: Verification::default(),
        }
    }

    /// What the storefront tells about instrument and device.
    pub fn hints(&self) -> &Hints {
        self.person.hints.as_deref().unwrap_or(&NO_HINTS)
    }

    /// The e-mail address in lower case, without dots at the end.
    pub fn email(&self) -> Option<String> {
        let email = self.person.buyer.as_ref()?.email.as_ref()?;
        Some(email.expose().trim_end_matches('.').to_lowercase())
    }

    /// What stands behind the `@`, in lower case.
    pub fn email_domain(&self) -> Option<String> {
        self.email()?.rsplit_once('@').map(|(_, domain)| domain.to_owned())
    }

    /// Digits before the `@`.
    pub fn email_digits(&self) -> Option<u32> {
        let email = self.email()?;
        let (name, _) = email.rsplit_once('@')?;
        u32::try_from(name.bytes().filter(u8::is_ascii_digit).count()).ok()
    }

    /// The network address, if it is one. An IPv4 address in IPv6 clothes is taken as the former.
    pub fn ip(&self) -> Option<IpAddr> {
        let ip: IpAddr = self.person.ip.as_deref()?.trim().parse().ok()?;
        Some(ip.to_canonical())
    }

    /// The part of the network address that a household or a company shares.
    pub fn ip_prefix(&self) -> Option<String> {
        Some(match self.ip()? {
            IpAddr::V4(ip) => join(&ip.octets()[..PREFIX_V4]),
            IpAddr::V6(ip) => join(&ip.octets()[..PREFIX_V6]),
        })
    }

    /// Where the goods go, else where the bill goes.
    pub fn destination(&self) -> Option<&Address> {
        self.person.shipping.as_deref().or(self.person.billing.as_deref())
    }

    /// The address the goods go to, the same however it is written.
    pub fn address(&self) -> Option<String> {
        self.destination().and_then(normalized)
    }

    /// The building the goods go to: the address without flat, suite or account number, of which a
    /// forwarder gives each customer another.
    pub fn building(&self) -> Option<String> {
        let address = self.destination()?;
        let part = |part: &Option<String>| part.as_deref().unwrap_or_default().to_owned();
        let (town, country) = (part(&address.address_locality), part(&address.address_country));
        building(address.street_address.as_deref()?, &town, &country)
    }

    /// Whether bill and goods go to different addresses.
    pub fn billing_differs(&self) -> Option<bool> {
        let one = self.person.billing.as_deref().and_then(normalized)?;
        let other = self.person.shipping.as_deref().and_then(normalized)?;
        Some(one != other)
    }

    /// Country of the bill.
    pub fn billing_country(&self) -> Option<String> {
        country(self.person.billing.as_deref()?)
    }

    /// Country the goods go to.
    pub fn shipping_country(&self) -> Option<String> {
        country(self.destination()?)
    }

    /// The share of the price that discounts took off, 0 to 1. A free order without any has none.
    pub fn discount_share(&self) -> f64 {
        let off = self.discounts.minor as f64;
        let whole = self.amount.minor() as f64 + off;
        if whole > 0.0 { off / whole } else { 0.0 }
    }

    /// Whole days since the account was made.
    pub fn account_days(&self) -> Option<u32> {
        let seconds = self.at.since(self.hints().account_created_at?).as_secs();
        u32::try_from(seconds / 86_400).ok()
    }

    /// From the first page, else from the opening of the cart, to paying.
    pub fn session_seconds(&self) -> Option<u32> {
        let from = self.hints().session_started_at.or(self.opened_at)?;
        u32::try_from(self.at.since(from).as_secs()).ok()
    }

    /// The hour of the day where the buyer is, 0–23.
    pub fn local_hour(&self) -> Option<u8> {
        let minutes = i64::from(self.hints().utc_offset_minutes?);
        let local = self.at.micros() + minutes * 60 * 1_000_000;
        u8::try_from(local.div_euclid(3_600 * 1_000_000).rem_euclid(24)).ok()
    }
}

fn join(bytes: &[u8]) -> String {
    let parts: Vec<String> = bytes.iter().map(u8::to_string).collect();
    parts.join(".")
}

fn country(address: &Address) -> Option<String> {
    address.address_country.as_ref().map(|country| country.trim().to_uppercase())
}

/// What stands before the number of a flat, a suite, a box.
const UNITS: &[&str] =
    &["apartment", "apt", "box", "flat", "pmb", "rm", "room", "ste", "suite", "unit"];

/// A building, the same however it is written: street up to the unit, town and country. Postal
/// codes are left out: long and short ones are of the same place.
pub fn building(street: &str, town: &str, country: &str) -> Option<String> {
    let plain = |text: &str| -> String {
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let street = street.split('#').next().unwrap_or_default().to_lowercase();
    let words = street.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_unit = |place: usize, word: &str| place > 0 && UNITS.contains(&word);
    let own = words.enumerate().take_while(|(place, word)| !is_unit(*place, word));
    let street: String = own.map(|(_, word)| word).collect();
    (!street.is_empty()).then(|| format!("{street}|{}|{}", plain(town), plain(country)))
}

/// Street, town, code and country in lower case without anything but letters and digits. A place
/// without a street is no address.
fn normalized(address: &Address) -> Option<String> {
    let plain = |part: &Option<String>| -> String {
        let text = part.as_deref().unwrap_or_default().to_lowercase();
        text.chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let street = plain(&address.street_address);
    if street.is_empty() {
        return None;
    }
    let rest = [
        &address.extended_address,
        &address.postal_code,
        &address.address_locality,
        &address.address_country,
    ];
    let rest: Vec<String> = rest.into_iter().map(plain).collect();
    Some(format!("{street}|{}", rest.join("|")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::{Buyer, Email};

    /// A checkout of which nothing is known but the cart.
    pub(crate) fn bare() -> Signals {
        Signals {
            at: Timestamp::from_micros(1_700_000_000_000_000),
            cart: CheckoutId::from_uuid(uuid::Uuid::nil()),
            storefront: "shop".into(),
            amount: Money::from_minor(4_990, "EUR".parse().expect("a currency")),
            goods: Goods { lines: 1, units: 1, ..Goods::default() },
            discounts: Discounts::default(),
            person: Person::default(),
            brand: None,
            opened_at: Some(Timestamp::from_micros(1_699_999_970_000_000)),
            declines: 0,
            verification: Verification::default(),
        }
    }

    #[test]
    fn what_is_not_said_is_missing() {
        let signals = bare();
        let none = [
            signals.email(),
            signals.email_domain(),
            signals.ip_prefix(),
            signals.address(),
            signals.billing_country(),
            signals.shipping_country(),
        ];
        assert!(none.iter().all(Option::is_none), "{none:?}");
        assert_eq!((signals.account_days(), signals.billing_differs()), (None, None));
        assert_eq!((signals.session_seconds(), signals.local_hour()), (Some(30), None));
    }

    #[test]
    fn the_same_place_is_the_same_however_it_is_written() {
        let place = |street: &str, code: &str| Address {
            street_address: Some(street.into()),
            postal_code: Some(code.into()),
            address_country: Some("de".into()),
            ..Address::default()
        };
        let mut signals = bare();
        signals.person.billing = Some(Box::new(place("Main St. 1", "10-115")));
        signals.person.shipping = Some(Box::new(place("MAIN ST 1", "10115")));
        assert_eq!(signals.billing_differs(), Some(false));
        assert_eq!(signals.shipping_country().as_deref(), Some("DE"));
        signals.person.shipping = Some(Box::new(place("Main St. 11", "10115")));
        assert_eq!(signals.billing_differs(), Some(true));
    }

    #[test]
    fn addresses_of_the_net_share_their_prefix() {
        let prefix = |ip: &str| {
            let mut signals = bare();
            signals.person.ip = Some(ip.into());
            signals.ip_prefix()
        };
        assert_eq!(prefix("192.0.2.7"), prefix("192.0.2.200"));
        assert_eq!(prefix("::ffff:192.0.2.7"), prefix("192.0.2.7"));
        assert_ne!(prefix("192.0.2.7"), prefix("192.0.3.7"));
        assert_eq!(prefix("2001:db8:1::1"), prefix("2001:db8:1:ffff::2"));
        assert_eq!(prefix("a hostname"), None);
    }

    #[test]
    fn an_e_mail_address_is_one_in_any_case() {
        let mut signals = bare();
        let email = Email::parse("Ada.1815@Example.com").expect("an address");
        let buyer = Buyer { email: Some(email), ..Buyer::default() };
        signals.person.buyer = Some(Box::new(buyer));
        assert_eq!(signals.email().as_deref(), Some("ada.1815@example.com"));
        assert_eq!(signals.email_domain().as_deref(), Some("example.com"));
        assert_eq!(signals.email_digits(), Some(4));
    }

    // breaks: the column `email` read from `self.email()`, `email` without `trim_end_matches`
    #[test]
    fn a_mailbox_is_counted_as_one_and_a_domain_cannot_hide_behind_a_dot() {
        let of = |raw: &str| {
            let email = Email::parse(raw).expect("an address");
            let mut signals = bare();
            signals.person.buyer = Some(Box::new(Buyer { email: Some(email), ..Buyer::default() }));
            signals
        };
        for alias in ["Ada+1@Example.com", "ada+2@example.com."] {
            assert_eq!(of(alias).column("email").as_deref(), Some("ada@example.com"));
            assert_eq!(of(alias).email_domain().as_deref(), Some("example.com"));
        }
    }
}
