//! What a rule may know of one order: each value worked out when the first rule asks for it, and
//! kept for the others.

use sha2::{Digest, Sha256};
use std::{cell::OnceCell, collections::HashMap, fmt::Write};

use super::vocabulary::Variable;
use crate::{
    base::{Currency, Money, Timestamp},
    fraud::{
        assessment::Assessment,
        features::{Layout, MISSING},
        model::Score,
        rates::{self, expected_loss, in_main_units},
        signals::Signals,
    },
};

/// Bytes of an address's hash that are shown: enough that no two of a shop's meet.
const ADDRESS_HASH_BYTES: usize = 8;

/// Where each feature stands in a row of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureNames(HashMap<Box<str>, usize>);

impl FeatureNames {
    /// The places of this layout's features.
    pub fn of(layout: &Layout) -> Self {
        Self::new(layout.names())
    }

    /// Features in the order of their values.
    pub fn new(names: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self(names.into_iter().enumerate().map(|(place, name)| (name.into(), place)).collect())
    }

    /// The names, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// The place of a feature.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// Whether there is such a feature.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Features of one order.
#[derive(Debug, Clone, Copy)]
pub struct Features<'a> {
    /// Where each stands.
    pub names: &'a FeatureNames,
    /// Their values; [`MISSING`] for one that is not known.
    pub values: &'a [f32],
}

impl Features<'_> {
    fn get(self, name: &str) -> Option<f64> {
        let value = *self.values.get(*self.names.0.get(name)?)?;
        // An exact comparison: no known value is this one.
        (value != MISSING).then_some(f64::from(value))
    }
}

/// What a model says, as far as it decides.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct InForce {
    /// The score, 0–1000.
    pub score: Option<u16>,
    /// The probability of fraud.
    pub probability: Option<f64>,
    /// Probability × amount, in minor units of the policy's currency.
    pub expected_loss_minor: Option<i64>,
}

impl InForce {
    /// What a model said of an order that costs so much.
    pub fn of(score: Option<Score>, minor: Option<i64>) -> Self {
        let Some(Score { points, probability, .. }) = score else { return Self::default() };
        Self {
            score: Some(points),
            probability: Some(probability),
            expected_loss_minor: minor.map(|minor| expected_loss(probability, minor)),
        }
    }

    /// What was recorded of an order.
    pub fn recorded(assessment: &Assessment) -> Self {
        let Assessment { score_in_shadow: true, .. } = assessment else {
            return Self {
                score: assessment.score,
                probability: assessment.probability,
                expected_loss_minor: assessment.expected_loss_minor,
            };
        };
        Self::default()
    }
}

/// Amounts of an order in main units of the policy's currency; none without a rate.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Worth {
    /// What it costs in all.
    pub amount: Option<f64>,
    /// What discounts took off.
    pub discount: Option<f64>,
    /// What a unit of the dearest item costs.
    pub unit_price: Option<f64>,
    /// How many of its minor units a main unit has.
    pub minor_per_main: f64,
}

impl Worth {
    /// What an order is worth in a currency at its moment.
    pub fn of(signals: &Signals, currency: Currency) -> Self {
        let own = |minor| Money::from_minor(minor, signals.amount.currency());
        let discount = own(signals.discounts.minor);
        let unit_price = own(signals.goods.dearest_minor);
        let main = |money| rates::current().main_units(money, currency, signals.at);
        let minor_per_main = 10_f64.powi(i32::try_from(currency.decimals()).unwrap_or(0));
        Self {
            amount: main(signals.amount),
            discount: main(discount),
            unit_price: main(unit_price),
            minor_per_main,
        }
    }
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What is known of the checkout.
    pub signals: &'a Signals,
    /// What the model says; nothing while no model scores, or its score only watches.
    pub scored: InForce,
    /// What it costs.
    pub worth: Worth,
    /// The features; none while they are not to be had.
    pub features: Option<Features<'a>>,
    /// When it is judged.
    pub now: Timestamp,
}

impl<'a> Subject<'a> {
    /// An order without a score or features, its amounts as they are.
    pub fn plain(signals: &'a Signals) -> Self {
        let worth = Worth::of(signals, signals.amount.currency());
        Self { signals, scored: InForce::default(), worth, features: None, now: signals.at }
    }
}

/// A value of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(&'a str),
    Texts(&'a [String]),
}

/// A value that is borrowed from the subject, or was made from it.
enum Held<'a> {
    Plain(Value<'a>),
    Made(String),
}

impl Held<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Plain(value) => *value,
            Self::Made(text) => Value::Text(text),
        }
    }
}

const VARIABLES: usize = Variable::ALL.len();

/// The values of one subject.
pub(super) struct Facts<'a> {
    subject: &'a Subject<'a>,
    held: [OnceCell<Option<Held<'a>>>; VARIABLES],
}

impl<'a> Facts<'a> {
    pub(super) fn new(subject: &'a Subject<'a>) -> Self {
        Self { subject, held: [const { OnceCell::new() }; VARIABLES] }
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.subject.now
    }

    pub(super) fn feature(&self, name: &str) -> Option<f64> {
        self.subject.features?.get(name)
    }

    pub(super) fn get(&self, variable: Variable) -> Option<Value<'_>> {
        let held = self.held[variable as usize].get_or_init(|| look_up(self.subject, variable));
        held.as_ref().map(Held::value)
    }
}

fn look_up<'a>(subject: &Subject<'a>, variable: Variable) -> Option<Held<'a>> {
    let signals = subject.signals;
    let hints = signals.hints();
    let made = |text: Option<String>| text.map(Held::Made);
    let plain = match variable {
        Variable::Score => int(subject.scored.score),
        Variable::Probability => subject.scored.probability.map(Value::Double),
        Variable::ExpectedLoss => loss_in_main_units(subject),
        Variable::Amount => subject.worth.amount.map(Value::Double),
        Variable::Total => Some(Value::Double(in_main_units(signals.amount))),
        Variable::Currency => Some(Value::Text(signals.amount.currency().code())),
        Variable::Lines => int(Some(signals.goods.lines)),
        Variable::Units => int(Some(signals.goods.units)),
        Variable::Categories => Some(Value::Texts(&signals.goods.categories)),
        Variable::Skus => Some(Value::Texts(&signals.goods.skus)),
        Variable::ProductGroups => Some(Value::Texts(&signals.goods.groups)),
        Variable::ProductCategories => Some(Value::Texts(&signals.goods.product_categories)),
        Variable::UnitPrice => subject.worth.unit_price.map(Value::Double),
        Variable::GiftCard => Some(Value::Bool(signals.goods.gift_card)),
        Variable::Digital => Some(Value::Bool(signals.goods.digital)),
        Variable::Discount => Some(Value::Bool(signals.discounts.count > 0)),
        Variable::DiscountAmount => subject.worth.discount.map(Value::Double),
        Variable::DiscountShare => Some(Value::Double(signals.discount_share())),
        Variable::DiscountCodes => int(Some(signals.discounts.codes)),
        Variable::CodesTried => int(Some(signals.discounts.tried)),
        Variable::Email => return made(signals.email()),
        Variable::EmailDomain => return made(signals.email_domain()),
        Variable::EmailDigits => int(signals.email_digits()),
        Variable::Phone => {
            let buyer = signals.person.buyer.as_ref();
            text(buyer.and_then(|buyer| buyer.phone_number.as_ref()))
        }
        Variable::Ip => return made(signals.ip().map(|ip| ip.to_string())),
        Variable::IpPrefix => return made(signals.ip_prefix()),
        Variable::IpCountry => text(hints.ip_country.as_ref()),
        Variable::IpAsn => int(hints.ip_asn),
        Variable::Device => text(hints.device_id.as_ref()),
        Variable::UserAgent => text(hints.user_agent.as_ref()),
        Variable::Language => text(hints.language.as_ref()),
        Variable::Card => text(hints.card_fingerprint.as_ref()),
        Variable::Bin => text(hints.card_bin.as_ref()),
        Variable::Brand => text(signals.brand.as_ref()),
        Variable::Funding => text(hints.card_funding.as_ref()),
        Variable::CardCountry => text(hints.card_country.as_ref()),
        Variable::Wallet => hints.wallet.map(Value::Bool),
        Variable::BillingCountry => return made(signals.billing_country()),
        Variable::ShippingCountry => return made(signals.shipping_country()),
        Variable::BillingDiffers => signals.billing_differs().map(Value::Bool),
        Variable::Address => return made(signals.address().as_deref().map(address_hash)),
        Variable::Building => return made(signals.building().as_deref().map(address_hash)),
        Variable::Customer => text(hints.customer_id.as_ref()),
        Variable::AccountDays => int(signals.account_days()),
        Variable::SessionSeconds => int(signals.session_seconds()),
        Variable::LocalHour => int(signals.local_hour()),
        Variable::Declines => int(Some(signals.declines)),
        Variable::Storefront => Some(Value::Text(&signals.storefront)),
        Variable::Agent => hints.agent.map(Value::Bool),
        Variable::Avs => signals.verification.address_matches.map(Value::Bool),
        Variable::Cvc => signals.verification.code_matches.map(Value::Bool),
        Variable::ThreeDs => signals.verification.authenticated.map(Value::Bool),
    };
    plain.map(Held::Plain)
}

fn int<'a>(number: Option<impl Into<i64>>) -> Option<Value<'a>> {
    number.map(|number| Value::Int(number.into()))
}

fn text(text: Option<&String>) -> Option<Value<'_>> {
    text.map(|text| Value::Text(text))
}

fn loss_in_main_units<'a>(subject: &Subject<'_>) -> Option<Value<'a>> {
    #[expect(clippy::cast_precision_loss, reason = "amounts of shops stay below 2⁵³")]
    let minor = subject.scored.expected_loss_minor? as f64;
    Some(Value::Double(minor / subject.worth.minor_per_main))
}

/// How an address is shown and listed: it says nothing about where it is.
pub fn address_hash(address: &str) -> String {
    let hash = Sha256::digest(address);
    let mut text = String::with_capacity(2 * ADDRESS_HASH_BYTES);
    for byte in &hash[..ADDRESS_HASH_BYTES] {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: ask in `Features::get` for values above `MISSING`
    #[test]
    fn a_feature_below_zero_is_known_and_a_missing_one_is_not() {
        let names = FeatureNames::new(["balance", "days"]);
        let features = Features { names: &names, values: &[-2.5, MISSING] };
        assert_eq!((features.get("balance"), features.get("days")), (Some(-2.5), None));
    }
}
