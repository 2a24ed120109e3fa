//! What holds for every tariff, every basket and every wish.

use proptest::prelude::*;

use super::{asking::*, price::*, priced::*, tariff::*, totals::EntryKind};
use crate::base::{Currency, Email, Sku, Timestamp};

const COUNTRIES: [&str; 3] = ["DE", "FR", "US"];
const CODES: [&str; 4] = ["A", "B", "C", "D"];

fn eur() -> Currency {
    "EUR".parse().expect("a currency")
}

fn read(kind: ItemKind, document: serde_json::Value) -> Item {
    kind.read(&document).unwrap_or_else(|invalid| panic!("{document}: {invalid}"))
}

fn benefit() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    prop_oneof![
        (1_u32..=10_000).prop_map(|bp| json!({"kind": "percent", "basis_points": bp})),
        (1_i64..50_000).prop_map(|minor| json!({"kind": "fixed", "amount_minor": minor})),
        Just(json!({"kind": "free_shipping"})),
        (1_u32..4, 1_u32..3, 1_u32..=10_000).prop_map(
            |(buy, get, bp)| json!({"kind": "buy_get", "buy": buy, "get": get, "basis_points": bp})
        ),
    ]
}

fn discount(at: usize) -> impl Strategy<Value = Item> {
    let scope = prop_oneof![
        Just((vec![], vec![])),
        Just((vec!["SKU-0"], vec![])),
        Just((vec!["SKU-1", "SKU-2"], vec![])),
        Just((vec![], vec!["shoes"])),
        Just((vec!["SKU-0"], vec!["hats"])),
    ];
    let minimum = prop::option::of(0_i64..30_000);
    let limits = (any::<bool>(), any::<bool>(), prop::option::of(1_u32..5));
    (benefit(), scope, minimum, any::<bool>(), limits, 1_u32..4).prop_map(
        move |(
            benefit,
            (products, categories),
            minimum,
            combines,
            (coded, once, limit),
            priority,
        )| {
            let mut document = serde_json::json!({
                "id": format!("d{at}"), "title": format!("D{at}"), "benefit": benefit,
                "currency": "EUR", "products": products, "categories": categories,
                "combines": combines,
                "once_per_buyer": once, "priority": priority,
            });
            if coded {
                document["code"] = CODES[at].into();
            }
            if let Some(minimum) = minimum {
                document["minimum_subtotal_minor"] = minimum.into();
            }
            if let Some(limit) = limit {
                document["usage_limit"] = limit.into();
            }
            read(ItemKind::Discounts, document)
        },
    )
}

fn rate(at: usize) -> impl Strategy<Value = Item> {
    (0_i64..3_000, 0_usize..4, prop_oneof![Just("standard"), Just("express")]).prop_map(
        move |(minor, country, service)| {
            let countries: Vec<_> = COUNTRIES.get(country).into_iter().collect();
            let document = serde_json::json!({
                "id": format!("r{at}"), "title": service, "service": service,
                "countries": countries, "amount_minor": minor, "currency": "EUR",
            });
            read(ItemKind::ShippingRates, document)
        },
    )
}

fn tax(at: usize) -> impl Strategy<Value = Item> {
    let category = prop_oneof![Just(None), Just(Some("reduced")), Just(Some("shipping"))];
    (0_u32..3_000, 0_usize..4, category, any::<bool>()).prop_map(
        move |(points, country, category, inclusive)| {
            let countries: Vec<_> = COUNTRIES.get(country).into_iter().collect();
            let mut document = serde_json::json!({
                "id": format!("t{at}"), "title": format!("T{at}"), "countries": countries,
                "basis_points": points, "inclusive": inclusive,
            });
            if let Some(category) = category {
                document["category"] = category.into();
            }
            read(ItemKind::TaxRates, document)
        },
    )
}

fn tariff() -> impl Strategy<Value = Tariff> {
    let discounts = (discount(0), discount(1), discount(2), discount(3), 0_usize..=4);
    let rates = (rate(0), rate(1), rate(2), 0_usize..=3);
    let taxes = (tax(0), tax(1), tax(2), 0_usize..=3);
    (discounts, rates, taxes).prop_map(|((a, b, c, d, n), (e, f, g, m), (h, i, j, k))| {
        let discounts = [a, b, c, d].into_iter().take(n);
        let rates = [e, f, g].into_iter().take(m);
        Tariff::of(discounts.chain(rates).chain([h, i, j].into_iter().take(k)))
    })
}

#[derive(Debug, Clone)]
struct Case {
    lines: Vec<(Sku, i64, u32, bool, &'static str)>,
    codes: Vec<String>,
    wish: Option<Wish>,
    country: Option<&'static str>,
    buyer: Option<Email>,
}

fn case() -> impl Strategy<Value = Case> {
    let category = prop_oneof![Just("standard"), Just("reduced")];
    let line = (0_usize..4, 0_i64..20_000, 1_u32..9, any::<bool>(), category);
    let line = line.prop_map(|(at, unit, quantity, ships, category)| {
        let sku = Sku::parse(&format!("SKU-{at}")).expect("a SKU");
        (sku, unit, quantity, ships, category)
    });
    let code = prop::sample::select(vec!["a", "B", "c", "d", "nothing"]).prop_map(str::to_owned);
    let option = prop::option::of(prop::sample::select(vec!["r0", "r1", "r2", "other"]));
    let wish = prop::option::of(option.prop_map(|option| Wish {
        method: Method::Shipping,
        destination: Some("dest_1".into()),
        option: option.map(str::to_owned),
    }));
    let country = prop::option::of(prop::sample::select(COUNTRIES.to_vec()));
    let buyer = prop::option::of(Just(Email::parse("Ada@example.com").expect("an address")));
    let (lines, codes) = (prop::collection::vec(line, 0..6), prop::collection::vec(code, 0..4));
    (lines, codes, wish, country, buyer).prop_map(|(lines, codes, wish, country, buyer)| Case {
        lines,
        codes,
        wish,
        country,
        buyer,
    })
}

/// The category of a product: two have one.
fn shelf(sku: &Sku) -> Option<&'static str> {
    match sku.as_str() {
        "SKU-1" => Some("shoes"),
        "SKU-3" => Some("hats"),
        _ => None,
    }
}

fn priced(tariff: &Tariff, case: &Case, gone: &[Sku]) -> Price {
    let goods: Vec<_> = case
        .lines
        .iter()
        .map(|(sku, unit, quantity, ships, category)| Goods {
            sku,
            category: shelf(sku),
            tax_category: category,
            unit_minor: *unit,
            quantity: *quantity,
            weight_grams: 100,
            ships: *ships,
        })
        .collect();
    let asking = Asking {
        currency: eur(),
        goods: &goods,
        codes: &case.codes,
        wish: case.wish.as_ref(),
        must_choose: true,
        country: case.country,
        region: None,
        buyer: case.buyer.as_ref(),
        gone,
        now: Timestamp::from_micros(1_764_000_000_000_000),
    };
    price(tariff, &asking).expect("small sums")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_breakdown_makes_up_the_total(tariff in tariff(), case in case()) {
        let price = priced(&tariff, &case, &[]);
        let entries = price.totals.entries(price.priced.as_deref());
        let is = |kind| move |entry: &&super::totals::Entry<'_>| entry.kind == kind;
        prop_assert_eq!(entries.iter().filter(is(EntryKind::Subtotal)).count(), 1);
        prop_assert_eq!(entries.iter().filter(is(EntryKind::Total)).count(), 1);
        let (total, before) = entries.split_last().expect("a total");
        let contained: i64 = before.iter().filter_map(|entry| entry.contained).sum();
        prop_assert!((0..=total.minor).contains(&contained));
        prop_assert_eq!(before.iter().map(|entry| entry.minor).sum::<i64>(), total.minor);
        prop_assert!(total.minor >= 0);
        for entry in before {
            match entry.kind {
                EntryKind::ItemsDiscount | EntryKind::Discount => prop_assert!(entry.minor < 0),
                _ => prop_assert!(entry.minor >= 0),
            }
        }
        let lines: i64 = case.lines.iter().map(|line| line.1 * i64::from(line.2)).sum();
        prop_assert_eq!(price.totals.subtotal.minor(), lines);
    }

    #[test]
    fn discounts_are_allotted_exactly_and_nothing_falls_below_zero(
        tariff in tariff(), case in case(),
    ) {
        let price = priced(&tariff, &case, &[]);
        let Some(priced) = price.priced else { return Ok(()) };
        for applied in &priced.applied {
            prop_assert!(applied.minor > 0);
            let allotted: i64 = applied.allotments.iter().map(|part| part.minor).sum();
            prop_assert_eq!(allotted, applied.minor);
        }
        for (at, line) in case.lines.iter().enumerate() {
            let off = priced.taken_off(Target::Line(at));
            prop_assert!((0..=line.1 * i64::from(line.2)).contains(&off));
        }
        let shipping = priced.shipping().map_or(0, |option| option.minor);
        prop_assert!((0..=shipping).contains(&priced.taken_off(Target::Shipping)));
    }

    #[test]
    fn the_same_gives_the_same_and_what_is_gone_does_not_count(
        tariff in tariff(), case in case(),
    ) {
        let once = priced(&tariff, &case, &[]);
        prop_assert_eq!(&once, &priced(&tariff, &case, &[]));
        let Some(extras) = once.priced else { return Ok(()) };
        let mut uses = extras.uses.clone();
        uses.sort();
        uses.dedup();
        prop_assert_eq!(uses.len(), extras.uses.len(), "a use is counted once");
        let Some(gone) = extras.uses.first().cloned() else { return Ok(()) };
        let again = priced(&tariff, &case, std::slice::from_ref(&gone));
        let held = again.priced.map(|priced| priced.uses).unwrap_or_default();
        prop_assert!(!held.contains(&gone));
    }

    #[test]
    fn discounts_that_stand_alone_stand_alone(tariff in tariff(), case in case()) {
        let price = priced(&tariff, &case, &[]);
        let applied = price.priced.map(|priced| priced.applied).unwrap_or_default();
        let alone = |applied: &Applied| {
            tariff.discounts.iter().any(|other| other.id == applied.id && !other.combines)
        };
        prop_assert!(applied.len() < 2 || !applied.iter().any(alone));
    }

    // breaks: `sends_anything_of` that says yes, `concerns` that does, no `minimum_subtotal_minor`
    #[test]
    fn the_scope_of_every_benefit_is_honoured(tariff in tariff(), case in case()) {
        let price = priced(&tariff, &case, &[]);
        let Some(priced) = price.priced else { return Ok(()) };
        let is_for = |discount: &super::Discount, sku: &Sku| {
            let category = shelf(sku).map(str::to_owned);
            let all = discount.products.is_empty() && discount.categories.is_empty();
            all || discount.products.contains(sku)
                || category.is_some_and(|category| discount.categories.contains(&category))
        };
        for applied in &priced.applied {
            let discount = tariff.discounts.iter().find(|one| one.id == applied.id);
            let discount = discount.expect("a discount of the tariff");
            let least = discount.minimum_subtotal_minor.unwrap_or(0);
            prop_assert!(price.totals.subtotal.minor() >= least, "{}", applied.id);
            for part in &applied.allotments {
                match part.target {
                    Target::Line(at) => prop_assert!(is_for(discount, &case.lines[at].0)),
                    Target::Shipping => {
                        let sent = |line: &&(Sku, i64, u32, bool, &str)| line.3;
                        let mut sent = case.lines.iter().filter(sent);
                        prop_assert!(sent.any(|line| is_for(discount, &line.0)), "{}", applied.id);
                    }
                }
            }
        }
    }

    // breaks: `cost_of` that says `option.minor`
    #[test]
    fn an_option_says_what_choosing_it_costs(tariff in tariff(), case in case()) {
        let offered = priced(&tariff, &case, &[]).priced.and_then(|priced| priced.fulfillment);
        let Some(offered) = offered else { return Ok(()) };
        for option in &offered.options {
            let wish = Wish { option: Some(option.id.clone()), ..case.wish.clone().expect("one") };
            let chosen = Case { wish: Some(wish), ..case.clone() };
            let after = priced(&tariff, &chosen, &[]).priced.expect("there are options");
            let costs = after.shipping().expect("it was chosen").minor;
            prop_assert_eq!(
                offered.cost_of(option), costs - after.taken_off(Target::Shipping)
            );
        }
    }

    #[test]
    fn every_code_counts_or_is_told_about(tariff in tariff(), case in case()) {
        let price = priced(&tariff, &case, &[]);
        let applied = price.priced.map(|priced| priced.applied).unwrap_or_default();
        let waits_for_shipping = |code: &str| {
            let free = |discount: &super::Discount| {
                discount.is_code(code) && discount.benefit == super::Benefit::FreeShipping
            };
            tariff.discounts.iter().any(free)
        };
        for (at, code) in case.codes.iter().enumerate() {
            let counts = applied.iter().any(|one| one.code.as_ref() == Some(code));
            let told = price.findings.iter().any(|finding| finding.at == Some(at));
            prop_assert!(counts || told || waits_for_shipping(code), "{}", code);
        }
    }
}

#[test]
fn three_for_two_takes_the_cheapest_off() {
    let three = read(
        ItemKind::Discounts,
        serde_json::json!({"id": "three", "title": "3 for 2",
            "benefit": {"kind": "buy_get", "buy": 2, "get": 1}}),
    );
    let sku = |name: &str| Sku::parse(name).expect("a SKU");
    let lines = vec![(sku("A"), 900, 2, true, "standard"), (sku("B"), 500, 2, true, "standard")];
    let case = Case { lines, codes: vec![], wish: None, country: None, buyer: None };
    let price = priced(&Tariff::of([three]), &case, &[]);
    assert_eq!((price.totals.subtotal.minor(), price.totals.total.minor()), (2_800, 2_300));
}

#[test]
fn a_specific_country_beats_the_default_and_options_come_by_price() {
    let rate = |id: &str, service: &str, countries: &[&str], minor: i64| {
        let document = serde_json::json!({"id": id, "title": id, "service": service,
            "countries": countries, "amount_minor": minor, "currency": "EUR"});
        read(ItemKind::ShippingRates, document)
    };
    let tariff = Tariff::of([
        rate("std", "standard", &[], 500),
        rate("std-de", "standard", &["DE"], 700),
        rate("exp", "express", &[], 600),
    ]);
    let sku = Sku::parse("A").expect("a SKU");
    let wish = Some(Wish { method: Method::Shipping, destination: Some("d".into()), option: None });
    let lines = vec![(sku, 900, 1, true, "standard")];
    let ids = |country| {
        let (lines, wish) = (lines.clone(), wish.clone());
        let case = Case { lines, codes: vec![], wish, country, buyer: None };
        let fulfillment = priced(&tariff, &case, &[]).priced.expect("priced").fulfillment;
        let options = fulfillment.expect("it ships").options;
        options.into_iter().map(|option| option.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Some("DE")), ["exp", "std-de"]);
    assert_eq!(ids(Some("FR")), ["std", "exp"]);
}
