//! What a draft costs and what stands in its way: a pure function of the draft, the catalogue, the
//! tariff and the moment.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU32,
    sync::Arc,
};

use super::{
    answer::{Draft, DraftLine},
    session::{Line, Notice, NoticeCode, Session},
};
use crate::{
    base::{Currency, MoneyError, Sku, Timestamp},
    catalog::{Product, StockPolicy},
    ledger::Shortage,
    pricing::{self, Finding, FindingCode, Goods, Priced, Tariff, Totals},
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
    /// left out with a notice; the session's currency is the one asked for, else the first of those
    /// preferred that anything is sold in, else the first product's. In a currency that is not a
    /// product's own, it costs what the price list says.
    pub fn of(draft: &Draft, products: &Products) -> Self {
        let lines = Vec::with_capacity(draft.lines.len());
        let currency = draft.currency.or_else(|| Self::preferred(draft, products));
        let mut quote = Self { currency, lines, notices: Vec::new() };
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
        quote.limit(products);
        if draft.lines.is_empty() {
            quote.notice(NoticeCode::LinesMissing, None, "Add at least one item.".into());
        }
        let nobody = draft.person.buyer.as_ref().is_none_or(|buyer| buyer.email.is_none());
        if nobody && !draft.is_cart && !draft.demands.nameless {
            let text = "An e-mail address is needed for the confirmation.";
            quote.notice(NoticeCode::EmailMissing, None, text.into());
        }
        quote
    }

    /// The first of the currencies that would suit which anything of it is sold in.
    pub(super) fn preferred(draft: &Draft, products: &Products) -> Option<Currency> {
        let active = || products.values().filter(|product| product.active);
        let sold = |currency: &Currency| active().any(|one| one.price_in(*currency).is_some());
        draft.prefers.iter().copied().find(sold)
    }

    /// Names the lines as the session that is priced anew does: by their places in the request that
    /// put them there. What it said of lines that it has no more goes on being said.
    pub(super) fn go_on_from(&mut self, before: &Session) {
        let place = |at: usize| before.lines.get(at).map_or(at, |line| line.at);
        for line in &mut self.lines {
            line.at = place(line.at);
        }
        for notice in &mut self.notices {
            notice.line = notice.line.map(place);
        }
        let is_gone = |notice: &&Notice| {
            notice.line.is_some_and(|at| before.lines.iter().all(|line| line.at != at))
        };
        self.notices.extend(before.notices.iter().filter(is_gone).cloned());
    }

    fn add(&mut self, at: usize, wanted: &DraftLine, product: &Product) {
        let currency = *self.currency.get_or_insert(product.price.currency());
        let Some(unit_price) = product.price_in(currency) else {
            let text = format!("`{}` is not sold in {currency}.", product.sku);
            return self.notice(NoticeCode::CurrencyMismatch, Some(at), text);
        };
        self.lines.push(Line {
            id: wanted.id.clone().unwrap_or_else(|| format!("li_{}", at + 1)),
            sku: product.sku.clone(),
            title: product.title.clone(),
            quantity: wanted.quantity,
            unit_price,
            image_url: product.image_url.clone(),
            stock_policy: product.stock_policy,
            category: (product.tax_category != STANDARD).then(|| product.tax_category.clone()),
            group: product.group.clone(),
            product_categories: product.categories.clone(),
            at,
        });
    }

    /// Cuts the lines down to what one order may have of each product: the later lines of it give
    /// way to the earlier.
    fn limit(&mut self, products: &Products) {
        let mut left: HashMap<Sku, u32> = HashMap::new();
        let mut notices = Vec::new();
        self.lines.retain_mut(|line| {
            let most = products.get(&line.sku).and_then(|product| product.max_per_order);
            let Some(most) = most.map(NonZeroU32::get) else { return true };
            let left = left.entry(line.sku.clone()).or_insert(most);
            let given = line.quantity.min(*left);
            *left -= given;
            if given < line.quantity {
                let text = format!("An order has {most} of {} at most.", line.title);
                notices.push(Notice {
                    line: Some(line.at),
                    ..Notice::of(NoticeCode::OrderLimit, text)
                });
            }
            line.quantity = given;
            given > 0
        });
        self.notices.extend(notices);
    }

    /// Whether a line is not as it was asked for.
    pub fn is_cut(&self) -> bool {
        self.notices.iter().any(|notice| notice.line.is_some())
    }

    fn notice(&mut self, code: NoticeCode, line: Option<usize>, text: String) {
        self.notices.push(Notice { line, ..Notice::of(code, text) });
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

    /// Applies the tariff, and says what it found. `gone` are uses of discounts that there are none
    /// left of.
    ///
    /// # Errors
    /// When a sum leaves the range of 63 bits.
    pub fn price(
        &mut self,
        draft: &Draft,
        products: &Products,
        terms: &PriceTerms<'_>,
        gone: &[Sku],
    ) -> Result<(Totals, Option<Box<Priced>>), MoneyError> {
        let goods: Vec<_> = self.lines.iter().map(|line| goods(line, products)).collect();
        let shipping = draft.person.shipping.as_deref();
        let buyer = draft.person.buyer.as_ref().and_then(|buyer| buyer.email.as_ref());
        let price = pricing::price(
            terms.tariff,
            &pricing::Asking {
                currency: self.currency.unwrap_or_else(fallback),
                goods: &goods,
                codes: &draft.codes,
                wish: draft.delivery.as_ref(),
                must_choose: terms.must_choose,
                country: shipping
                    .and_then(|address| address.address_country.as_deref())
                    .or(draft.country.as_deref()),
                region: shipping.and_then(|address| address.address_region.as_deref()),
                buyer,
                gone,
                now: terms.now,
            },
        )?;
        self.notices.extend(price.findings.into_iter().map(notice_of));
        Ok((price.totals, price.priced))
    }
}

/// By what a draft is priced.
#[derive(Debug, Clone, Copy)]
pub struct PriceTerms<'a> {
    /// What the merchant set.
    pub tariff: &'a Tariff,
    /// Whether a checkout has to say how its goods come.
    pub must_choose: bool,
    /// The moment.
    pub now: Timestamp,
}

/// A line as the tariff sees it. The attributes `category` and `weight_grams` of a product are the
/// tariff's; a weight that is no whole number is none.
fn goods<'a>(line: &'a Line, products: &'a Products) -> Goods<'a> {
    let attributes = products.get(&line.sku).map(|product| &product.attributes);
    let attribute = |name| attributes.and_then(|all| all.get(name)).map(String::as_str);
    Goods {
        sku: &line.sku,
        category: attribute("category"),
        tax_category: line.category.as_deref().unwrap_or(STANDARD),
        unit_minor: line.unit_price.minor(),
        quantity: line.quantity,
        weight_grams: attribute("weight_grams").and_then(|grams| grams.parse().ok()).unwrap_or(0),
        ships: line.stock_policy != StockPolicy::Untracked,
    }
}

fn notice_of(finding: Finding) -> Notice {
    let code = match finding.code {
        FindingCode::Expired => NoticeCode::DiscountExpired,
        FindingCode::Invalid => NoticeCode::DiscountInvalid,
        FindingCode::Repeated => NoticeCode::DiscountRepeated,
        FindingCode::NotCombined => NoticeCode::DiscountNotCombined,
        FindingCode::BuyerUnknown => NoticeCode::DiscountNeedsBuyer,
        FindingCode::BuyerIneligible => NoticeCode::DiscountIneligible,
        FindingCode::DeliveryOpen => NoticeCode::DeliveryOpen,
        FindingCode::Undeliverable => NoticeCode::Undeliverable,
    };
    Notice { discount: finding.at, ..Notice::of(code, finding.text) }
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
            let text = format!("Only {given} of {} are left.", line.title);
            (NoticeCode::QuantityAdjusted, text)
        }
    };
    Notice { line: Some(line.at), ..Notice::of(code, text) }
}

/// Counted units per SKU, uses of discounts among them.
pub(super) fn units(session: &Session) -> Option<Vec<(Sku, u32)>> {
    units_of(&session.lines, session.uses())
}

/// Lines of one SKU are summed, and SKUs come sorted, so that two carts ask for theirs in one
/// order. `None` when a sum leaves 32 bits.
fn units_of(lines: &[Line], uses: &[Sku]) -> Option<Vec<(Sku, u32)>> {
    let mut units: BTreeMap<Sku, u32> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.stock_policy == StockPolicy::Tracked) {
        let sum = units.entry(line.sku.clone()).or_default();
        *sum = sum.checked_add(line.quantity)?;
    }
    units.extend(uses.iter().map(|uses| (uses.clone(), 1)));
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
            group: None,
            options: Vec::new(),
            description: None,
            categories: Vec::new(),
            max_per_order: None,
            archived_at: None,
            list_prices: Vec::new(),
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
        Draft { lines: lines.iter().map(line).collect(), person, ..Draft::default() }
    }

    #[test]
    fn what_cannot_be_sold_is_named_and_the_rest_is_priced() {
        let products = Products::from([product("TEE", 1990, "EUR"), product("SAKE", 900, "JPY")]);
        let draft = draft(&[("TEE", 2), ("no such", 1), ("SAKE", 1)]);
        let mut quote = Quote::of(&draft, &products);
        let codes: Vec<_> = quote.notices.iter().map(|n| (n.code, n.line)).collect();
        let expected =
            [(NoticeCode::ItemUnavailable, Some(1)), (NoticeCode::CurrencyMismatch, Some(2))];
        assert_eq!(codes, expected);
        let (tariff, now) = (Tariff::default(), Timestamp::from_micros(0));
        let terms = PriceTerms { tariff: &tariff, must_choose: true, now };
        let (totals, priced) = quote.price(&draft, &products, &terms, &[]).expect("small");
        assert_eq!((totals.total.minor(), priced), (3980, None));
    }

    #[test]
    fn what_a_list_prices_is_quoted_from_it_and_the_rest_is_named() {
        let dollars: Currency = "USD".parse().expect("a currency");
        let mut products =
            Products::from([product("TEE", 1990, "EUR"), product("CAP", 900, "EUR")]);
        let tee = products.get_mut(&Sku::parse("TEE").expect("well formed")).expect("there");
        Arc::get_mut(tee).expect("nobody else has it").list_prices =
            vec![Money::from_minor(2_150, dollars)];
        let wanted = draft(&[("TEE", 2), ("CAP", 1)]);
        let asked = Draft { currency: Some(dollars), ..wanted.clone() };
        let yen: Currency = "JPY".parse().expect("a currency");
        let hinted = Draft { prefers: vec![yen, dollars], ..wanted.clone() };
        for draft in [&asked, &hinted] {
            let quote = Quote::of(draft, &products);
            assert_eq!(quote.currency, Some(dollars));
            assert_eq!(quote.lines[0].unit_price, Money::from_minor(2_150, dollars));
            let named: Vec<_> = quote.notices.iter().map(|n| (n.code, n.line)).collect();
            assert_eq!(named, [(NoticeCode::CurrencyMismatch, Some(1))]);
        }
        // A hint at a currency that nothing is sold in is none; asked for, it is refused.
        let quote = Quote::of(&Draft { prefers: vec![yen], ..wanted.clone() }, &products);
        assert_eq!((quote.lines.len(), quote.lines[0].unit_price.minor()), (2, 1990));
        let quote = Quote::of(&Draft { currency: Some(yen), ..wanted }, &products);
        assert_eq!((quote.lines.len(), quote.notices.len()), (0, 2));
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
            let units = units_of(&quote.lines, &[]).expect("small");
            let left: u32 = units.iter().map(|(_, n)| n).sum();
            prop_assert_eq!(left, sum.min(available));
        }
    }
}
