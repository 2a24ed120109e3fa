//! Lays the sources over one another, and says of each problem where it stands.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

use super::{Config, FraudSettings, GatewayChoice, Mode, SecretUrl, Server, Storage};

/// What environment variables of ours start with. Two underscores, so that `DOORBUSTER_TEST_…` and
/// others stay out.
const PREFIX: &str = "DOORBUSTER__";

/// The variable that sets the log's filter for most Rust programs, and here; ours comes first.
const RUST_LOG: &str = "RUST_LOG";

/// A setting given on the command line. May hold a password, hence no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as typed: `--listen`.
    pub flag: &'static str,
    /// The key it sets: `server.listen`.
    pub key: &'static str,
    /// The value as typed.
    pub value: String,
}

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n  - {}", .problems.join("\n  - "))]
pub struct ConfigError {
    /// One sentence each: where, what, and what to do.
    pub problems: Vec<String>,
}

impl ConfigError {
    pub(super) fn one(problem: String) -> Self {
        Self { problems: vec![problem] }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(String),
    Environment(String),
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// The keys that were set, with their places.
pub(super) type Sources = BTreeMap<String, Source>;

/// The environment variable that sets a key.
pub fn environment_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

impl Config {
    /// Settings that have no value.
    pub fn unset(&self) -> Vec<String> {
        let mut keys = every_key();
        for (key, _) in flatten(table(self)) {
            keys.remove(&key);
        }
        keys.into_keys().collect()
    }

    /// Lays file, environment and flags over the defaults, in this order. An empty variable counts
    /// as not set.
    pub(super) fn from_layers(
        file: Option<(&Path, &str)>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[Flag],
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::new();
        if let Some((path, text)) = file {
            layers.read_file(&path.display().to_string(), text)?;
        }
        let said = environment.filter(|(_, value)| !value.is_empty());
        let (mut ours, theirs): (Vec<_>, Vec<_>) =
            said.partition(|(name, _)| name.starts_with(PREFIX));
        if let Some((name, filter)) = theirs.into_iter().find(|(name, _)| name == RUST_LOG) {
            layers.set_text(Source::Environment(name), "log.filter".to_owned(), filter);
        }
        ours.sort();
        for (name, value) in ours {
            let key = name[PREFIX.len()..].to_lowercase().replace("__", ".");
            layers.set_text(Source::Environment(name), key, value);
        }
        for Flag { flag, key, value } in flags {
            layers.set_text(Source::Flag(flag), (*key).to_owned(), value.clone());
        }
        layers.finish()
    }
}

struct Layers {
    known: BTreeMap<String, Value>,
    merged: Table,
    sources: Sources,
    problems: Vec<String>,
}

impl Layers {
    fn new() -> Self {
        let merged = table(&Config::default());
        Self { known: every_key(), merged, sources: Sources::new(), problems: Vec::new() }
    }

    fn read_file(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        // The parser's own text quotes the line, and with it perhaps a password.
        let parsed: Table = toml::from_str(text).map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
            ConfigError::one(format!("{path}, line {line}: not valid TOML: {}", error.message()))
        })?;
        for (key, value) in flatten(parsed) {
            self.set(Source::File(path.to_owned()), key, value);
        }
        Ok(())
    }

    /// Sets a value that came as text; the default tells which type it should have.
    fn set_text(&mut self, source: Source, key: String, text: String) {
        let parsed =
            match self.known.get(&key) {
                Some(Value::Integer(_)) => text.trim().parse().map(Value::Integer).map_err(|_| {
                    format!("{source}: `{key}` expects a whole number, found `{text}`")
                }),
                Some(Value::Boolean(_)) => text.trim().parse().map(Value::Boolean).map_err(|_| {
                    format!("{source}: `{key}` expects `true` or `false`, found `{text}`")
                }),
                _ => Ok(Value::String(text)),
            };
        match parsed {
            Ok(value) => self.set(source, key, value),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn set(&mut self, source: Source, key: String, value: Value) {
        if !self.known.contains_key(&key) {
            self.problems.push(match retired(&key) {
                Some(instead) => format!("{source}: `{key}` is no longer a setting; {instead}"),
                None => {
                    let suggestion = self.suggest(&source, &key);
                    format!("{source}: there is no setting `{key}`{suggestion}")
                }
            });
            return;
        }
        // Tried alone on the defaults, a value that does not fit names itself.
        let mut alone = table(&Config::default());
        insert(&mut alone, &key, value.clone());
        match alone.try_into::<Config>() {
            Ok(_) => {
                insert(&mut self.merged, &key, value);
                self.sources.insert(key, source);
            }
            Err(error) => {
                let message = error.message();
                let hint = hint(&key);
                self.problems.push(format!("{source}: `{key}` {hint}: {message}"));
            }
        }
    }

    /// The known key that looks most like this one, in the words of its source.
    fn suggest(&self, source: &Source, key: &str) -> String {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let likeness = |known: &str| {
            let whole = strsim::normalized_damerau_levenshtein(key, known);
            let name = strsim::normalized_damerau_levenshtein(&last(key), &last(known));
            whole.max(name * 0.9)
        };
        let best = self.known.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match best {
            Some(best) if likeness(best) >= 0.6 => match source {
                Source::Environment(_) => format!("; did you mean {}?", environment_name(best)),
                _ => format!("; did you mean `{best}`?"),
            },
            _ => "; `doorbuster check-config` prints all settings".to_owned(),
        }
    }

    fn finish(mut self) -> Result<Config, ConfigError> {
        let mut config: Config = match self.merged.try_into() {
            Ok(config) => config,
            Err(error) => return Err(ConfigError::one(error.message().to_owned())),
        };
        if config.mode == Mode::Production {
            config.demo.catalogue &= self.sources.contains_key("demo.catalogue");
            config.server.metrics_listen.get_or_insert(([127, 0, 0, 1], 9464).into());
        }
        // A bad value was left out above; what its default says together with others says nothing.
        if self.problems.is_empty() {
            self.problems = config.problems(&self.sources);
        }
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { problems: self.problems })
        }
    }
}

/// What took the place of a setting of an earlier release.
fn retired(key: &str) -> Option<&'static str> {
    match key {
        "fraud.bundled_model" => Some(
            "`fraud.mode` decides for every model: `shadow` records its score, with `live` the \
             score decides",
        ),
        _ => None,
    }
}

/// What a value must look like, where serde's message alone does not help.
fn hint(key: &str) -> &'static str {
    match key {
        "server.listen" | "server.metrics_listen" => "expects an address such as `127.0.0.1:8080`",
        _ => "does not fit",
    }
}

/// Every key, with a value of its type: the defaults, and the settings that have none.
pub(super) fn every_key() -> BTreeMap<String, Value> {
    let defaults = Config::default();
    let url = Some(SecretUrl::new("scheme://host"));
    let path = Some(PathBuf::new());
    let full = Config {
        server: Server {
            metrics_listen: Some(defaults.server.listen),
            public_url: Some(String::new()),
            cors_origins: Some(String::new()),
            replica_id: Some(String::new()),
            ..defaults.server
        },
        storage: Storage { database: url.clone(), redis: url, ..defaults.storage },
        ucp: super::Ucp { simulation_secret: Some(super::Secret::new("")), ..defaults.ucp },
        fraud: FraudSettings {
            model: path.clone(),
            models: path.clone(),
            ip_database: path.clone(),
            ip_asn_database: path.clone(),
            rates: path,
            ..defaults.fraud
        },
        payment: super::Payment { gateway: GatewayChoice::Sandbox, ..defaults.payment },
        ..defaults
    };
    flatten(table(&full)).into_iter().collect()
}

pub(super) fn table(config: &impl Serialize) -> Table {
    Table::try_from(config).expect("settings are tables of plain values")
}

/// Leaves under dotted keys. An empty section that is none of ours stays, to be found unknown.
pub(super) fn flatten(table: Table) -> Vec<(String, Value)> {
    let sections = table_sections();
    let mut leaves = Vec::new();
    let mut rest: Vec<(String, Value)> = table.into_iter().collect();
    while let Some((key, value)) = rest.pop() {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                rest.extend(
                    inner.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)),
                );
            }
            Value::Table(_) if sections.contains(&key) => {}
            value => leaves.push((key, value)),
        }
    }
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    leaves
}

fn table_sections() -> Vec<String> {
    let is_section = |value: &Value| value.is_table();
    table(&Config::default()).into_iter().filter(|(_, v)| is_section(v)).map(|(k, _)| k).collect()
}

fn insert(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
