//! What must hold between settings, and what an operator should hear about them.

use super::{Config, GatewayChoice, GatewaySettings, Mode, layers::Sources};
use crate::{fraud::policy::FraudMode, http::cors::Cors, sessions::check_address, telemetry::logs};

impl Config {
    /// What does not hold, each with its place and a way out.
    pub(super) fn problems(&self, sources: &Sources) -> Vec<String> {
        let mut found = Found { sources, problems: Vec::new() };
        self.check_addresses(&mut found);
        self.check_stores(&mut found);
        self.check_counts(&mut found);
        self.check_times(&mut found);
        if self.mode == Mode::Production && self.ucp.simulation_secret.is_some() {
            let reason = "lets orders ship that nobody ships; leave it out in production mode";
            found.add("ucp.simulation_secret", reason);
        }
        if self.fraud.model.is_some() && !sources.contains_key("fraud.mode") {
            let reason = "names a model of your own: say as well what its score may do, \
                          `fraud.mode = \"live\"` to decide, `\"shadow\"` to be recorded only";
            found.add("fraud.model", reason);
        }
        if let Err(error) = logs::check_filter(&self.log.filter) {
            let reason = format!("{error}; write a level, or `target=level` with commas between");
            found.add("log.filter", &reason);
        }
        found.problems
    }

    fn check_addresses(&self, found: &mut Found<'_>) {
        let server = &self.server;
        if self.mode == Mode::Dev && !server.listen.ip().is_loopback() {
            found.add(
                "server.listen",
                "dev mode is open to everyone who can reach it; listen on a loopback address, or \
                 set `mode = \"production\"` and make a key with `doorbuster keys create`",
            );
        }
        if server.metrics_listen == Some(server.listen) && server.listen.port() != 0 {
            let reason = "is the address of `server.listen` too; give it a port of its own";
            found.add("server.metrics_listen", reason);
        }
        if server.public_url.as_ref().is_some_and(|url| !is_http(url)) {
            let reason = "expects a URL such as `https://checkout.example.com`";
            found.add("server.public_url", reason);
        }
        match server.cors_origins.as_deref().map(Cors::parse) {
            Some(Err(why)) => found.add("server.cors_origins", &why.to_string()),
            Some(Ok(cors)) if cors.is_any() && self.mode == Mode::Dev => {
                let reason = "would let every page on the web do everything here: in dev mode no \
                              key is asked for; name the origins";
                found.add("server.cors_origins", reason);
            }
            _ => {}
        }
        if server.replica_id.as_ref().is_some_and(|name| !is_label(name)) {
            found
                .add("server.replica_id", "expects at most 64 printable characters without spaces");
        }
        if matches!(&self.payment.gateway, GatewayChoice::Remote(url) if !is_http(url)) {
            let reason = "expects `sandbox`, or the URL of one that `doorbuster sandbox` serves";
            found.add("payment.gateway", reason);
        }
        let gateways = &self.payment.gateways;
        for (at, settings) in gateways.iter().enumerate() {
            settings.problems().iter().for_each(|why| found.add("payment.gateways", why));
            if gateways[..at].iter().any(|other| other.name == settings.name) {
                let reason = format!("has `{}` twice: each name stands once", settings.name);
                found.add("payment.gateways", &reason);
            }
        }
    }

    fn check_stores(&self, found: &mut Found<'_>) {
        match self.storage.database.as_ref().map(|url| url.scheme()) {
            None | Some("postgres" | "postgresql") => {}
            Some(_) => found.add(
                "storage.database",
                "expects a URL such as `postgres://user@host/name`; for SQLite leave it out and \
                 set `storage.data` to a folder",
            ),
        }
        if let Some(Err(why)) = self.storage.redis.as_ref().map(|url| check_address(url.expose())) {
            found.add("storage.redis", &why);
        }
    }

    fn check_counts(&self, found: &mut Found<'_>) {
        let (limits, stock, retention) = (&self.limits, &self.stock, &self.retention);
        for (key, count) in [
            ("limits.lines_per_cart", limits.lines_per_cart as u64),
            ("limits.quantity_per_line", limits.quantity_per_line.into()),
            ("limits.page_size", limits.page_size.into()),
            ("limits.text_bytes", limits.text_bytes as u64),
            ("limits.body_seconds", limits.body_seconds),
            ("limits.header_seconds", limits.header_seconds),
            ("limits.in_flight", limits.in_flight as u64),
            ("limits.connections_per_address", limits.connections_per_address as u64),
            ("limits.unsent_bytes", limits.unsent_bytes as u64),
            ("stock.passivate_after_seconds", stock.passivate_after_seconds),
            ("stock.unpaid_units_per_buyer", stock.unpaid_units_per_buyer.into()),
            ("stock.unpaid_units_unnamed", stock.unpaid_units_unnamed.into()),
            ("stock.unpaid_units_per_caller", stock.unpaid_units_per_caller.into()),
            ("stock.grant_max_block", stock.grant_max_block.into()),
            ("retention.keys_days", retention.keys_days.into()),
            ("retention.sessions_days", retention.sessions_days.into()),
            ("retention.events_days", retention.events_days.into()),
            ("retention.addresses_days", retention.addresses_days.into()),
            ("webhooks.retry_wait_percent", self.webhooks.retry_wait_percent.into()),
            ("fraud.raw_signals_days", self.fraud.raw_signals_days.into()),
        ] {
            if count == 0 {
                found.add(key, "must be at least 1");
            }
        }
        for (key, loss) in [
            ("fraud.challenge_loss_minor", self.fraud.challenge_loss_minor),
            ("fraud.review_loss_minor", self.fraud.review_loss_minor),
        ] {
            if loss < 0 {
                found.add(key, "must be 0 or more; 0 is never");
            }
        }
        if limits.body_bytes < 1024 {
            found.add("limits.body_bytes", "must be at least 1024, or no checkout fits");
        }
        if limits.key_bytes < 36 {
            found.add("limits.key_bytes", "must be at least 36, the length of a UUID");
        }
    }

    fn check_times(&self, found: &mut Found<'_>) {
        let gateway_ms = self.checkout.gateway_deadline_ms;
        if gateway_ms < 100 {
            let reason = "must be at least 100: no gateway answers sooner from afar";
            found.add("checkout.gateway_deadline_ms", reason);
        }
        if self.fraud.deadline_ms == 0 {
            let reason = "must be at least 1, or every payment is decided by \
                          `fraud.without_score`";
            found.add("fraud.deadline_ms", reason);
        }
        if !(1..=2).contains(&self.fraud.promotion_people) {
            found.add("fraud.promotion_people", "expects 1 or 2");
        }
        if self.stock.hold_ttl_seconds.saturating_mul(1000) <= gateway_ms {
            let reason = "must be longer than `checkout.gateway_deadline_ms`, or holds lapse \
                          while the buyer pays";
            found.add("stock.hold_ttl_seconds", reason);
        }
        if self.checkout.session_ttl_seconds < self.stock.hold_ttl_seconds {
            let reason = "must not be shorter than `stock.hold_ttl_seconds`";
            found.add("checkout.session_ttl_seconds", reason);
        }
        if self.limits.request_seconds.saturating_mul(1000) < gateway_ms {
            let reason = "must not be shorter than `checkout.gateway_deadline_ms`, or buyers are \
                          sent away before the gateway has answered";
            found.add("limits.request_seconds", reason);
        }
    }

    /// Whether anything can be paid for with money for trying things out.
    fn takes_test_money(&self) -> bool {
        let gateways = &self.payment.gateways;
        gateways.is_empty() || gateways.iter().any(GatewaySettings::is_test)
    }

    /// Why nothing is to be served this way. Other commands may work: keys are made and databases
    /// migrated before a shop opens.
    pub fn refusal_to_serve(&self) -> Option<&'static str> {
        let unpaid = self.mode == Mode::Production
            && self.takes_test_money()
            && !self.payment.accept_test_money;
        unpaid.then_some(
            "production mode takes no test money, and `payment.gateway` is a sandbox, or one of \
             `payment.gateways` has a test key: whoever knows a word such as `success_token` \
             would have paid. Connect a gateway with a live key; or, to open on purpose without \
             money that moves, set `payment.accept_test_money = true`",
        )
    }

    /// What is allowed and should be said aloud at start.
    pub fn notices(&self) -> Vec<&'static str> {
        let mut notices = Vec::new();
        if self.mode == Mode::Production && self.storage.database.is_none() {
            notices.push(
                "production on SQLite: one process, one disk, no replica; \
                 set storage.database to run on PostgreSQL",
            );
        }
        if self.mode == Mode::Production && self.takes_test_money() {
            notices.push(
                "payments go to the sandbox gateway: no money moves, and whoever knows the word \
                 `success_token` has paid. Every order says `test_payment`",
            );
        }
        if self.fraud.mode == FraudMode::Shadow {
            notices.push(
                "fraud.mode is \"shadow\": the model's score is recorded with each judgement and \
                 decides nothing; the guard against card testing and rules that read no score \
                 decide. `doorbuster fraud outlook` says what the score would have done to your \
                 orders, and fraud.mode = \"live\" lets it decide",
            );
        }
        notices
    }
}

fn is_label(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_http(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| {
        host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
    })
}

struct Found<'a> {
    sources: &'a Sources,
    problems: Vec<String>,
}

impl Found<'_> {
    fn add(&mut self, key: &str, reason: &str) {
        self.problems.push(match self.sources.get(key) {
            Some(source) => format!("{source}: `{key}` {reason}"),
            None => format!("default: `{key}` {reason}"),
        });
    }
}
