use std::sync::Arc;

use super::{
    check::{Vocabulary, compile},
    facts::{Facts, FeatureNames, Features, InForce, Subject, address_hash},
    list::{List, ListKind},
    parse::ExpressionRefused,
    program::Program,
    rule::Pass,
    vocabulary::{FUNCTIONS, Variable},
};
use crate::{
    base::{Address, Buyer, Email, Hints},
    fraud::signals::{Goods, Signals, tests::bare},
};

fn kind(name: &str) -> Option<ListKind> {
    ListKind::ALL.into_iter().find(|kind| name == format!("blocked_{kind}"))
}

fn features() -> FeatureNames {
    FeatureNames::new(["card.count.24h", "email.sum.1h", "ip.since"])
}

fn read(source: &str, pass: Pass) -> Result<Program, ExpressionRefused> {
    let features = features();
    compile(source, Vocabulary { features: Some(&features), lists: &kind, pass })
}

/// Ada, who buys books and a gift card for 49.90 euros.
fn ada() -> Signals {
    let mut signals = bare();
    let email = Email::parse("Ada.1815@Example.com").expect("an address");
    signals.person.buyer = Some(Box::new(Buyer { email: Some(email), ..Buyer::default() }));
    signals.person.ip = Some("192.0.2.7".into());
    signals.person.billing = Some(Box::new(Address {
        street_address: Some("1 Main St".into()),
        address_country: Some("de".into()),
        ..Address::default()
    }));
    signals.person.hints = Some(Box::new(Hints {
        card_bin: Some("41111199".into()),
        agent: Some(false),
        ..Hints::default()
    }));
    signals.goods = Goods {
        lines: 2,
        units: 3,
        categories: vec!["books".into(), "cards".into()],
        gift_card: true,
        digital: false,
        ..Goods::default()
    };
    signals
}

fn holds(source: &str) -> Option<bool> {
    let program = read(source, Pass::After).unwrap_or_else(|refused| panic!("{source}: {refused}"));
    let (signals, names) = (ada(), features());
    let features = Features { names: &names, values: &[7.0, 120.5, -1.0] };
    let scored = InForce { score: Some(700), ..InForce::default() };
    let subject = Subject { scored, features: Some(features), ..Subject::plain(&signals) };
    let lists: Vec<Arc<List>> = program
        .lists()
        .map(|name| {
            let mut list = List::new(kind(name).expect("a list"));
            list.add("192.0.2.0/24", None);
            list.add("ada.1815@example.com", None);
            Arc::new(list)
        })
        .collect();
    program.holds(&Facts::new(&subject), &lists)
}

#[test]
fn expressions_say_what_they_say() {
    for yes in [
        "amount > 49.8 && amount < 50",
        "amount * 2.0 == 99.8 && lines + units == 5",
        "score >= 700 && score < 700.5",
        "currency == \"EUR\" && currency in [\"EUR\", \"USD\"]",
        "\"books\" in categories && !(\"shoes\" in categories)",
        "size(categories) == 2 && categories[1] == \"cards\" && [3, 4][1] == 4",
        "categories.exists(c, c.startsWith(\"bo\")) && categories.all(c, c.size() == 5)",
        "categories.exists_one(c, c == \"cards\")",
        "email == \"ada.1815@example.com\" && email_domain.endsWith(\".com\")",
        "email_digits == 4 && email.contains(\"1815\")",
        "features[\"card.count.24h\"] > 5 && features[\"email.sum.1h\"] == 120.5",
        "listed(ip, \"blocked_ip\") && listed(email, \"blocked_email\")",
        "ip == \"192.0.2.7\" && ip_prefix == \"192.0.2\"",
        "gift_card && !digital && !discount && !agent",
        "billing_country == \"DE\" && session_seconds == 30 && declines == 0",
        "has(email) && !has(phone) && has(features[\"card.count.24h\"])",
        "!has(features[\"ip.since\"])",
        "(gift_card ? 1 : 2) == 1",
        "int(49.9) == 49 && double(lines) == 2.0 && -lines == -2",
        "7 % 4 == 3 && 7 / 2 == 3 && 7 - 8 == -1",
        "\"a\" < \"b\" && false < true",
    ] {
        assert_eq!(holds(yes), Some(true), "{yes}");
        assert_eq!(holds(&format!("!({yes})")), Some(false), "{yes}");
    }
    let street = address_hash("1mainst||||de");
    assert_eq!(holds(&format!("address == {street:?}")), Some(true));
    assert_eq!(street.len(), 16);
}

#[test]
fn what_is_missing_is_neither_true_nor_false() {
    for missing in [
        "phone == \"1\"",
        "!(phone == \"1\")",
        "phone in [\"1\"]",
        "lines in [1, account_days]",
        "account_days < 1 || digital",
        "account_days < 1 && gift_card",
        "features[\"ip.since\"] < 60.0",
        "avs",
        "listed(card, \"blocked_card\")",
        "customer.contains(\"x\") ? true : false",
        "categories[2] == \"x\" || categories[-1] == \"x\"",
        "1 / 0 == 1 || 1 % 0 == 1",
        "9223372036854775807 + 1 > 0",
        "-(-9223372036854775807 - 1) > 0",
        "int(1e300) > 0",
        "categories.exists(c, c == device)",
        "categories.exists_one(c, c == device)",
    ] {
        assert_eq!(holds(missing), None, "{missing}");
    }
    assert_eq!(holds("account_days < 1 || gift_card"), Some(true));
    assert_eq!(holds("gift_card || account_days < 1"), Some(true));
    assert_eq!(holds("account_days < 1 && digital"), Some(false));
    assert_eq!(holds("categories.exists(c, c == device || c == \"cards\")"), Some(true));
    assert_eq!(holds("categories.all(c, c == device && c == \"cards\")"), Some(false));
}

#[test]
fn what_is_wrong_is_found_and_pointed_at() {
    for (source, stands, says) in [
        ("emial == \"x\"", "emial", "did you mean `email`"),
        ("true && scoer > 1", "scoer", "did you mean `score`"),
        ("amount", "amount", "a truth value must stand here"),
        ("amount > \"5\"", "\"5\"", "this is a text, and is compared with a number"),
        ("amount * 2 > 5", "2 >", "write 2.0 for 2"),
        ("amount % 2.0 > 1.0", "% 2", "a remainder is of whole numbers"),
        ("email && true", "email", "this is a text"),
        ("5 in email", "email", "a list must stand here"),
        ("5 in categories", "5 in", "the items of the list are each a text"),
        ("email in []", "[]", "an empty list"),
        ("1 in [1, \"a\"]", "\"a\"", "the items before it"),
        ("[[1]] == 1", "[1]]", "a list cannot stand in a list"),
        ("categories == categories", "categories ==", "lists are not compared"),
        ("features.card > 1.0", ".card", "in brackets"),
        ("features[\"card.count.42h\"] > 1.0", "\"card.count.42h", "did you mean `card.count.24h`"),
        ("features[email] > 1.0", "email", "in quotes"),
        ("features == 1", "features", "in brackets"),
        ("listed(email, \"nobody\")", "\"nobody\"", "there is no list \"nobody\""),
        ("listed(email, \"blocked_ip\")", "email", "look up `ip` in it"),
        ("listed(email, currency)", "currency", "in quotes"),
        ("listed(email)", "listed", "otherwise than with 1 arguments"),
        ("lsted(email, \"blocked_email\")", "lsted", "did you mean `listed`"),
        ("has(1)", "has", "by its name"),
        ("email.matches(\"a\")", "matches", "no function `matches`"),
        ("email.size", ".size", "only functions are written with a point"),
        ("null == null", "null ==", "ask has(x)"),
        ("1u == 1u", "1u ==", "without the `u`"),
        ("b\"a\" == b\"a\"", "b\"a\" ==", "without the `b`"),
        ("{1: 2}[1] == 2", "{", "maps and messages"),
        ("gift_card ? 1 : 2.0", "2.0", "a whole number must stand here"),
        ("categories.exists(c, categories.exists(d, c == d))", "categories.exists(d", "in another"),
        ("categories.exists(c, c in categories)", "categories)", "in a condition on items"),
        ("categories.exists(email, true)", "email", "known already"),
        ("categories.exists(c, c)", "c)", "a truth value must stand here"),
        ("email.exists(c, true)", "email", "has no items"),
        ("size(5) == 1", "5)", "only texts and lists"),
        ("[1] + [2] == [3]", "[1]", "a number must stand here"),
        ("email + email == email", "email +", "a number must stand here"),
    ] {
        let refused = read(source, Pass::Before).expect_err(source);
        assert!(refused.message.contains(says), "{source}: {refused:?}");
        let rest: String = source.chars().skip(refused.offset).collect();
        assert!(rest.starts_with(stands), "{source}: points at {rest:?}");
    }
}

#[test]
fn what_the_issuer_says_is_for_the_second_pass() {
    let early = read("!cvc", Pass::Before).expect_err("not known yet");
    assert_eq!(early.offset, 1, "{early}");
    assert!(early.message.contains("`after`"), "{early}");
    assert!(read("!cvc", Pass::After).is_ok());
}

#[test]
fn a_chain_is_no_deeper_than_can_be_asked() {
    let chain = |terms: usize| format!("1{} > 0", "+1".repeat(terms));
    assert!(read(&chain(50), Pass::Before).is_ok());
    let refused = read(&chain(200), Pass::Before).expect_err("too deep");
    assert!(refused.message.contains("in one another"), "{refused}");
    assert!(read(&format!("true{}", " || true".repeat(200)), Pass::Before).is_ok());
}

#[test]
fn a_program_tells_what_it_reads() {
    let source = "email_digits > 4 && features[\"card.count.24h\"] > 5 \
                  && (listed(email, \"blocked_email\") || email_digits > 9)";
    let program = read(source, Pass::Before).expect("reads");
    assert_eq!(program.uses(), ["email_digits", "card.count.24h", "email"]);
    assert_eq!(program.lists().collect::<Vec<_>>(), ["blocked_email"]);
}

#[test]
fn the_listing_is_true() {
    for variable in Variable::ALL {
        let name = variable.row().name;
        assert!(read(&format!("has({name})"), Pass::After).is_ok(), "{name}");
    }
    assert!(FUNCTIONS.len() > 10);
}
