//! What a shop starts with: a dozen rules in shadow and the lists they look up. They watch from the
//! first order on; each goes live when its figures have convinced somebody. Two lists have a few
//! entries that hold for every shop; the others are the shop's own, and empty.

use super::{
    facts::address_hash,
    list::ListKind,
    rule::{Action, Draft, Mode, Name, Pass},
};
use crate::fraud::signals::building;

/// The lists: name, kind, note.
const LISTS: &[(&str, ListKind, &str)] = &[
    ("blocked_addresses", ListKind::Address, "Nothing is sent there."),
    ("blocked_bins", ListKind::Bin, "Issuers whose cards are not taken."),
    ("blocked_cards", ListKind::Card, "Cards that were used for fraud."),
    ("blocked_customers", ListKind::Customer, "Accounts that may not buy."),
    ("blocked_devices", ListKind::Device, "Devices that were used for fraud."),
    ("blocked_domains", ListKind::Domain, "Domains of e-mail addresses that may not buy."),
    ("blocked_emails", ListKind::Email, "E-mail addresses that may not buy."),
    ("blocked_ips", ListKind::Ip, "Network addresses and networks that may not buy."),
    ("disposable_domains", ListKind::Domain, "Domains that give out e-mail addresses for minutes."),
    ("freight_forwarders", ListKind::Address, "Addresses that send everything on."),
    ("trusted_customers", ListKind::Customer, "Accounts that are known to be good."),
    ("trusted_emails", ListKind::Email, "E-mail addresses that are known to be good."),
];

/// Domains that give an e-mail address to anybody, without a password, for minutes. Well-known
/// ones, to start with: there are thousands, and new ones each day.
const DISPOSABLE: &[&str] = &[
    "10minutemail.com",
    "burnermail.io",
    "discard.email",
    "dispostable.com",
    "emailondeck.com",
    "fakeinbox.com",
    "getnada.com",
    "grr.la",
    "guerrillamail.com",
    "guerrillamail.de",
    "guerrillamail.net",
    "guerrillamail.org",
    "inboxkitten.com",
    "mailcatch.com",
    "maildrop.cc",
    "mailinator.com",
    "mailnesia.com",
    "minuteinbox.com",
    "mohmal.com",
    "moakt.com",
    "mytemp.email",
    "sharklasers.com",
    "spam4.me",
    "spamgourmet.com",
    "temp-mail.org",
    "tempail.com",
    "tempinbox.com",
    "tempmail.com",
    "throwawaymail.com",
    "trashmail.com",
    "yopmail.com",
    "yopmail.fr",
    "yopmail.net",
];

/// Buildings from which everything is sent on, as the forwarders tell their customers: street,
/// town, country, who.
const FORWARDERS: &[(&str, &str, &str, &str)] = &[
    ("17224 S Figueroa St", "Gardena", "US", "Planet Express"),
    ("17224 S Figueroa Street", "Gardena", "US", "Planet Express"),
    ("3501 Jack Northrop Ave", "Hawthorne", "US", "Shipito"),
    ("3501 Jack Northrop Avenue", "Hawthorne", "US", "Shipito"),
    ("4283 Express Lane", "Sarasota", "US", "MyUS"),
    ("4283 Express Ln", "Sarasota", "US", "MyUS"),
];

/// The rules: name, action, pass, expression, why.
const RULES: &[(&str, Action, Pass, &str, &str)] = &[
    (
        "challenge_tested_card",
        Action::Challenge,
        Pass::Before,
        "features[\"card.failures.24h\"] >= 3 || features[\"card.distinct_email.24h\"] >= 3",
        "A card that fails again and again, or has many owners, is being tried out.",
    ),
    (
        "challenge_foreign_card",
        Action::Challenge,
        Pass::Before,
        "card_country != billing_country && ip_country != card_country && amount >= 100.0",
        "Card, bill and network address say different countries.",
    ),
    (
        "challenge_large_first_order",
        Action::Challenge,
        Pass::Before,
        "amount >= 500.0 && (account_days < 7 || !has(customer))",
        "A large order of somebody the shop has never seen.",
    ),
    (
        "allow_trusted",
        Action::Allow,
        Pass::Before,
        "listed(customer, \"trusted_customers\") || listed(email, \"trusted_emails\")",
        "Buyers somebody vouches for.",
    ),
    (
        "block_listed_buyer",
        Action::Block,
        Pass::Before,
        "listed(email, \"blocked_emails\") || listed(email_domain, \"blocked_domains\") \
         || listed(customer, \"blocked_customers\")",
        "Buyers on a block list.",
    ),
    (
        "block_listed_card",
        Action::Block,
        Pass::Before,
        "listed(card, \"blocked_cards\") || listed(bin, \"blocked_bins\")",
        "Cards on a block list.",
    ),
    (
        "block_listed_origin",
        Action::Block,
        Pass::Before,
        "listed(ip, \"blocked_ips\") || listed(device, \"blocked_devices\") \
         || listed(address, \"blocked_addresses\")",
        "Places and devices on a block list.",
    ),
    (
        "block_card_testing",
        Action::Block,
        Pass::Before,
        "features[\"ip.distinct_card.1h\"] >= 10.0 && features[\"ip.failures.1h\"] >= 8.0",
        "One network address tries many cards, and most of them fail.",
    ),
    (
        "review_many_declines",
        Action::Review,
        Pass::Before,
        "declines >= 3",
        "A cart whose payment failed again and again before it worked.",
    ),
    (
        "review_disposable_email",
        Action::Review,
        Pass::Before,
        "listed(email_domain, \"disposable_domains\")",
        "An e-mail address made for one order.",
    ),
    (
        "review_forwarded_goods",
        Action::Review,
        Pass::Before,
        "(listed(building, \"freight_forwarders\") || listed(address, \"freight_forwarders\")) \
         && billing_differs",
        "Goods that leave the country behind a forwarder.",
    ),
    (
        "review_gift_cards_in_haste",
        Action::Review,
        Pass::Before,
        "gift_card && amount >= 100.0 && session_seconds < 60 && !has(customer)",
        "Gift cards are as good as cash, and nobody looked around.",
    ),
    (
        "review_failed_code",
        Action::Review,
        Pass::After,
        "!cvc && !three_ds",
        "The card's code was wrong, and nobody proved who they are.",
    ),
    (
        "review_failed_address",
        Action::Review,
        Pass::After,
        "!avs && billing_differs && amount >= 100.0",
        "The issuer does not know the address, and the goods go elsewhere.",
    ),
];

/// The lists a shop starts with.
pub(super) fn lists() -> impl Iterator<Item = (Name, ListKind, &'static str)> {
    LISTS.iter().map(|(name, kind, note)| (named(name), *kind, *note))
}

/// What stands in them: list, value, note.
pub(super) fn entries() -> impl Iterator<Item = (Name, Vec<(String, String)>)> {
    let domains = DISPOSABLE.iter().map(|domain| ((*domain).to_owned(), String::new()));
    let forwarders = FORWARDERS.iter().filter_map(|(street, town, country, who)| {
        Some((address_hash(&building(street, town, country)?), format!("{who}, {town}")))
    });
    [
        (named("disposable_domains"), domains.collect()),
        (named("freight_forwarders"), forwarders.collect()),
    ]
    .into_iter()
}

/// The rules a shop starts with.
pub(super) fn rules() -> impl Iterator<Item = Draft> {
    RULES.iter().map(|(name, action, pass, expression, reason)| Draft {
        name: named(name),
        expression: (*expression).to_owned(),
        action: *action,
        pass: *pass,
        mode: Mode::Shadow,
        reason: (*reason).to_owned(),
    })
}

fn named(name: &str) -> Name {
    Name::parse(name).expect("invariant: the names above are names")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{
        rules::{FeatureNames, Vocabulary, compile},
        schema::Schema,
        simulate::SCHEMA,
    };

    #[test]
    fn every_rule_reads_with_the_bundled_features() {
        let schema = Schema::parse(SCHEMA).expect("the bundled schema");
        let layout = schema.layout(schema.label_delay.0).expect("a layout");
        let features = FeatureNames::of(&layout);
        let kind = |name: &str| {
            let found = LISTS.iter().find(|(list, ..)| *list == name);
            found.map(|(_, kind, _)| *kind)
        };
        for rule in rules() {
            let vocabulary =
                Vocabulary { features: Some(&features), lists: &kind, pass: rule.pass };
            let read = compile(&rule.expression, vocabulary);
            assert!(read.is_ok(), "{}: {}\n{:?}", rule.name, rule.expression, read);
        }
        assert_eq!(lists().count(), LISTS.len());
    }
}
