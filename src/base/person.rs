//! People: who buys, and where it goes. All of it redacts itself in `Debug` and has no `Display`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

use super::{Hints, Sealed, sealed::Unsealable};

/// An e-mail address: something, an `@`, something; at most 254 bytes (RFC 5321 §4.5.3.1.3).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

/// The domains of one provider that takes no notice of dots before the `@`.
const GMAIL: [&str; 2] = ["gmail.com", "googlemail.com"];

/// The text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as `ada@example.com`")]
pub struct InvalidEmail;

impl Email {
    /// Reads an address. Whether it takes mail only a mail can tell.
    pub fn parse(raw: &str) -> Result<Self, InvalidEmail> {
        let (local, domain) = raw.rsplit_once('@').ok_or(InvalidEmail)?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        let well_formed = !local.is_empty() && !domain.is_empty() && raw.len() <= 254;
        if well_formed && !raw.contains(odd) { Ok(Self(raw.to_owned())) } else { Err(InvalidEmail) }
    }

    /// The mailbox that the address reaches, in one spelling: what people are counted by, and never
    /// written to.
    ///
    /// Case does not count, nor dots at the end of the domain, nor quotes around the name, nor a
    /// sub-address (`+…` before the `@`, RFC 5233), nor, at Gmail, dots in the name and which of
    /// its two domains it is.
    pub fn mailbox(&self) -> String {
        Self::mailbox_of(&self.0)
    }

    /// The same of an address that was written somewhere.
    pub fn mailbox_of(raw: &str) -> String {
        let lower = raw.to_lowercase();
        let (local, domain) = lower.rsplit_once('@').unwrap_or((&lower, ""));
        let domain = Self::domain_of(domain);
        let bare = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'));
        let local = bare.filter(|bare| !bare.is_empty()).unwrap_or(local);
        let user = local.split('+').next().filter(|user| !user.is_empty()).unwrap_or(local);
        if domain == GMAIL[0] {
            return format!("{}@{domain}", user.replace('.', ""));
        }
        format!("{user}@{domain}")
    }

    /// Enough of the address to know it again, and not to write to it: `a…@example.com`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let first: String = local.chars().take(1).collect();
        format!("{first}…@{domain}")
    }

    /// A provider's one name, of a domain in lower case: no dots at its end, and Gmail's first.
    pub fn domain_of(raw: &str) -> &str {
        let domain = raw.trim_end_matches('.');
        if GMAIL.contains(&domain) { GMAIL[0] } else { domain }
    }

    /// The address itself, for the one who must write to it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(raw: String) -> Result<Self, InvalidEmail> {
        Self::parse(&raw)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[e-mail]")
    }
}

/// Who buys. Every field may be missing while the session is open.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Buyer {
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Where the confirmation goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// E.164, as the buyer gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// What the buyer allows to be done with what is known of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// What a buyer allows; what was not said is neither a yes nor a no. In the words of UCP's buyer
/// consent extension.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Consent {
    /// Analytics and performance tracking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analytics: Option<bool>,
    /// Keeping preferences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferences: Option<bool>,
    /// Marketing messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marketing: Option<bool>,
    /// Selling data to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_of_data: Option<bool>,
}

/// A place that goods may be sent to, by the name the platform or we gave it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Destination {
    /// Its name within the checkout.
    pub id: String,
    /// Where it is.
    pub address: Address,
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[destination]")
    }
}

impl fmt::Debug for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[buyer]")
    }
}

/// A postal address, in the field names of schema.org's `PostalAddress`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Address {
    /// Who receives: given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Who receives: family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// Flat, floor, company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_locality: Option<String>,
    /// State or province: its code (ISO 3166-2 without the country) where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_region: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Phone of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address]")
    }
}

/// Everything personal about one checkout, kept in one place so that sealing and erasing it is one
/// change: see [`Sealed`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Person {
    /// Who buys. Boxed like the addresses: most carts have none yet, and every live one keeps the
    /// room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Box<Buyer>>,
    /// Where the bill goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing: Option<Box<Address>>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Box<Address>>,
    /// Where they may go, as far as the platform told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// The buyer's network address, as the platform saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// What else the platform tells about instrument and device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints: Option<Box<Hints>>,
}

/// Fields of a stored [`Person`] that are raw signals: kept while a payment may be looked into, and
/// not for as long as the order is.
const RAW_SIGNALS: [&str; 2] = ["ip", "hints"];

impl Person {
    /// By what the buyer is counted: see [`Email::mailbox`].
    pub fn mailbox(&self) -> Option<String> {
        self.buyer.as_ref()?.email.as_ref().map(Email::mailbox)
    }

    /// The stored person without raw signals. What a newer version wrote beside them stays.
    ///
    /// # Errors
    /// When it does not open.
    pub fn without_raw_signals(stored: &Sealed) -> Result<Sealed, Unsealable> {
        let mut person: serde_json::Map<String, Value> = stored.open_json()?;
        person.retain(|name, _| !RAW_SIGNALS.contains(&name.as_str()));
        Ok(Sealed::seal_json(&person))
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[person]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_values_never_print_themselves() {
        let email = Email::parse("ada@example.com").expect("well formed");
        let buyer =
            Buyer { first_name: Some("Ada".into()), email: Some(email), ..Buyer::default() };
        let street = Address { street_address: Some("1 Main St".into()), ..Address::default() };
        let ip = Some("192.0.2.7".into());
        let person = Person {
            buyer: Some(Box::new(buyer)),
            billing: Some(Box::new(street)),
            ip,
            ..Person::default()
        };
        // Each by itself: a type that holds another prints nothing of it.
        let email = person.buyer.as_ref().and_then(|buyer| buyer.email.as_ref());
        let shown = format!("{person:?} {:?} {:?} {email:?}", person.buyer, person.billing);
        for secret in ["Ada", "ada", "Main", "192"] {
            assert!(!shown.contains(secret), "{shown} tells {secret}");
        }
    }

    // breaks: `Email::mailbox` without `trim_end_matches`, without `split('+')`, or without `GMAIL`
    #[test]
    fn one_mailbox_is_one_buyer_however_it_is_spelt() {
        let mailbox = |raw: &str| Email::parse(raw).expect("well formed").mailbox();
        for (same, spelt) in [
            ("ada@example.com", "Ada@EXAMPLE.com"),
            ("ada@example.com", "ada@example.com."),
            ("ada@example.com", "ada+shop@example.com"),
            ("ada@example.com", "ADA+a+b@Example.Com."),
            ("ada@example.com", "\"ada\"@example.com"),
            ("adal@gmail.com", "a.d.a.l+1@googlemail.com"),
        ] {
            assert_eq!(mailbox(spelt), same, "{spelt}");
        }
        // Elsewhere a dot is a letter like any other, and who is named by nothing else keeps it.
        for other in ["a.da@example.com", "bob@example.com", "ada@example.org", "+@example.com"] {
            assert_eq!(mailbox(other), other);
        }
    }

    #[test]
    fn an_address_needs_both_sides_of_the_at() {
        for bad in ["", "ada", "@example.com", "ada@", "a da@example.com", "ada@exa\nmple.com"] {
            assert!(Email::parse(bad).is_err(), "{bad:?} was read");
        }
    }
}
