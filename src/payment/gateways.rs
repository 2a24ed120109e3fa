//! The configured gateways: which one a payment goes to, and which one it went to.

use std::sync::Arc;

use super::{Gateway, GatewayFault};
use crate::base::Currency;

/// What a gateway is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choosing<'a> {
    /// The currency of the payment.
    pub currency: Currency,
    /// The buyer's country (ISO 3166-1 alpha-2), where it is known.
    pub country: Option<&'a str>,
    /// The payment handler the instrument belongs to.
    pub handler: &'a str,
    /// The kind of instrument (`card`, …).
    pub kind: &'a str,
}

/// What a gateway takes. An empty list takes everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takes {
    /// These currencies.
    pub currencies: Vec<Currency>,
    /// Buyers in these countries (ISO 3166-1 alpha-2, in capitals).
    pub countries: Vec<String>,
    /// Instruments of these handlers or kinds.
    pub instruments: Vec<String>,
}

impl Takes {
    fn takes(&self, asked: Choosing<'_>) -> bool {
        let country = asked.country.unwrap_or_default();
        let of_country = |known: &String| known.eq_ignore_ascii_case(country);
        let of_kind = |known: &String| known == asked.handler || known == asked.kind;
        (self.currencies.is_empty() || self.currencies.contains(&asked.currency))
            && (self.countries.is_empty() || self.countries.iter().any(of_country))
            && (self.instruments.is_empty() || self.instruments.iter().any(of_kind))
    }
}

/// The gateways, in the order in which they are asked.
#[derive(Clone)]
pub struct Gateways(Vec<(Arc<dyn Gateway>, Takes)>);

impl Gateways {
    /// These, in this order. Each name stands once: configuration is checked for it.
    pub const fn new(gateways: Vec<(Arc<dyn Gateway>, Takes)>) -> Self {
        Self(gateways)
    }

    /// One that takes everything.
    pub fn only(gateway: Arc<dyn Gateway>) -> Self {
        Self(vec![(gateway, Takes::default())])
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Gateway>> {
        self.0.iter().map(|(gateway, _)| gateway)
    }

    /// Those that take this payment, the first choice first. The next one is asked only where the
    /// one before is known not to have acted.
    pub fn choose(&self, asked: Choosing<'_>) -> Vec<Arc<dyn Gateway>> {
        let taking = self.0.iter().filter(|(_, takes)| takes.takes(asked));
        taking.map(|(gateway, _)| gateway.clone()).collect()
    }

    /// The one of this name, or why nothing can be asked of it. Whether it has acted before, nobody
    /// knows.
    ///
    /// # Errors
    /// When it is not configured any more.
    pub fn required(&self, name: &str) -> Result<&Arc<dyn Gateway>, GatewayFault> {
        self.named(name).ok_or_else(|| {
            GatewayFault::Unknown(format!(
                "the gateway `{name}` is not configured any more; configure it again until its \
                 payments are settled"
            ))
        })
    }

    /// The one of this name: where an attempt went to, everything about it goes.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Gateway>> {
        self.all().find(|gateway| gateway.name() == name)
    }
}
