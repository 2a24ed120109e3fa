//! Configuration: defaults ← TOML file ← environment ← flags, parsed, validated, printed redacted.
//!
//! **Owns:** every setting, its default and its reason. **Invariant:** a [`Config`] that exists has
//! been [checked](check); a key nobody knows is an error that names its place.
//! **Not here:** what a setting does (see the slice that is handed it by `app`).

mod check;
mod checkout;
mod fraud;
mod gateways;
mod layers;
mod reference;
mod secret_url;
mod ucp;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{net::SocketAddr, path::Path, path::PathBuf, time::Duration};

pub use checkout::{Capture, Checkout, Delivery};
pub use fraud::FraudSettings;
pub use gateways::{Account, AdyenAccount, GatewaySettings, PayPalAccount, StripeAccount};
pub use layers::{ConfigError, Flag, environment_name};
pub use reference::markdown;
pub use secret_url::SecretUrl;
pub use ucp::{Secret, Signatures, Ucp, UcpVersion};

use crate::{base::Limits, checkout::UnpaidCaps, ledger::Pooling, telemetry::LogFormat};

/// Every setting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether strangers may reach this process.
    pub mode: Mode,
    /// `[server]`
    pub server: Server,
    /// `[storage]`
    pub storage: Storage,
    /// `[limits]`
    pub limits: Limits,
    /// `[stock]`
    pub stock: Stock,
    /// `[checkout]`
    pub checkout: Checkout,
    /// `[payment]`
    pub payment: Payment,
    /// `[fraud]`
    pub fraud: FraudSettings,
    /// `[ucp]`
    pub ucp: Ucp,
    /// `[webhooks]`
    pub webhooks: Webhooks,
    /// `[retention]`
    pub retention: Retention,
    /// `[demo]`
    pub demo: Demo,
    /// `[log]`
    pub log: Log,
}

/// Whether strangers may reach this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// On one's own machine: open to everybody on loopback, and nowhere else.
    #[default]
    Dev,
    /// For customers: needs API keys and a database that keeps what it acknowledges.
    Production,
}

/// Where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address of the public API.
    pub listen: SocketAddr,
    /// Address of `/metrics`, `/healthz` and `/readyz` alone. Unset, dev mode serves `/metrics`
    /// beside the API and production listens on 127.0.0.1:9464.
    pub metrics_listen: Option<SocketAddr>,
    /// How clients reach the API, for links and discovery. Unset: `http://` and `listen`.
    pub public_url: Option<String>,
    /// Origins whose pages may read answers in a browser, with commas between; `*` is every one.
    /// Unset: none. What stands at `/.well-known/` every page may read.
    pub cors_origins: Option<String>,
    /// HTTP threads; 0 means one per core.
    pub workers: usize,
    /// A name for this process among its replicas, for people: it stands beside its grants in the
    /// ledger and in the log. Whose a grant is, a random id per process start says.
    pub replica_id: Option<String>,
}

/// Where truth and its hot copy live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Folder of the embedded database, the sandbox's book and the lock.
    pub data: PathBuf,
    /// PostgreSQL URL. Unset: SQLite in the data folder.
    pub database: Option<SecretUrl>,
    /// What a connection to PostgreSQL means.
    pub pooling: Pooling,
    /// Redis URL, or `redis-cluster://` and some of a cluster's nodes with commas between. Unset:
    /// a session is in its cart's memory alone.
    pub redis: Option<SecretUrl>,
}

/// How stock is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stock {
    /// How long a hold lives without activity. A shopper has 10 minutes to pay; longer, and a flash
    /// sale starves on abandoned carts.
    pub hold_ttl_seconds: u64,
    /// How long a checkout holds in all, from its first hold on, however often it is renewed: an
    /// hour is enough for who wants to buy, and too short to keep goods from others. It is never
    /// shorter than `hold_ttl_seconds`.
    pub hold_life_max_seconds: u64,
    /// Units of one SKU that a buyer (by e-mail address) may hold unpaid at once, in all checkouts.
    /// A network address may hold ten times as many. Wholesale: set it to what one order takes.
    pub unpaid_units_per_buyer: u32,
    /// Units of one SKU that a checkout may hold before it says who buys.
    pub unpaid_units_unnamed: u32,
    /// Units of one SKU that all buyers of an API key may hold unpaid at once.
    pub unpaid_units_per_caller: u32,
    /// How long an idle actor stays in memory.
    pub passivate_after_seconds: u64,
    /// The most units a process takes at once to sell from memory; others must recall them.
    pub grant_max_block: u32,
    /// Demand at which a SKU earns grants; below, each hold takes from the stock row itself.
    pub grants_at_holds_per_second: u32,
}

/// Who moves the money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payment {
    /// `"sandbox"`, or the URL of a sandbox that `doorbuster sandbox` serves.
    pub gateway: GatewayChoice,
    /// Whether production may take the sandbox's tokens as payments, though no money moves: a
    /// rehearsal, a demonstration. Every order says `test_payment` then.
    pub accept_test_money: bool,
    /// How long the sandbox takes over `slow_token`.
    pub sandbox_slow_ms: u64,
    /// How long the sandbox keeps the line open over `lost_token` before it hangs up.
    pub sandbox_lost_ms: u64,
    /// Real gateways, in the order in which they are asked. Where there are any, `gateway` is not.
    #[serde(deserialize_with = "gateways::list")]
    pub gateways: Vec<GatewaySettings>,
}

/// Which gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum GatewayChoice {
    /// The sandbox in this process.
    #[default]
    Sandbox,
    /// A sandbox at a URL.
    Remote(String),
}

/// How long things are kept that are kept only for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days an idempotency key replays its answer.
    pub keys_days: u32,
    /// Days an ended, never completed session is kept.
    pub sessions_days: u32,
    /// Days a sent event is kept.
    pub events_days: u32,
    /// Days the addresses are kept of a customer who does not come back.
    pub addresses_days: u32,
}

/// How endpoints hear of what happens to orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// How long a failed delivery waits for its next attempt, in percent of the usual five seconds
    /// to a day.
    pub retry_wait_percent: u32,
}

/// What makes a first start pleasant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demo {
    /// Whether an empty store is filled with a small shop. Off in production unless asked for.
    pub catalogue: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `"text"` for people, `"json"` for machines.
    pub format: LogFormat,
    /// Which events, as `level` or `target=level`, comma-separated.
    pub filter: String,
}

impl Default for Server {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self {
            listen,
            metrics_listen: None,
            public_url: None,
            cors_origins: None,
            workers: 0,
            replica_id: None,
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        let pooling = Pooling::Session;
        Self { data: "./data".into(), database: None, pooling, redis: None }
    }
}

impl Default for Stock {
    fn default() -> Self {
        Self {
            hold_ttl_seconds: 600,
            hold_life_max_seconds: 3600,
            unpaid_units_per_buyer: 1_000,
            unpaid_units_unnamed: 100,
            unpaid_units_per_caller: 100_000,
            passivate_after_seconds: 300,
            grant_max_block: 1024,
            grants_at_holds_per_second: 20,
        }
    }
}

impl Default for Payment {
    fn default() -> Self {
        let (gateway, accept_test_money) = (GatewayChoice::Sandbox, false);
        Self {
            gateway,
            accept_test_money,
            sandbox_slow_ms: 3_000,
            sandbox_lost_ms: 5_000,
            gateways: Vec::new(),
        }
    }
}

impl Config {
    /// The folder of registered models.
    pub fn models(&self) -> PathBuf {
        self.fraud.models.clone().unwrap_or_else(|| self.storage.data.join("models"))
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { keys_days: 30, sessions_days: 7, events_days: 14, addresses_days: 730 }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { retry_wait_percent: 100 }
    }
}

impl Default for Demo {
    fn default() -> Self {
        Self { catalogue: true }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl Serialize for GatewayChoice {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match self {
            Self::Sandbox => "sandbox",
            Self::Remote(url) => url,
        })
    }
}

impl<'de> Deserialize<'de> for GatewayChoice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(from)?;
        Ok(if raw == "sandbox" { Self::Sandbox } else { Self::Remote(raw) })
    }
}

impl Config {
    /// Reads the file, when one is named, this process's environment and the flags.
    ///
    /// # Errors
    /// When a file cannot be read, a key is unknown or a value does not hold; all at once.
    pub fn load(file: Option<&Path>, flags: &[Flag]) -> Result<Self, ConfigError> {
        let text = match file {
            None => None,
            Some(path) => Some((
                path,
                std::fs::read_to_string(path).map_err(|error| {
                    ConfigError::one(format!(
                        "{}: {error}; name a file that exists and may be read with --config",
                        path.display()
                    ))
                })?,
            )),
        };
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        Self::from_layers(
            text.as_ref().map(|(path, text)| (*path, text.as_str())),
            environment,
            flags,
        )
    }

    /// What is in force, as a configuration file, with passwords hidden.
    pub fn effective(&self) -> String {
        toml::to_string(self).expect("settings are tables of plain values")
    }

    /// How clients reach the API.
    pub fn public_url(&self) -> String {
        match &self.server.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.server.listen),
        }
    }

    /// How long a hold lives.
    pub const fn hold_ttl(&self) -> Duration {
        Duration::from_secs(self.stock.hold_ttl_seconds)
    }

    /// How many units of a SKU may be held unpaid.
    pub const fn unpaid_caps(&self) -> UnpaidCaps {
        UnpaidCaps {
            per_buyer: self.stock.unpaid_units_per_buyer,
            unnamed: self.stock.unpaid_units_unnamed,
            per_caller: self.stock.unpaid_units_per_caller,
        }
    }

    /// How long a session stays open.
    pub const fn session_ttl(&self) -> Duration {
        Duration::from_secs(self.checkout.session_ttl_seconds)
    }

    /// How long a gateway may take.
    pub const fn gateway_deadline(&self) -> Duration {
        Duration::from_millis(self.checkout.gateway_deadline_ms)
    }
}
