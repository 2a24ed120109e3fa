//! The reference of every setting, as a document: `docs/CONFIGURATION.md` is this text, and a test
//! holds the two against each other.

use std::collections::BTreeMap;
use toml::Value;

use super::{
    Config,
    layers::{flatten, table},
};

/// What stands above the tables.
const HEAD: &str = "\
# Configuration

<!-- Written by `doorbuster check-config --markdown`; a test compares the two. -->

Settings come from four places, and a later one wins: defaults, a TOML file (`--config FILE`),
environment variables, flags. In the file a key is a name below its section:

```toml
mode = \"production\"

[storage]
database = \"postgres://shop@db.internal/shop\"
```

The environment variable of `storage.database` is `DOORBUSTER__STORAGE__DATABASE`: the prefix, and
two underscores for each dot. An empty variable counts as not set. A key that does not exist is an
error which names its place and suggests the key that was probably meant; everything that is wrong
is reported at once. `doorbuster check-config` checks a configuration and prints what is in force,
with passwords hidden.

Where the default is empty the setting is not set.
";

/// Every setting with what it means, section by section. A row without a dot belongs to no section.
const MEANINGS: &[(&str, &str)] = &[
    (
        "mode",
        "`dev`: everybody may do everything, on a loopback address only. `production`: \
         requests need API keys, and a database that may lose acknowledged orders is refused",
    ),
    ("server.listen", "address of the API; `--listen`"),
    (
        "server.metrics_listen",
        "address of `/metrics`, `/healthz` and `/readyz` alone. Not set: dev mode serves \
         `/metrics` beside the API, production mode listens on `127.0.0.1:9464`",
    ),
    (
        "server.public_url",
        "how clients reach the API, for links and discovery. Not set: `http://` and \
         `server.listen`",
    ),
    (
        "server.cors_origins",
        "origins whose pages may read answers in a browser, separated by commas: \
         `https://shop.example.com`. `*` is every origin, and only allowed in production \
         mode. Every page may read `/.well-known/*`",
    ),
    ("server.workers", "HTTP threads; 0 means one per core"),
    (
        "server.replica_id",
        "a name for this process among its replicas, for people to read; `--replica-id`",
    ),
    ("storage.data", "folder of the embedded database and of the sandbox's book; `--data`"),
    (
        "storage.database",
        "URL of a PostgreSQL, 15 or newer; `--database`. Not set: SQLite in the data folder",
    ),
    (
        "storage.pooling",
        "`session`, or `transaction` when the URL leads to a pooler in transaction mode (see \
         [PgBouncer](OPERATIONS.md#pgbouncer))",
    ),
    (
        "storage.redis",
        "URL of a Redis, or `redis-cluster://` and a few nodes of a Redis Cluster: \
         `redis-cluster://user:password@host1:6379,host2:6379`; `--redis`. Not set: a session \
         is kept in the memory of its cart alone, and is read from the ledger when it is not \
         there",
    ),
    ("limits.lines_per_cart", "lines per cart"),
    ("limits.quantity_per_line", "units per line"),
    ("limits.body_bytes", "bytes per request body"),
    ("limits.page_size", "items per page of a list"),
    ("limits.key_bytes", "bytes of an idempotency key"),
    ("limits.text_bytes", "bytes of a name, a street or other text of one line"),
    ("limits.metadata_bytes", "bytes of metadata per record, as JSON"),
    ("limits.body_seconds", "seconds a body may take to arrive"),
    ("limits.header_seconds", "seconds the headers may take to arrive"),
    ("limits.request_seconds", "seconds until a request is answered with 503; its work goes on"),
    (
        "limits.in_flight",
        "requests worked on at once; more are refused on arrival, first those of callers \
         above their fair share",
    ),
    (
        "limits.connections_per_address",
        "connections of one network address; more are closed as they come. Behind a proxy: as \
         many as the proxy opens",
    ),
    (
        "limits.unsent_bytes",
        "bytes of answers that wait for their readers, all connections together. Above it, a \
         client that reads nothing is disconnected within a second",
    ),
    (
        "stock.hold_ttl_seconds",
        "how long a hold lives without progress; the same request again and a declined \
         payment renew nothing",
    ),
    (
        "stock.hold_life_max_seconds",
        "how long a checkout holds stock in all, from its first hold on, and never less than \
         `stock.hold_ttl_seconds`. After that it holds nothing, and takes on payment what \
         there is",
    ),
    (
        "stock.unpaid_units_per_buyer",
        "units of one SKU that a buyer (an e-mail address) may hold unpaid at once; a network \
         address may hold ten times as many. Each replica counts for itself. How many units \
         one order may have is the product's `max_per_order`",
    ),
    ("stock.unpaid_units_unnamed", "the same for a checkout that has not said who buys"),
    ("stock.unpaid_units_per_caller", "the same for all buyers of one API key"),
    ("stock.passivate_after_seconds", "how long an idle cart or SKU stays in memory"),
    ("stock.grant_max_block", "the most units a process takes at once to sell from memory"),
    ("stock.grants_at_holds_per_second", "demand from which a SKU is sold from such blocks"),
    ("checkout.session_ttl_seconds", "how long a session stays open without activity"),
    (
        "checkout.gateway_deadline_ms",
        "how long the payment gateway may take. After it the outcome is unknown, and is found \
         out by asking",
    ),
    (
        "checkout.delivery",
        "`required`: a checkout of goods has to choose how they are delivered, wherever the \
         tariff can send them or hand them out. `optional`: one that says nothing of it buys \
         without",
    ),
    (
        "checkout.capture",
        "when money is taken. `immediate`: right after the order, or after its approval. \
         `on_shipment`: what ships, when it ships. `manual`: by `POST \
         /v1/orders/{id}/capture`",
    ),
    (
        "checkout.authorization_hours",
        "how long an authorization lasts, where its gateway does not say less (PayPal: three \
         days); what is not captured by then is voided",
    ),
    (
        "checkout.authorization_warning_hours",
        "how long before that an authorization which nobody captured is reported: the event \
         `payment.expiring`, and `sweeper_swept_total{what=\"expiring_authorizations\"}`",
    ),
    (
        "payment.gateway",
        "`sandbox`, or the URL that `doorbuster sandbox` serves. Not asked where there are \
         `payment.gateways`",
    ),
    (
        "payment.gateways",
        "real gateways, in the order in which they are asked: `name`, `kind`, the keys of the \
         account, `currencies`, `countries`, `instruments`, `url` (see [Payments](PAYMENTS.md))",
    ),
    (
        "payment.accept_test_money",
        "whether production mode may serve with a sandbox gateway, where `success_token` is a \
         payment and no money moves; orders say `test_payment`",
    ),
    ("payment.sandbox_slow_ms", "how long `slow_token` takes"),
    (
        "payment.sandbox_lost_ms",
        "how long `lost_token` keeps the connection open before it closes it",
    ),
    (
        "fraud.mode",
        "`shadow`: the guard against card testing and the rules that read no score decide, the \
         score is only recorded; `live`: the score decides as well; `record`: every payment is \
         judged, recorded and approved; `off`: nothing is judged",
    ),
    (
        "fraud.model",
        "folder of a trained model. Not set: the bundled one, trained on made-up shops",
    ),
    (
        "fraud.models",
        "folder of registered models (`doorbuster models`), shared by all replicas. Not set: \
         `models` in the data folder",
    ),
    (
        "fraud.ip_database",
        "database of network addresses with their countries (MaxMind DB format, `.mmdb`: \
         GeoLite2, DB-IP, IPinfo), read at the start. Not set: only the storefront says where \
         a buyer is",
    ),
    (
        "fraud.ip_asn_database",
        "another one with the numbers of networks, where those are in a file of their own",
    ),
    (
        "fraud.currency",
        "the currency (ISO 4217) in which amounts are judged: expected losses and their \
         thresholds, `amount` in rules, the order of cases",
    ),
    (
        "fraud.rates",
        "table of exchange rates for it, read at the start: CSV as the European Central Bank \
         publishes it (`eurofxref-hist.csv`). Not set: one that comes with the program, good to \
         about a tenth",
    ),
    (
        "fraud.challenge_loss_minor",
        "expected losses (probability of fraud × amount) from here on are challenged, in minor \
         units of `fraud.currency`; 0 is never",
    ),
    (
        "fraud.review_loss_minor",
        "expected losses from here on are reviewed, in minor units of `fraud.currency`; 0 is never",
    ),
    ("fraud.challenge_score", "scores from here on are challenged; 1001 is never"),
    ("fraud.review_score", "scores from here on are reviewed; 1001 is never"),
    ("fraud.decline_score", "scores from here on are declined; 1001 is never"),
    (
        "fraud.without_velocity",
        "the least that happens when Redis does not tell of the past; thresholds are 50 \
         points lower then in any case",
    ),
    (
        "fraud.without_score",
        "the least that happens without a score, or when there was no time for one",
    ),
    ("fraud.deadline_ms", "how long a judgement may take; then `fraud.without_score` decides"),
    ("fraud.guard", "whether the guard against card testing declines, or only counts"),
    ("fraud.review_due_hours", "when somebody should have looked at an order in review"),
    ("fraud.review_max_hours", "when an order in review that nobody decided is declined"),
    ("fraud.review_claims_max", "open cases that one reviewer may have claimed at once"),
    (
        "fraud.raw_signals_days",
        "how many days after a checkout ended its network address, device and instrument are \
         kept as they came; judgements keep hashes and features",
    ),
    (
        "fraud.promotion_days",
        "how many days a model is watched beside the live one before its score may decide; a \
         promotion with `override` and a reason waives this and the next two",
    ),
    ("fraud.promotion_orders", "how many orders both scored meanwhile"),
    (
        "fraud.promotion_drift_percent",
        "how far its scores may have drifted from those of its training: a population \
         stability index, in hundredths",
    ),
    (
        "fraud.promotion_people",
        "how many people have to want a model to go live: 2, each with an API key, or 1; going \
         back needs one",
    ),
    (
        "ucp.default",
        "the version whose profile is at `/.well-known/ucp`: `2026-04-08` or `2026-01-11`; \
         both are spoken; `--ucp-default`",
    ),
    (
        "ucp.signatures",
        "`required`: platforms must sign what they ask over UCP, by RFC 9421, or over \
         2026-01-11 with `Request-Signature`. `optional`: they may, and every signature has \
         to be right",
    ),
    (
        "ucp.simulation_secret",
        "whoever knows it may simulate shipping. Not set: nobody may. Refused in production \
         mode",
    ),
    (
        "webhooks.retry_wait_percent",
        "how long a failed delivery waits for its next attempt, in percent of the usual five \
         seconds to a day",
    ),
    ("retention.keys_days", "how long idempotency keys replay their answers"),
    ("retention.sessions_days", "how long sessions are kept that ended without an order"),
    ("retention.events_days", "how long sent events are kept"),
    (
        "retention.addresses_days",
        "how long the addresses are kept of a customer who does not come back (UCP \
         2026-01-11)",
    ),
    (
        "demo.catalogue",
        "whether an empty store gets the demo shop; in production mode only where it is set",
    ),
    ("log.format", "`text` or `json`"),
    (
        "log.filter",
        "which events are logged: a level, or `target=level` with commas between; `RUST_LOG` sets \
         it as well, unless `DOORBUSTER__LOG__FILTER` does",
    ),
];

/// Every setting with its default and its meaning, as the text of `docs/CONFIGURATION.md`.
pub fn markdown() -> String {
    let defaults: BTreeMap<String, Value> =
        flatten(table(&Config::default())).into_iter().collect();
    let mut text = HEAD.to_owned();
    let mut before = None;
    for (key, meaning) in MEANINGS {
        let section = key.split_once('.').map_or("", |(section, _)| section);
        if before != Some(section) {
            if !section.is_empty() {
                text.push_str(&format!("\n## `[{section}]`\n"));
            }
            text.push_str("\n| key | default | meaning |\n|---|---|---|\n");
            before = Some(section);
        }
        let default = defaults.get(*key).map(shown).unwrap_or_default();
        text.push_str(&format!("| `{key}` | {default} | {meaning} |\n"));
    }
    text
}

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::{super::layers::every_key, *};
    use std::collections::BTreeSet;

    // breaks: leave a row out of `MEANINGS`, or name a key twice
    #[test]
    fn every_setting_is_explained_once_and_no_other() {
        let known: Vec<String> = every_key().into_keys().collect();
        let mut explained: Vec<&str> = MEANINGS.iter().map(|(key, _)| *key).collect();
        explained.sort_unstable();
        assert_eq!(explained, known);
    }

    // breaks: change a default, or a row of `MEANINGS`
    #[test]
    fn the_document_says_what_the_program_says() {
        let document = include_str!("../../docs/CONFIGURATION.md");
        for (line, (written, said)) in (1..).zip(document.lines().zip(markdown().lines())) {
            let how = "run `doorbuster check-config --markdown > docs/CONFIGURATION.md`";
            assert_eq!(written, said, "docs/CONFIGURATION.md:{line} is old; {how}");
        }
        assert_eq!(document.lines().count(), markdown().lines().count());
    }

    #[test]
    fn sections_stand_once() {
        let text = markdown();
        let sections: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(sections.len(), sections.iter().collect::<BTreeSet<_>>().len(), "{sections:?}");
    }
}
