//! The columns of a live checkout, by the names that exports and `simulate` give them: one schema
//! means the same in a file and in serving.

use std::borrow::Cow;

use super::{
    event::{Event, Key},
    features::Layout,
    rates,
    schema::Schema,
    signals::Signals,
};
use crate::base::Currency;

/// The columns there are. A schema that names others finds them missing when it serves.
pub const COLUMNS: &[&str] = &[
    "cart",
    "customer",
    "email",
    "email_domain",
    "email_digits",
    "card",
    "card_bin",
    "card_brand",
    "card_funding",
    "card_country",
    "wallet",
    "ip",
    "ip_prefix",
    "ip_country",
    "ip_asn",
    "device",
    "address",
    "billing_country",
    "shipping_country",
    "billing_differs",
    "lines",
    "units",
    "gift_card",
    "digital",
    "discount",
    "account_days",
    "session_seconds",
    "local_hour",
    "agent",
    "declines",
    "storefront",
];

impl Signals {
    /// A column as a file would have it; nothing where it would be empty.
    pub fn column(&self, name: &str) -> Option<Cow<'_, str>> {
        fn own<'a>(text: Option<String>) -> Option<Cow<'a, str>> {
            text.map(Cow::Owned)
        }
        fn lent(text: &Option<String>) -> Option<Cow<'_, str>> {
            text.as_deref().map(Cow::Borrowed)
        }
        let hints = self.hints();
        let text = match name {
            "cart" => own(Some(self.cart.to_string())),
            "customer" => lent(&hints.customer_id),
            // As an entity that is counted it is the mailbox, however it is spelt.
            "email" => own(self.person.mailbox()),
            "email_domain" => own(self.email_domain()),
            "card" => lent(&hints.card_fingerprint),
            "card_bin" => lent(&hints.card_bin),
            "card_brand" => lent(&self.brand),
            "card_funding" => lent(&hints.card_funding),
            "card_country" => own(hints.card_country.as_ref().map(|text| text.to_uppercase())),
            "ip" => own(self.ip().map(|ip| ip.to_string())),
            "ip_prefix" => own(self.ip_prefix()),
            "ip_country" => own(hints.ip_country.as_ref().map(|text| text.to_uppercase())),
            "device" => lent(&hints.device_id),
            "address" => own(self.address()),
            "billing_country" => own(self.billing_country()),
            "shipping_country" => own(self.shipping_country()),
            "storefront" => Some(Cow::Borrowed(self.storefront.as_str())),
            _ => own(self.number(name).map(|number| number.to_string())),
        };
        text.filter(|text| !text.is_empty())
    }

    /// A column as a number.
    pub fn number(&self, name: &str) -> Option<f32> {
        let bit = |yes: bool| f32::from(u8::from(yes));
        let hints = self.hints();
        match name {
            "email_digits" => self.email_digits().map(|count| count as f32),
            "wallet" => hints.wallet.map(bit),
            "ip_asn" => hints.ip_asn.map(|number| number as f32),
            "billing_differs" => self.billing_differs().map(bit),
            "lines" => Some(self.goods.lines as f32),
            "units" => Some(self.goods.units as f32),
            "gift_card" => Some(bit(self.goods.gift_card)),
            "digital" => Some(bit(self.goods.digital)),
            "discount" => Some(bit(self.discounts.count > 0)),
            "account_days" => self.account_days().map(|days| days as f32),
            "session_seconds" => self.session_seconds().map(|seconds| seconds as f32),
            "local_hour" => self.local_hour().map(f32::from),
            "agent" => hints.agent.map(bit),
            "declines" => Some(self.declines as f32),
            _ => None,
        }
    }
}

/// Reads events off live checkouts as a schema reads them off a file.
#[derive(Debug, Clone)]
pub struct Reader {
    currency: Option<Currency>,
    entities: Vec<Vec<String>>,
    numbers: Vec<Fact>,
    attempt: Vec<String>,
}

#[derive(Debug, Clone)]
enum Fact {
    Number(String),
    Flag(String),
    Among(String, Vec<String>),
    Differ(String, String),
}

impl Reader {
    /// A reader for a schema.
    pub fn of(schema: &Schema) -> Self {
        let numbers = schema.numbers.iter().map(|number| {
            Fact::Number(number.column.clone().unwrap_or_else(|| number.name.clone()))
        });
        let flags = schema.flags.iter().map(|flag| match &flag.differ[..] {
            [one, other] => Fact::Differ(one.clone(), other.clone()),
            _ => {
                let column = flag.column.clone().unwrap_or_else(|| flag.name.clone());
                match flag.is.is_empty() {
                    true => Fact::Flag(column),
                    false => Fact::Among(column, flag.is.clone()),
                }
            }
        });
        Self {
            currency: schema.currency,
            entities: schema.entities.iter().map(|entity| entity.columns.clone()).collect(),
            numbers: numbers.chain(flags).collect(),
            attempt: schema.columns.attempt.clone(),
        }
    }

    /// The same with the keys of these kinds.
    #[must_use]
    pub fn remembering(self, layout: &Layout) -> Self {
        let entities = layout.entities.iter().map(|kind| kind.columns.clone()).collect();
        Self { entities, ..self }
    }

    /// Columns the schema reads that no live checkout has.
    pub fn unknown(&self) -> Vec<&str> {
        let named = self.entities.iter().flatten().chain(&self.attempt);
        let facts = self.numbers.iter().flat_map(|fact| match fact {
            Fact::Number(name) | Fact::Flag(name) | Fact::Among(name, _) => vec![name],
            Fact::Differ(one, other) => vec![one, other],
        });
        let unknown = |name: &&str| !COLUMNS.contains(name);
        named.chain(facts).map(String::as_str).filter(unknown).collect()
    }

    /// The currency that an amount is in; that of the order where the schema names none.
    pub const fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// The event of a checkout, with its amount in the schema's currency by the
    /// [rates](rates::current) of the day.
    pub fn event(&self, signals: &Signals) -> Event {
        let key = |columns: &Vec<String>| {
            let values: Option<Vec<_>> =
                columns.iter().map(|column| signals.column(column)).collect();
            values.and_then(|values| Key::of(values.iter().map(|value| value.as_bytes())))
        };
        let bit = |yes: Option<bool>| yes.map_or(f32::NAN, |yes| f32::from(u8::from(yes)));
        let number = |fact: &Fact| match fact {
            Fact::Number(name) | Fact::Flag(name) => signals.number(name).unwrap_or(f32::NAN),
            Fact::Among(name, yes) => {
                let value = signals.column(name);
                bit(value.map(|value| yes.iter().any(|yes| **yes == *value)))
            }
            Fact::Differ(one, other) => {
                let pair = signals.column(one).zip(signals.column(other));
                bit(pair.map(|(one, other)| one != other))
            }
        };
        Event {
            at: signals.at,
            amount: self.hundredths(signals),
            keys: self.entities.iter().map(key).collect(),
            numbers: self.numbers.iter().map(number).collect(),
            attempt: (!self.attempt.is_empty()).then(|| key(&self.attempt)).flatten(),
            failed: false,
        }
    }
}

impl Reader {
    /// The amount in hundredths of the main unit, whatever the currency counts in. None without a
    /// rate.
    fn hundredths(&self, signals: &Signals) -> Option<i64> {
        let amount = signals.amount;
        let currency = self.currency.unwrap_or(amount.currency());
        let minor = rates::current().minor(amount, currency, signals.at)?;
        match currency.decimals() {
            decimals @ 0..2 => minor.checked_mul(10_i64.pow(2 - decimals)),
            decimals => Some(minor / 10_i64.checked_pow(decimals - 2)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Address, Buyer, Email, Hints, Money},
        fraud::{schema::read::read_rows, signals::tests::bare, simulate::order::HEADER},
    };

    /// The bundled model's schema.
    fn schema() -> Schema {
        Schema::parse(include_str!("../../models/fraud/2/schema")).expect("a schema")
    }

    #[test]
    fn a_live_checkout_reads_as_its_row_in_a_file() {
        let schema = schema();
        let mut signals = bare();
        signals.person.ip = Some("192.0.2.7".into());
        let address_country = Some("DE".into());
        let home = Address { address_country, ..Address::default() };
        signals.person.billing = Some(Box::new(home));
        let email = Email::parse("Ada7@Example.com").expect("an address");
        signals.person.buyer = Some(Box::new(Buyer { email: Some(email), ..Buyer::default() }));
        signals.person.hints = Some(Box::new(Hints {
            card_fingerprint: Some("c1".into()),
            card_bin: Some("400001".into()),
            card_country: Some("fr".into()),
            ip_country: Some("DE".into()),
            device_id: Some("d1".into()),
            wallet: Some(false),
            agent: Some(true),
            ..Hints::default()
        }));
        let live = Reader::of(&schema).event(&signals);
        let cells = |name: &str| match name.trim() {
            "placed_at" => signals.at.to_string(),
            "amount" => "49.90".to_owned(),
            name => signals.column(name).map(Cow::into_owned).unwrap_or_default(),
        };
        let row: Vec<String> = HEADER.split(',').map(cells).collect();
        let file = format!("{}\n{}\n", HEADER, row.join(","));
        let read = read_rows(&schema, None, file.as_bytes()).expect("it reads");
        let bits = |event: &Event| event.numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
        assert_eq!(live.keys, read[0].event.keys);
        assert_eq!(bits(&live), bits(&read[0].event));
        assert_eq!((live.amount, live.attempt), (read[0].event.amount, read[0].event.attempt));
        let flags = live.numbers.len() - 3;
        assert_eq!(live.numbers[flags..], [0.0, 1.0, 0.0], "abroad: the card alone");
        assert!(live.attempt.is_some() && live.keys.iter().flatten().count() >= 6);
    }

    // breaks: leave the schema's currency out of `Reader::hundredths`
    #[test]
    fn an_amount_is_read_in_the_currency_of_the_schema() {
        let mut signals = bare();
        signals.amount = Money::from_minor(2_000, "JPY".parse().expect("a currency"));
        let euros = Reader::of(&schema()).event(&signals).amount.expect("a rate");
        assert!((800..2_000).contains(&euros), "2,000 yen are {euros} cents");
        let own = Reader::of(&Schema { currency: None, ..schema() });
        assert_eq!(own.event(&signals).amount, Some(200_000), "hundredths of a yen");
    }

    #[test]
    fn the_bundled_schema_reads_nothing_a_checkout_does_not_have() {
        assert_eq!(Reader::of(&schema()).unknown(), Vec::<&str>::new());
    }
}
