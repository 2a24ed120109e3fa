//! The rules over one order: the starter set, twenty rules, and the same twenty by the interpreter
//! of the library that reads them.
//!
//! Each contender is asked about the same orders in turn, one at a time. The library's context is
//! filled with the variables that the twenty rules name and no more, once for each order, and
//! shared by all rules.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "each bench uses its part")]
mod figures;

use cel::{Context, Program as Library};
use doorbuster::{
    base::{
        Address, Buyer, CheckoutId, Clock, Email, Hints, ManualClock, Money, Person, Timestamp,
        Verification,
    },
    fraud::{
        rules::{
            Action, Draft, FeatureNames, Features, InForce, ListEntry, ListKind, Mode, Name, Pass,
            Rule, Rulebook, Rules, Subject,
        },
        signals::{Goods, Signals},
    },
    ledger::{Database, DatabaseOptions},
};
use figures::Spread;
use std::{
    collections::{BTreeMap, HashMap},
    hint::black_box,
    sync::Arc,
    time::Duration,
};

const ROUNDS: usize = 20;
const ORDERS: u32 = 5_000;

/// What a risk team writes; no lists, which the library knows nothing of.
const TWENTY: [&str; 20] = [
    "amount > 500.0 && email_digits >= 4",
    "features[\"card.count.24h\"] > 5.0",
    "features[\"card.failures.24h\"] >= 3.0 || features[\"card.distinct_email.24h\"] >= 3.0",
    "features[\"ip.distinct_card.1h\"] >= 10.0 && features[\"ip.failures.1h\"] >= 8.0",
    "card_country != billing_country && amount > 200.0",
    "card_country != billing_country && ip_country != card_country",
    "email_domain in [\"mail.test\", \"quick.test\", \"ten-minutes.test\", \"drop.test\"]",
    "gift_card && digital && account_days < 1",
    "gift_card && amount >= 100.0 && session_seconds < 60",
    "declines >= 3",
    "session_seconds < 5 && !agent",
    "email.endsWith(\"@quick.test\") || email_digits > 6",
    "ip_country != billing_country && billing_differs",
    "categories.exists(c, c == \"electronics\") && amount > 300.0",
    "score >= 900",
    "score >= 700 && funding == \"prepaid\"",
    "funding == \"prepaid\" && amount > 250.0",
    "amount >= 500.0 && account_days < 7",
    "user_agent.contains(\"Headless\") || user_agent.contains(\"curl\")",
    "local_hour < 5 && amount > 400.0 && units > 3",
];

fn main() -> anyhow::Result<()> {
    let (starter, clock) = tokio::runtime::Runtime::new()?.block_on(starter())?;
    let orders: Vec<Signals> = (0..ORDERS).map(|number| an_order(number, clock.now())).collect();
    let names = FeatureNames::new(FEATURES);
    let twenty = Rulebook::new(1, twenty()?, BTreeMap::new(), Vec::new());
    let programs = TWENTY.map(Library::compile).into_iter().collect::<Result<Vec<_>, _>>()?;
    let root = Context::default();

    let mut took: [Vec<f64>; 3] = Default::default();
    let mut p99: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let ours = |book: &Rulebook| {
            each(&orders, |number, signals| {
                let values = features(number);
                let features = Some(Features { names: &names, values: &values });
                let scored = InForce { score: Some(score(number)), ..InForce::default() };
                let subject = Subject { scored, features, ..Subject::plain(signals) };
                book.consider(&subject, Pass::Before).hits.len()
            })
        };
        let starter = ours(&starter);
        let twenty = ours(&twenty);
        let library = each(&orders, |number, signals| theirs(&root, &programs, number, signals));
        anyhow::ensure!(twenty.1 == library.1, "contenders that disagree are no contenders");
        for (place, (mut nanos, _)) in [starter, twenty, library].into_iter().enumerate() {
            nanos.sort_unstable();
            took[place].push(nanos[nanos.len() / 2].as_nanos() as f64 / 1000.0);
            p99[place].push(nanos[nanos.len() * 99 / 100].as_nanos() as f64 / 1000.0);
        }
    }

    println!("rules: {}", figures::machine());
    println!("{ROUNDS} rounds of {ORDERS} orders, asked one by one\n");
    let names = ["the starter set", "twenty rules", "twenty rules, by the library"];
    let row = |place: usize| {
        vec![
            names[place].to_owned(),
            Spread::of(&took[place]).to_string(),
            Spread::of(&p99[place]).to_string(),
            Spread::of_ratios(&took[place], &took[2]).to_string(),
        ]
    };
    let heads = ["one order", "p50 µs", "p99 µs", "p50 ÷ the library's"];
    figures::print(&heads, &[row(0), row(1), row(2)]);
    Ok(())
}

/// How long each order takes, and how many rules matched in all.
fn each(orders: &[Signals], mut ask: impl FnMut(u32, &Signals) -> usize) -> (Vec<Duration>, usize) {
    let mut matched = 0;
    let one = |(number, signals): (u32, &Signals)| {
        let began = figures::now();
        matched += black_box(ask(number, black_box(signals)));
        began.elapsed()
    };
    let took = (0..).zip(orders).map(one).collect();
    (took, matched)
}

/// What a shop starts with, its lists filled with a thousand entries each.
async fn starter() -> anyhow::Result<(Arc<Rulebook>, Arc<ManualClock>)> {
    let folder = tempfile::tempdir()?;
    let location = folder.path().display().to_string();
    let database = Database::open(&DatabaseOptions::new(location)).await?;
    database.migrate().await?;
    let now = Timestamp::parse("2026-11-27T08:00:00Z").expect("a moment");
    let clock = Arc::new(ManualClock::new(now));
    let rules = Rules::load(database, clock.clone()).await?;
    for head in rules.store().lists().await? {
        let entry = |number: u32| ListEntry {
            value: value(head.kind, number),
            expires_at: None,
            note: String::new(),
            author: "bench".into(),
            added_at: now,
        };
        rules.add_entries(&head.name, (0..1000).map(entry).collect(), "bench").await?;
    }
    Ok((rules.current(), clock))
}

fn value(kind: ListKind, number: u32) -> String {
    match kind {
        ListKind::Bin => format!("{:06}", 900_000 + number),
        ListKind::Email => format!("bad{number}@drop.test"),
        ListKind::Domain => format!("d{number}.test"),
        ListKind::Ip => format!("10.{}.{}.0/24", number / 256, number % 256),
        ListKind::Address => format!("{number:016x}"),
        ListKind::Card | ListKind::Device | ListKind::Customer => format!("bad_{number}"),
    }
}

fn twenty() -> anyhow::Result<Vec<Rule>> {
    let rule = |(index, expression): (usize, &&str)| {
        let draft = Draft {
            name: Name::parse(&format!("r{index}"))?,
            expression: (*expression).to_owned(),
            action: Action::Review,
            pass: Pass::Before,
            mode: Mode::Live,
            reason: "a bench".into(),
        };
        let updated_at = Timestamp::from_micros(0);
        Ok(Rule { draft, version: 1, author: "bench".into(), updated_at, removed: false })
    };
    TWENTY.iter().enumerate().map(rule).collect()
}

const FEATURES: [&str; 5] = [
    "card.count.24h",
    "card.failures.24h",
    "card.distinct_email.24h",
    "ip.distinct_card.1h",
    "ip.failures.1h",
];

/// Small numbers that differ from order to order: a multiplicative hash (Knuth 1973).
fn draw(number: u32, salt: u32, most: u32) -> u32 {
    (number.wrapping_add(salt).wrapping_mul(2_654_435_761) >> 16) % most
}

fn features(number: u32) -> [f32; 5] {
    [0, 1, 2, 3, 4].map(|salt| f32::from(u8::try_from(draw(number, salt, 12)).unwrap_or(0) / 2))
}

fn score(number: u32) -> u16 {
    u16::try_from(draw(number, 5, 1000)).unwrap_or(0)
}

fn an_order(number: u32, now: Timestamp) -> Signals {
    let pick = |salt, among: &[&str]| {
        let most = u32::try_from(among.len()).unwrap_or(1);
        among[draw(number, salt, most) as usize].to_owned()
    };
    let countries = ["DE", "DE", "DE", "AT", "FR"];
    let place = |street: u32, salt| {
        Some(Box::new(Address {
            street_address: Some(format!("{street} Main St")),
            postal_code: Some("10115".into()),
            address_country: Some(pick(salt, &countries)),
            ..Address::default()
        }))
    };
    let email =
        format!("ada{}@{}", draw(number, 6, 99_999), pick(7, &["example.com", "mail.test"]));
    let hints = Hints {
        card_fingerprint: Some(format!("fp_{number}")),
        card_bin: Some("41111199".into()),
        card_funding: Some(pick(8, &["credit", "debit", "prepaid"])),
        card_country: Some(pick(9, &countries)),
        ip_country: Some(pick(10, &countries)),
        device_id: Some(format!("device_{number}")),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".into()),
        customer_id: Some(format!("customer_{number}")),
        account_created_at: Some(now.minus(Duration::from_secs(3600 * 24 * 40))),
        utc_offset_minutes: Some(60),
        agent: Some(false),
        ..Hints::default()
    };
    Signals {
        at: now,
        cart: CheckoutId::from_uuid(uuid::Uuid::nil()),
        storefront: "shop".into(),
        amount: Money::from_minor(
            i64::from(draw(number, 11, 60_000)),
            "EUR".parse().expect("a currency"),
        ),
        goods: Goods {
            lines: 2,
            units: 3,
            categories: vec!["books".into(), pick(12, &["electronics", "toys"])],
            gift_card: draw(number, 13, 10) == 0,
            digital: false,
            ..Goods::default()
        },
        discounts: Default::default(),
        person: Person {
            buyer: Some(Box::new(Buyer { email: Email::parse(&email).ok(), ..Buyer::default() })),
            billing: place(draw(number, 14, 9), 15),
            shipping: place(draw(number, 16, 9), 17),
            ip: Some(format!("192.0.2.{}", number % 256)),
            hints: Some(Box::new(hints)),
            ..Person::default()
        },
        brand: Some("visa".into()),
        opened_at: Some(now.minus(Duration::from_secs(u64::from(draw(number, 18, 300))))),
        declines: draw(number, 19, 5),
        verification: Verification::default(),
    }
}

/// The same, as the library would be used: variables by name, shared by all rules of one order.
fn theirs(root: &Context<'_, '_>, programs: &[Library], number: u32, signals: &Signals) -> usize {
    let mut context = root.new_inner_scope();
    let values = FEATURES.into_iter().zip(features(number).map(f64::from));
    context.add_variable_from_value("features", values.collect::<HashMap<_, _>>());
    let decimals = 100.0;
    context.add_variable_from_value("amount", signals.amount.minor() as f64 / decimals);
    context.add_variable_from_value("score", i64::from(score(number)));
    context.add_variable_from_value("units", i64::from(signals.goods.units));
    context.add_variable_from_value("declines", i64::from(signals.declines));
    let seconds = signals.session_seconds().map_or(-1, i64::from);
    context.add_variable_from_value("session_seconds", seconds);
    context.add_variable_from_value("gift_card", signals.goods.gift_card);
    context.add_variable_from_value("digital", signals.goods.digital);
    context.add_variable_from_value("categories", signals.goods.categories.clone());
    let hints = signals.hints();
    let numbers = [
        ("email_digits", signals.email_digits().map(i64::from)),
        ("account_days", signals.account_days().map(i64::from)),
        ("local_hour", signals.local_hour().map(i64::from)),
    ];
    for (name, value) in numbers {
        value.into_iter().for_each(|value| context.add_variable_from_value(name, value));
    }
    let texts = [
        ("email", signals.email()),
        ("email_domain", signals.email_domain()),
        ("billing_country", signals.billing_country()),
        ("card_country", hints.card_country.clone()),
        ("ip_country", hints.ip_country.clone()),
        ("funding", hints.card_funding.clone()),
        ("user_agent", hints.user_agent.clone()),
    ];
    for (name, value) in texts {
        value.into_iter().for_each(|value| context.add_variable_from_value(name, value));
    }
    let flags = [("billing_differs", signals.billing_differs()), ("agent", hints.agent)];
    for (name, value) in flags {
        value.into_iter().for_each(|value| context.add_variable_from_value(name, value));
    }
    let holds = |program: &&Library| program.execute(&context) == Ok(cel::Value::Bool(true));
    programs.iter().filter(holds).count()
}
