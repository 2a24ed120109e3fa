//! The one place where a tariff is applied.

use std::collections::BTreeMap;

use super::{
    asking::{Asking, Finding, FindingCode, Goods, Price},
    discount::{Benefit, Discount, Part},
    priced::{Allotment, Applied, DeliveryOption, Fulfillment, Method, Priced, Target, Tax, Wish},
    share,
    shipping::{self, Parcel},
    tariff::{Area, Tariff},
    tax::{self, SHIPPING, TaxRate},
    totals::Totals,
};
use crate::base::{Money, MoneyError, Sku};

/// Applies a tariff.
///
/// # Errors
/// When a sum leaves the range of 63 bits.
pub fn price(tariff: &Tariff, asking: &Asking<'_>) -> Result<Price, MoneyError> {
    let line =
        |goods: &Goods<'_>| (Money::from_minor(goods.unit_minor, asking.currency), goods.quantity);
    let totals = Totals::of(asking.currency, asking.goods.iter().map(line))?;
    if tariff.is_empty() && asking.codes.is_empty() {
        return Ok(Price { totals, priced: None, findings: Vec::new() });
    }
    let mut work = Work::new(tariff, asking, totals);
    work.refuse_codes();
    work.discount();
    work.deliver();
    work.free_shipping();
    work.tax();
    work.done()
}

struct Work<'a> {
    tariff: &'a Tariff,
    asking: &'a Asking<'a>,
    totals: Totals,
    parts: Vec<Part<'a>>,
    /// The codes that stand for a discount that may count.
    codes: Vec<Option<&'a Discount>>,
    shipping_left: i64,
    priced: Priced,
    findings: Vec<Finding>,
}

impl<'a> Work<'a> {
    fn new(tariff: &'a Tariff, asking: &'a Asking<'a>, totals: Totals) -> Self {
        // The subtotal was added up from these without overflow.
        let part = |goods: &Goods<'a>| Part {
            sku: goods.sku,
            category: goods.category,
            quantity: goods.quantity,
            left: goods.unit_minor.saturating_mul(i64::from(goods.quantity)),
        };
        let parts = asking.goods.iter().map(part).collect();
        let priced = Priced { codes: asking.codes.to_vec(), ..Priced::default() };
        let (codes, findings) = (Vec::new(), Vec::new());
        Self { tariff, asking, totals, parts, codes, shipping_left: 0, priced, findings }
    }

    fn find(&mut self, code: FindingCode, at: Option<usize>, text: String) {
        self.findings.push(Finding { code, at, text });
    }

    /// Looks up each code, and says what is wrong with those that cannot count.
    fn refuse_codes(&mut self) {
        for (at, typed) in self.asking.codes.iter().enumerate() {
            let known = self.tariff.discounts.iter().find(|discount| discount.is_code(typed));
            let earlier = &self.asking.codes[..at];
            let refused = if earlier.iter().any(|other| other.eq_ignore_ascii_case(typed)) {
                let text = format!("The code `{typed}` stands here twice; it counts once.");
                Some((FindingCode::Repeated, text))
            } else {
                match known.filter(|discount| discount.active) {
                    None => Some((
                        FindingCode::Invalid,
                        format!("There is no discount code `{typed}`."),
                    )),
                    Some(discount) => self.cannot_count(discount),
                }
            };
            self.codes.push(if refused.is_none() { known } else { None });
            if let Some((code, text)) = refused {
                self.find(code, Some(at), text);
            }
        }
    }

    /// Why a discount cannot count here, whatever else does.
    fn cannot_count(&self, discount: &Discount) -> Option<(FindingCode, String)> {
        let (asking, title) = (self.asking, &discount.title);
        if discount.starts_at.is_some_and(|from| asking.now < from) {
            return Some((FindingCode::Expired, format!("{title} has not begun yet.")));
        }
        if discount.ends_at.is_some_and(|until| asking.now >= until) {
            return Some((FindingCode::Expired, format!("{title} has ended.")));
        }
        if let Some(currency) = discount.currency.filter(|other| *other != asking.currency) {
            let text = format!("{title} counts for purchases in {currency} only.");
            return Some((FindingCode::Invalid, text));
        }
        let least = discount.minimum_subtotal_minor.unwrap_or(0);
        if self.totals.subtotal.minor() < least {
            let least = Money::from_minor(least, asking.currency);
            return Some((FindingCode::Invalid, format!("{title} counts from {least} on.")));
        }
        if discount.uses().is_some_and(|uses| asking.gone.contains(&uses)) {
            return Some((FindingCode::Expired, format!("{title} has been used up.")));
        }
        if !discount.once_per_buyer {
            return None;
        }
        match asking.buyer {
            None => {
                let text = format!("{title} counts once for each buyer; send an e-mail address.");
                Some((FindingCode::BuyerUnknown, text))
            }
            Some(buyer) if asking.gone.contains(&Sku::of_uses(&discount.id, Some(buyer))) => {
                let text = format!("{title} has been used with this e-mail address.");
                Some((FindingCode::BuyerIneligible, text))
            }
            Some(_) => None,
        }
    }

    /// The discounts that may count, in their order, with the place of their code.
    fn candidates(&self) -> Vec<(&'a Discount, Option<usize>)> {
        let place = |discount: &Discount| {
            self.codes.iter().position(|code| code.is_some_and(|code| code.id == discount.id))
        };
        let candidate = |discount: &'a Discount| match (&discount.code, place(discount)) {
            (Some(_), None) => None,
            (Some(_), at) => Some((discount, at)),
            (None, _) => {
                let counts = discount.active && self.cannot_count(discount).is_none();
                counts.then_some((discount, None))
            }
        };
        self.tariff.discounts.iter().filter_map(candidate).collect()
    }

    fn discount(&mut self) {
        for (discount, at) in self.candidates() {
            if discount.benefit == Benefit::FreeShipping || !self.may_combine(discount, at) {
                continue;
            }
            let taken = discount.takes(&self.parts);
            let mut allotments = Vec::new();
            for (line, minor) in taken.into_iter().enumerate().filter(|(_, minor)| *minor > 0) {
                self.parts[line].left -= minor;
                allotments.push(Allotment { target: Target::Line(line), minor });
            }
            self.apply(discount, at, allotments);
        }
    }

    /// Whether it may count beside those that count already; a typed one is told when not.
    fn may_combine(&mut self, discount: &Discount, at: Option<usize>) -> bool {
        let alone = |applied: &Applied| {
            let same = |other: &&Discount| other.id == applied.id;
            self.tariff.discounts.iter().find(same).is_some_and(|other| !other.combines)
        };
        let barred = !self.priced.applied.is_empty() && !discount.combines;
        let is_allowed = !barred && !self.priced.applied.iter().any(alone);
        if !is_allowed && at.is_some() {
            let text = format!("{} does not count together with the others.", discount.title);
            self.find(FindingCode::NotCombined, at, text);
        }
        is_allowed
    }

    fn apply(&mut self, discount: &Discount, at: Option<usize>, allotments: Vec<Allotment>) {
        let minor: i64 = allotments.iter().map(|part| part.minor).sum();
        if minor == 0 {
            if at.is_some() && discount.benefit != Benefit::FreeShipping {
                let text = format!("{} counts for nothing in here.", discount.title);
                self.find(FindingCode::Invalid, at, text);
            }
            return;
        }
        self.priced.applied.push(Applied {
            id: discount.id.clone(),
            code: at.map(|at| self.asking.codes[at].clone()),
            title: discount.title.clone(),
            minor,
            priority: discount.priority,
            each: matches!(discount.benefit, Benefit::BuyGet { .. }),
            allotments,
        });
        self.priced.uses.extend(discount.uses());
        if let (true, Some(buyer)) = (discount.once_per_buyer, self.asking.buyer) {
            self.priced.uses.push(Sku::of_uses(&discount.id, Some(buyer)));
        }
    }

    fn area(&self) -> Area<'a> {
        let fetched = self.priced.fulfillment.as_ref().filter(|f| f.method == Method::Pickup);
        let place = fetched.and_then(|f| self.tariff.location(f.destination.as_deref()?));
        match place {
            Some(place) => Area::of(
                place.address.address_country.as_deref(),
                place.address.address_region.as_deref(),
            ),
            None => Area::of(self.asking.country, self.asking.region),
        }
    }

    fn deliver(&mut self) {
        let asking = self.asking;
        let is_needed = asking.goods.iter().any(|goods| goods.ships);
        if !self.tariff.delivers() || !is_needed {
            return;
        }
        let Some(wish) = asking.wish else {
            if asking.must_choose {
                self.open("Choose how the goods are to come.");
            }
            return;
        };
        let options = match wish.method {
            Method::Shipping => self.sent(wish),
            Method::Pickup => self.fetched(wish),
        };
        let only = options.first().filter(|_| wish.method == Method::Pickup);
        let selected = wish.option.clone().or_else(|| only.map(|option| option.id.clone()));
        let selected = selected.filter(|id| options.iter().any(|option| option.id == *id));
        if selected.is_none() && !options.is_empty() {
            self.open("Choose one of the ways in which the goods can come.");
        }
        let is_fetched = wish.method == Method::Pickup;
        let places = self.tariff.locations().filter(|_| is_fetched).cloned().collect();
        let fulfillment = Fulfillment {
            method: wish.method,
            destination: wish.destination.clone(),
            places,
            options,
            selected,
            free: false,
        };
        self.shipping_left = fulfillment.chosen().map_or(0, |option| option.minor);
        self.priced.fulfillment = Some(fulfillment);
    }

    fn open(&mut self, text: &str) {
        self.find(FindingCode::DeliveryOpen, None, text.to_owned());
    }

    fn sent(&mut self, wish: &Wish) -> Vec<DeliveryOption> {
        if wish.destination.is_none() || self.asking.country.is_none() {
            self.open("Choose the address, with its country, that the goods are to be sent to.");
            return Vec::new();
        }
        let mut parcel = Parcel {
            area: Area::of(self.asking.country, self.asking.region),
            currency: self.asking.currency,
            weight_grams: 0,
            value_minor: 0,
            now: self.asking.now,
        };
        for (goods, part) in self.asking.goods.iter().zip(&self.parts).filter(|(g, _)| g.ships) {
            let weight = goods.weight_grams.saturating_mul(u64::from(goods.quantity));
            parcel.weight_grams = parcel.weight_grams.saturating_add(weight);
            parcel.value_minor = parcel.value_minor.saturating_add(part.left);
        }
        let options = shipping::options(&self.tariff.rates, &parcel);
        if options.is_empty() {
            let text = "These goods are not sent to this address.".to_owned();
            self.find(FindingCode::Undeliverable, None, text);
        }
        options
    }

    fn fetched(&mut self, wish: &Wish) -> Vec<DeliveryOption> {
        let wanted = wish.destination.as_deref();
        let Some(place) = wanted.and_then(|id| self.tariff.location(id)) else {
            self.open("Choose the place where the goods are to be fetched.");
            return Vec::new();
        };
        vec![DeliveryOption {
            id: place.id.clone(),
            title: format!("Pickup at {}", place.title),
            carrier: None,
            minor: 0,
            earliest: None,
            latest: None,
        }]
    }

    /// What takes shipping off comes last: only now is known what it costs.
    fn free_shipping(&mut self) {
        for (discount, at) in self.candidates() {
            if discount.benefit != Benefit::FreeShipping {
                continue;
            }
            if !self.sends_anything_of(discount) {
                if at.is_some() {
                    let text = format!("{} counts for nothing in here.", discount.title);
                    self.find(FindingCode::Invalid, at, text);
                }
                continue;
            }
            if !self.may_combine(discount, at) {
                continue;
            }
            let sent = self.priced.fulfillment.as_mut();
            if let Some(sent) = sent.filter(|sent| sent.method == Method::Shipping) {
                sent.free = true;
            }
            let minor = std::mem::take(&mut self.shipping_left);
            let allotment = Allotment { target: Target::Shipping, minor };
            self.apply(discount, at, vec![allotment]);
        }
    }

    /// Whether anything that the discount is for can be sent.
    fn sends_anything_of(&self, discount: &Discount) -> bool {
        let mut goods = self.asking.goods.iter().zip(&self.parts).filter(|(goods, _)| goods.ships);
        goods.any(|(_, part)| discount.concerns(part))
    }

    fn tax(&mut self) {
        let (area, rates) = (self.area(), &self.tariff.taxes);
        let mut bases: BTreeMap<&str, (&TaxRate, Vec<Allotment>)> = BTreeMap::new();
        let lines = self.asking.goods.iter().zip(&self.parts).enumerate();
        let goods = lines.map(|(at, (goods, part))| {
            (goods.tax_category, Allotment { target: Target::Line(at), minor: part.left })
        });
        let sent = Allotment { target: Target::Shipping, minor: self.shipping_left };
        for (category, taxed) in goods.chain([(SHIPPING, sent)]) {
            if let Some(rate) = tax::rate(rates, area, category) {
                bases.entry(&rate.id).or_insert((rate, Vec::new())).1.push(taxed);
            }
        }
        for (rate, taxed) in bases.into_values() {
            let base = taxed.iter().map(|part| part.minor).sum();
            let included = rate.inclusive;
            let minor = match included {
                true => share::contained(base, rate.basis_points),
                false => share::portion(base, rate.basis_points),
            };
            if minor > 0 {
                // What prices contain is a part of them; what is added belongs to what is taxed.
                let allotments = if included { Vec::new() } else { tax_of(minor, &taxed) };
                let title = rate.title.clone();
                self.priced.taxes.push(Tax { title, minor, included, allotments });
            }
        }
    }

    fn done(self) -> Result<Price, MoneyError> {
        let Self { asking, totals, parts, shipping_left, priced, findings, .. } = self;
        let goods = parts.iter().map(|part| part.left);
        let taxes = priced.taxes.iter().filter(|tax| !tax.included).map(|tax| tax.minor);
        let total = goods.chain([shipping_left]).chain(taxes).try_fold(0_i64, i64::checked_add);
        let total = Money::from_minor(total.ok_or(MoneyError::Overflow)?, asking.currency);
        let priced = (!priced.is_empty()).then(|| Box::new(priced));
        Ok(Price { totals: Totals { total, ..totals }, priced, findings })
    }
}

/// A tax in parts, by what is taxed.
fn tax_of(minor: i64, taxed: &[Allotment]) -> Vec<Allotment> {
    let weights: Vec<i64> = taxed.iter().map(|part| part.minor).collect();
    let parts = crate::base::share(minor, &weights).into_iter().zip(taxed);
    let parts = parts.map(|(minor, part)| Allotment { target: part.target, minor });
    parts.filter(|part| part.minor > 0).collect()
}
