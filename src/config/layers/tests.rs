//! Every layer, and every message an operator may have to read.

use super::*;
use crate::config::{Capture, UcpVersion};

fn load(file: &str, environment: &[(&str, &str)], flags: &[Flag]) -> Result<Config, ConfigError> {
    let environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Config::from_layers(Some((Path::new("shop.toml"), file)), environment, flags)
}

fn problems(file: &str) -> Vec<String> {
    load(file, &[], &[]).expect_err("the file has a problem").problems
}

fn environment_problem(name: &str, value: &str) -> String {
    let mut problems = load("", &[(name, value)], &[]).expect_err("a problem").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn listen(value: &str) -> Flag {
    Flag { flag: "--listen", key: "server.listen", value: value.to_owned() }
}

#[test]
fn without_any_source_the_defaults_hold() {
    let config = load("", &[], &[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert_eq!(config.hold_ttl().as_secs(), 600);
    let unset = [
        "fraud.ip_asn_database",
        "fraud.ip_database",
        "fraud.model",
        "fraud.models",
        "fraud.rates",
        "server.cors_origins",
        "server.metrics_listen",
        "server.public_url",
        "server.replica_id",
        "storage.database",
        "storage.redis",
        "ucp.simulation_secret",
    ];
    assert_eq!(config.unset(), unset);
}

#[test]
fn later_layers_win() {
    let file = "[server]\nlisten = '127.0.0.1:1'\n[checkout]\ncapture = 'manual'\n[stock]\n";
    let set =
        [("DOORBUSTER__SERVER__LISTEN", "127.0.0.1:2"), ("DOORBUSTER__LIMITS__PAGE_SIZE", "7")];
    let config = load(file, &set, &[]).unwrap();
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.limits.page_size, 7);
    assert_eq!(config.checkout.capture, Capture::Manual);
    let config = load(file, &set, &[listen("127.0.0.1:3")]).unwrap();
    assert_eq!(config.server.listen.port(), 3);
}

// breaks: leave the notice out of `Config::notices`
#[test]
fn whoever_starts_in_shadow_is_told_that_no_score_decides() {
    let says = |file: &str| {
        let notices = load(file, &[], &[]).unwrap().notices();
        notices.iter().any(|notice| notice.contains("decides nothing"))
    };
    assert!(says(""));
    for mode in ["live", "record", "off"] {
        assert!(!says(&format!("[fraud]\nmode = '{mode}'")), "{mode}");
    }
    let problems = problems("[fraud]\nmode = 'dead'");
    assert!(problems[0].contains("fraud.mode"), "{problems:?}");
}

// breaks: leave the check of `fraud.model` out of `Config::problems`, or a key out of `retired`
#[test]
fn what_a_score_may_do_is_said_with_a_model_of_ones_own() {
    let said = problems("[fraud]\nmodel = 'ours'");
    assert!(said[0].starts_with("shop.toml: `fraud.model` names a model of your own"), "{said:?}");
    for mode in ["shadow", "live"] {
        assert!(load(&format!("[fraud]\nmodel = 'ours'\nmode = '{mode}'"), &[], &[]).is_ok());
    }
    let said = problems("[fraud]\nbundled_model = 'live'");
    assert_eq!(
        said,
        ["shop.toml: `fraud.bundled_model` is no longer a setting; `fraud.mode` decides for \
             every model: `shadow` records its score, with `live` the score decides"]
    );
}

// breaks: let `RUST_LOG` come after our own variables, or leave it out
#[test]
fn rust_log_sets_the_filter_unless_ours_does() {
    let file = "[log]\nfilter = 'error'";
    let filter = |set: &[(&str, &str)]| load(file, set, &[]).map(|config| config.log.filter);
    assert_eq!(filter(&[("RUST_LOG", "")]).unwrap(), "error");
    assert_eq!(filter(&[("RUST_LOG", "doorbuster=debug")]).unwrap(), "doorbuster=debug");
    let both = [("RUST_LOG", "trace"), ("DOORBUSTER__LOG__FILTER", "warn")];
    assert_eq!(filter(&both).unwrap(), "warn");
    let told = filter(&[("RUST_LOG", "loud=very")]).unwrap_err().problems;
    assert!(told[0].starts_with("environment variable RUST_LOG: `log.filter`"), "{told:?}");
}

#[test]
fn empty_variables_and_those_of_others_are_left_alone() {
    let set = [("DOORBUSTER__STORAGE__REDIS", ""), ("DOORBUSTER_TEST_REDIS", "x"), ("HOME", "/")];
    assert_eq!(load("", &set, &[]).unwrap(), Config::default());
}

#[test]
fn production_has_its_own_defaults() {
    let config = load("mode = 'production'", &[], &[]).unwrap();
    assert!(!config.demo.catalogue);
    assert_eq!(config.server.metrics_listen, Some(([127, 0, 0, 1], 9464).into()));
    assert_eq!(config.notices().len(), 3);
    let config = load("mode = 'production'\n[demo]\ncatalogue = true", &[], &[]).unwrap();
    assert!(config.demo.catalogue);
}

#[test]
fn a_version_is_one_that_is_spoken_and_nothing_is_simulated_in_production() {
    let flag =
        |value: &str| Flag { flag: "--ucp-default", key: "ucp.default", value: value.to_owned() };
    let config = load("", &[], &[flag("2026-01-11")]).unwrap();
    assert_eq!(config.ucp.default, UcpVersion::V20260111);
    let told = load("", &[], &[flag("2025-01-01")]).unwrap_err().problems;
    assert!(told[0].starts_with("flag --ucp-default: `ucp.default` does not fit"), "{told:?}");
    let told = problems("mode = 'production'\n[ucp]\nsimulation_secret = 's3cret'");
    assert!(told[0].contains("leave it out in production mode"), "{told:?}");
}

#[test]
fn what_is_in_force_reads_back_without_its_passwords() {
    let set = [
        ("DOORBUSTER__STORAGE__DATABASE", "postgres://shop:s3cret@db/shop"),
        ("DOORBUSTER__UCP__SIMULATION_SECRET", "open s3cret"),
    ];
    let config = load("", &set, &[]).unwrap();
    let text = config.effective();
    assert!(text.contains("simulation_secret = \"***\""), "{text}");
    assert!(text.contains("database = \"postgres://shop:***@db/shop\""), "{text}");
    assert!(!text.contains("s3cret") && !format!("{config:?}").contains("s3cret"));
    assert_eq!(load(&text, &[], &[]).unwrap().effective(), text);
}

#[test]
fn unknown_keys_are_named_with_their_place_and_a_suggestion() {
    assert_eq!(
        problems("[server]\nlisen = '127.0.0.1:1'\n[storage]\nhold_ttl_seconds = 3\n"),
        [
            "shop.toml: there is no setting `server.lisen`; did you mean `server.listen`?",
            "shop.toml: there is no setting `storage.hold_ttl_seconds`; \
             did you mean `stock.hold_ttl_seconds`?",
        ]
    );
    assert_eq!(
        problems("listen = '127.0.0.1:1'\n[weather]\n"),
        [
            "shop.toml: there is no setting `listen`; did you mean `server.listen`?",
            "shop.toml: there is no setting `weather`; \
             `doorbuster check-config` prints all settings",
        ]
    );
    assert_eq!(
        environment_problem("DOORBUSTER__STORAGE__DATABSE", "postgres://u:s3cret@db/shop"),
        "environment variable DOORBUSTER__STORAGE__DATABSE: there is no setting \
         `storage.databse`; did you mean DOORBUSTER__STORAGE__DATABASE?"
    );
}

#[test]
fn values_of_the_wrong_type_say_what_is_expected() {
    assert_eq!(
        environment_problem("DOORBUSTER__LIMITS__IN_FLIGHT", "many"),
        "environment variable DOORBUSTER__LIMITS__IN_FLIGHT: `limits.in_flight` expects a whole \
         number, found `many`"
    );
    assert_eq!(
        environment_problem("DOORBUSTER__DEMO__CATALOGUE", "yes"),
        "environment variable DOORBUSTER__DEMO__CATALOGUE: `demo.catalogue` expects `true` or \
         `false`, found `yes`"
    );
    assert_eq!(
        load("", &[], &[listen("8080")]).unwrap_err().problems,
        ["flag --listen: `server.listen` expects an address such as `127.0.0.1:8080`: \
          invalid socket address syntax"]
    );
    assert_eq!(
        problems("mode = 'prod'\n[limits]\npage_size = -1\n[log]\nformat = 'xml'\n"),
        [
            "shop.toml: `limits.page_size` does not fit: invalid value: integer `-1`, expected u32",
            "shop.toml: `log.format` does not fit: unknown variant `xml`, \
             expected `text` or `json`",
            "shop.toml: `mode` does not fit: unknown variant `prod`, \
             expected `dev` or `production`",
        ]
    );
    assert_eq!(
        problems("server = 3"),
        ["shop.toml: there is no setting `server`; `doorbuster check-config` prints all settings"]
    );
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line_without_quoting_it() {
    let problem = problems("mode = 'dev'\n[storage]\nredis = redis://:s3cret@cache\n").remove(0);
    assert!(problem.starts_with("shop.toml, line 3: not valid TOML: "), "{problem}");
    assert!(!problem.contains("s3cret"), "{problem}");
    let missing = Config::load(Some(Path::new("no/such.toml")), &[]).unwrap_err().to_string();
    assert!(missing.starts_with("the configuration cannot be used:\n  - no/such.toml: "));
    assert!(missing.ends_with("name a file that exists and may be read with --config"));
}

#[test]
fn addresses_that_do_not_hold_say_what_to_do() {
    assert_eq!(
        load("", &[], &[listen("0.0.0.0:80")]).unwrap_err().problems,
        ["flag --listen: `server.listen` dev mode is open to everyone who can reach it; listen \
          on a loopback address, or set `mode = \"production\"` and make a key with \
          `doorbuster keys create`"]
    );
    assert!(load("mode = 'production'", &[], &[listen("0.0.0.0:80")]).is_ok());
    assert_eq!(
        problems("[server]\ncors_origins = 'https://a.example, https://b.example/'"),
        ["shop.toml: `server.cors_origins` `https://b.example/` is no origin; write \
          `https://shop.example.com`, without a path, several with commas between, or `*` for \
          every one"]
    );
    assert_eq!(
        problems("[server]\ncors_origins = '*'"),
        ["shop.toml: `server.cors_origins` would let every page on the web do everything here: \
          in dev mode no key is asked for; name the origins"]
    );
    assert!(load("mode = 'production'\n[server]\ncors_origins = '*'", &[], &[]).is_ok());
    assert_eq!(
        problems(
            "[server]\nmetrics_listen = '127.0.0.1:8080'\npublic_url = 'shop'\n\
             replica_id = 'a till'\n[payment]\ngateway = 'stripe'"
        ),
        [
            "shop.toml: `server.metrics_listen` is the address of `server.listen` too; \
             give it a port of its own",
            "shop.toml: `server.public_url` expects a URL such as `https://checkout.example.com`",
            "shop.toml: `server.replica_id` expects at most 64 printable characters without spaces",
            "shop.toml: `payment.gateway` expects `sandbox`, or the URL of one that \
             `doorbuster sandbox` serves",
        ]
    );
    assert_eq!(
        problems("[storage]\ndatabase = 'mysql://root:s3cret@db'\nredis = 'rediss://cache'"),
        [
            "shop.toml: `storage.database` expects a URL such as `postgres://user@host/name`; \
             for SQLite leave it out and set `storage.data` to a folder",
            "shop.toml: `storage.redis` TLS to Redis is not built in; use `redis://` on a \
             private network",
        ]
    );
    let memcached = problems("[storage]\nredis = 'memcached://cache'");
    assert_eq!(
        memcached,
        ["shop.toml: `storage.redis` expects an address such as `redis://127.0.0.1:6379`, or \
         `redis-cluster://host1:6379,host2:6379,host3:6379` for a Redis Cluster"]
    );
}

#[test]
fn counts_and_times_that_do_not_hold_say_what_to_do() {
    assert_eq!(
        problems(
            "[limits]\nin_flight = 0\nbody_bytes = 9\nkey_bytes = 8\n[retention]\nkeys_days = 0"
        ),
        [
            "shop.toml: `limits.in_flight` must be at least 1",
            "shop.toml: `retention.keys_days` must be at least 1",
            "shop.toml: `limits.body_bytes` must be at least 1024, or no checkout fits",
            "shop.toml: `limits.key_bytes` must be at least 36, the length of a UUID",
        ]
    );
    assert_eq!(
        problems(
            "[checkout]\ngateway_deadline_ms = 60000\nsession_ttl_seconds = 20\n\
             [stock]\nhold_ttl_seconds = 30"
        ),
        [
            "shop.toml: `stock.hold_ttl_seconds` must be longer than \
             `checkout.gateway_deadline_ms`, or holds lapse while the buyer pays",
            "shop.toml: `checkout.session_ttl_seconds` must not be shorter than \
             `stock.hold_ttl_seconds`",
            "default: `limits.request_seconds` must not be shorter than \
             `checkout.gateway_deadline_ms`, or buyers are sent away before the gateway has \
             answered",
        ]
    );
    assert_eq!(
        problems("[fraud]\nchallenge_loss_minor = -1\nreview_loss_minor = -20000"),
        [
            "shop.toml: `fraud.challenge_loss_minor` must be 0 or more; 0 is never",
            "shop.toml: `fraud.review_loss_minor` must be 0 or more; 0 is never",
        ]
    );
    assert_eq!(
        problems("[checkout]\ngateway_deadline_ms = 5"),
        ["shop.toml: `checkout.gateway_deadline_ms` must be at least 100: no gateway answers \
          sooner from afar"]
    );
    assert_eq!(
        problems("[fraud]\ndeadline_ms = 0"),
        ["shop.toml: `fraud.deadline_ms` must be at least 1, or every payment is decided by \
          `fraud.without_score`"]
    );
    let filter = problems("[log]\nfilter = 'info,,=x=y'").remove(0);
    assert!(filter.starts_with("shop.toml: `log.filter` "), "{filter}");
    assert!(filter.ends_with("write a level, or `target=level` with commas between"), "{filter}");
}
