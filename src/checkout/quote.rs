//! What a draft costs and what stands in its way: a pure function of the draft and the catalogue.

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::{Draft, DraftLine},
    session::{Line, Notice, NoticeCode},
};
use crate::{
    base::{Currency, MoneyError, Sku},
    catalog::{Product, StockPolicy},
    ledger::Shortage,
    pricing::Totals,
};

/// The tax category most goods have.
const STANDARD: &str = "standard";

/// The products a draft names, as the catalogue has them.
pub type Products = HashMap<Sku, Arc<Product>>;

/// A draft with prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The currency of everything.
    pub currency: Option<Currency>,
    /// What can be sold.
    pub lines: Vec<Line>,
    /// What stands in the way.
    pub notices: Vec<Notice>,
}

impl Quote {
    /// Prices a draft. A line that names no product for sale, or one priced in another currency, is
    /// left out with a notice; the session's currency is the one asked for, else the first
    /// product's.
    pub fn of(draft: &Draft, products: &Products) -> Self {
        let lines = Vec::with_capacity(draft.lines.len());
        let mut quote = Self { currency: draft.currency, lines, notices: Vec::new() };
        for (at, wanted) in draft.lines.iter().enumerate() {
            let product = Sku::parse(&wanted.item).ok().and_then(|sku| products.get(&sku));
            match product.filter(|product| product.active) {
                None => {
                    let text = format!("There is no item `{}` for sale.", wanted.item);
                    quote.notice(NoticeCode::ItemUnavailable, Some(at), text);
                }
                Some(product) => quote.add(at, wanted, product),
            }
        }
        if draft.lines.is_empty() {
            quote.notice(NoticeCode::LinesMissing, None, "Add at least one item.".into());
        }
        if draft.person.buyer.as_ref().is_none_or(|buyer| buyer.email.is_none()) {
            let text = "An e-mail address is needed for the confirmation.";
            quote.notice(NoticeCode::EmailMissing, None, text.into());
        }
        quote
    }

    fn add(&mut self, at: usize, wanted: &DraftLine, product: &Product) {
        let currency = *self.currency.get_or_insert(product.price.currency());
        if product.price.currency() != currency {
            let text = format!("`{}` is not sold in {currency}.", product.sku);
            return self.notice(NoticeCode::CurrencyMismatch, Some(at), text);
        }
        self.lines.push(Line {
            id: wanted.id.clone().unwrap_or_else(|| format!("li_{}", at + 1)),
            sku: product.sku.clone(),
            title: product.title.clone(),
            quantity: wanted.quantity,
            unit_price: product.price,
            image_url: product.image_url.clone(),
            stock_policy: product.stock_policy,
            category: (product.tax_category != STANDARD).then(|| product.tax_category.clone()),
            at,
        });
    }

    fn notice(&mut self, code: NoticeCode, line: Option<usize>, text: String) {
        self.notices.push(Notice { code, line, text });
    }

    /// Cuts the lines down to what there is: the later lines of a SKU give way to the earlier.
    pub fn cut(&mut self, shortages: &[Shortage]) {
        for short in shortages {
            let mut left = short.available;
            let mut notices = Vec::new();
            self.lines.retain_mut(|line| {
                if line.sku != short.sku {
                    return true;
                }
                let given = line.quantity.min(left);
                left -= given;
                if given < line.quantity {
                    notices.push(shortage_notice(line, given));
                }
                line.quantity = given;
                given > 0
            });
            self.notices.extend(notices);
        }
    }

    /// What the lines cost.
    ///
    /// # Errors
    /// When the sum leaves the range of 63 bits.
    pub fn totals(&self) -> Result<Totals, MoneyError> {
        totals(self.currency.unwrap_or_else(fallback), &self.lines)
    }
}

/// What these lines cost.
///
/// # Errors
/// When the sum leaves the range of 63 bits.
pub fn totals(currency: Currency, lines: &[Line]) -> Result<Totals, MoneyError> {
    Totals::of(currency, lines.iter().map(|line| (line.unit_price, line.quantity)))
}

/// The currency of a session without any product: its totals are zero in whichever.
pub fn fallback() -> Currency {
    "EUR".parse().expect("EUR stands in the standard")
}

/// The sentence for a line there is too little of.
pub fn shortage_notice(line: &Line, given: u32) -> Notice {
    let (code, text) = match given {
        0 => (NoticeCode::OutOfStock, format!("{} is sold out.", line.title)),
        _ => {
            let text = format!("Only {given} of {} are left; the line was adjusted.", line.title);
            (NoticeCode::QuantityAdjusted, text)
        }
    };
    Notice { code, line: Some(line.at), text }
}

/// Counted units per SKU: lines of one SKU are summed, and SKUs come sorted, so that two carts ask
/// for theirs in one order. `None` when a sum leaves 32 bits.
pub fn units(lines: &[Line]) -> Option<Vec<(Sku, u32)>> {
    let mut units: std::collections::BTreeMap<Sku, u32> = std::collections::BTreeMap::new();
    for line in lines.iter().filter(|line| line.stock_policy == StockPolicy::Tracked) {
        let sum = units.entry(line.sku.clone()).or_default();
        *sum = sum.checked_add(line.quantity)?;
    }
    Some(units.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Buyer, Email, Money, Person, Timestamp};
    use proptest::prelude::*;

    fn product(sku: &str, minor: i64, currency: &str) -> (Sku, Arc<Product>) {
        let sku = Sku::parse(sku).expect("well formed");
        let product = Product {
            sku: sku.clone(),
            title: sku.to_string(),
            price: Money::from_minor(minor, currency.parse().expect("a currency")),
            tax_category: "standard".into(),
            image_url: None,
            attributes: Default::default(),
            stock_policy: StockPolicy::Tracked,
            active: true,
            updated_at: Timestamp::from_micros(0),
        };
        (sku, Arc::new(product))
    }

    fn draft(lines: &[(&str, u32)]) -> Draft {
        let line = |(item, quantity): &(&str, u32)| DraftLine {
            id: None,
            item: (*item).to_owned(),
            quantity: *quantity,
        };
        let email = Email::parse("ada@example.com").ok();
        let buyer = Some(Box::new(Buyer { email, ..Buyer::default() }));
        let person = Person { buyer, ..Person::default() };
        Draft { currency: None, lines: lines.iter().map(line).collect(), person }
    }

    #[test]
    fn what_cannot_be_sold_is_named_and_the_rest_is_priced() {
        let products = Products::from([product("TEE", 1990, "EUR"), product("SAKE", 900, "JPY")]);
        let quote = Quote::of(&draft(&[("TEE", 2), ("no such", 1), ("SAKE", 1)]), &products);
        let codes: Vec<_> = quote.notices.iter().map(|n| (n.code, n.line)).collect();
        let expected =
            [(NoticeCode::ItemUnavailable, Some(1)), (NoticeCode::CurrencyMismatch, Some(2))];
        assert_eq!(codes, expected);
        assert_eq!(quote.totals().map(|totals| totals.total.minor()), Ok(3980));
    }

    #[test]
    fn a_shortage_cuts_the_later_lines_of_a_sku() {
        let products = Products::from([product("TEE", 1990, "EUR")]);
        let mut quote = Quote::of(&draft(&[("TEE", 2), ("TEE", 2), ("TEE", 1)]), &products);
        let sku = Sku::parse("TEE").expect("well formed");
        quote.cut(&[Shortage { sku, wanted: 5, available: 3 }]);
        assert_eq!(quote.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [2, 1]);
        let codes: Vec<_> = quote.notices.iter().map(|n| (n.code, n.line)).collect();
        let expected = [(NoticeCode::QuantityAdjusted, Some(1)), (NoticeCode::OutOfStock, Some(2))];
        assert_eq!(codes, expected);
    }

    proptest! {
        #[test]
        fn a_cut_leaves_exactly_what_there_is(
            wanted in prop::collection::vec(1_u32..9, 1..6),
            available in 0_u32..30,
        ) {
            let products = Products::from([product("TEE", 1990, "EUR")]);
            let lines: Vec<_> = wanted.iter().map(|quantity| ("TEE", *quantity)).collect();
            let mut quote = Quote::of(&draft(&lines), &products);
            let sku = Sku::parse("TEE").expect("well formed");
            let sum: u32 = wanted.iter().sum();
            quote.cut(&[Shortage { sku, wanted: sum, available }]);
            let left: u32 = units(&quote.lines).expect("small").iter().map(|(_, n)| n).sum();
            prop_assert_eq!(left, sum.min(available));
        }
    }
}
