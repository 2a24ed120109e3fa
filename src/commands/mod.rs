//! The command line: what can be asked of the binary besides serving.
//!
//! **Owns:** arguments, and what each subcommand prints. **Invariant:** every subcommand reads the
//! same configuration the same way. **Not here:** the work itself (each slice does its own).

pub mod audit;
pub mod backtest;
pub mod bars;
pub mod check_config;
pub mod evaluate;
pub mod export;
pub mod fraud;
pub mod import;
pub mod keys;
pub mod listen;
pub mod migrate;
pub mod models;
pub mod openapi;
pub mod reconcile;
pub mod replay;
pub mod sandbox;
pub mod serve;
pub mod signing_keys;
pub mod simulate;
pub mod train;
pub mod train_ledger;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

use crate::{
    config::{Config, ConfigError, Flag, Mode},
    ledger::{Database, DatabaseFault, DatabaseOptions},
};

/// Takes a checkout, holds the stock, places the order, loses nothing.
#[derive(Parser)]
#[command(name = "doorbuster", version)]
pub struct Cli {
    /// What to do; serves when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings that every subcommand takes.
    #[command(flatten)]
    pub settings: Settings,
}

/// Settings given as flags: the last layer of the configuration. URLs may hold passwords, hence no
/// `Debug`.
#[derive(Default, Clone, Args)]
pub struct Settings {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Folder of the embedded database [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
    /// PostgreSQL to use instead of the embedded database: postgres://user@host/name
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Redis for hot copies of sessions: redis://host:6379, redis-cluster://host1:6379,host2:6379
    #[arg(long, global = true, value_name = "URL")]
    pub redis: Option<String>,
    /// A name for this process among its replicas, for people to read
    #[arg(long, global = true, value_name = "NAME")]
    pub replica_id: Option<String>,
    /// Version of UCP whose profile stands at /.well-known/ucp: 2026-04-08 or 2026-01-11 [default:
    /// 2026-04-08]
    #[arg(long, global = true, value_name = "VERSION")]
    pub ucp_default: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API; what happens without a subcommand, too.
    Serve,
    /// Serve the sandbox payment gateway to several processes.
    Sandbox(sandbox::SandboxArgs),
    /// Bring the database's schema up to date, or take migrations back.
    Migrate(migrate::Migrate),
    /// Make, list and revoke API keys.
    Keys(keys::KeysArgs),
    /// List and change the keys that webhooks and answers are signed with.
    SigningKeys(signing_keys::SigningKeysArgs),
    /// Be a platform that hears of its orders, for trying things.
    Listen(listen::ListenArgs),
    /// Read products and their stock, or what else a merchant sets, from a file.
    Import(import::Import),
    /// Write what a merchant has set to a file.
    Export(export::Export),
    /// Replay a shop's invoices as buyers, then audit.
    Replay(replay::Replay),
    /// Check that stock, holds, orders and charges add up.
    Audit(audit::Audit),
    /// Compare a day of each payment gateway's own list with the ledger.
    Reconcile(reconcile::Reconcile),
    /// Train a fraud model from past orders.
    Train(train::Train),
    /// Tell what a rule, thresholds or a model would have done.
    Backtest(backtest::Backtest),
    /// Tell what judging comes to, and whether the score should decide.
    Fraud(fraud::FraudArgs),
    /// Register, watch, promote and roll back fraud models.
    Models(models::ModelsArgs),
    /// Tell how good a fraud model is.
    Evaluate(evaluate::Evaluate),
    /// Make up a shop's orders, attacks included.
    Simulate(simulate::Simulate),
    /// Print the OpenAPI document of this service.
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApi),
    /// Check the configuration and print what is in force, passwords hidden.
    CheckConfig(check_config::CheckConfig),
}

impl Cli {
    /// The configuration with the flags on top.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn config(&self) -> Result<Config, ConfigError> {
        match &self.command {
            // Their own --data names files; the parser hands its first value to the global one.
            Some(
                Command::Train(train::Train { from_ledger: false, .. }) | Command::Evaluate(_),
            ) => Settings { data: None, ..self.settings.clone() }.load(),
            _ => self.settings.load(),
        }
    }
}

impl Settings {
    /// The configuration with these flags on top.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let given = [
            ("--listen", "server.listen", &self.listen),
            ("--data", "storage.data", &self.data),
            ("--database", "storage.database", &self.database),
            ("--redis", "storage.redis", &self.redis),
            ("--replica-id", "server.replica_id", &self.replica_id),
            ("--ucp-default", "ucp.default", &self.ucp_default),
        ];
        let flag = |(flag, key, value): (_, _, &Option<String>)| {
            value.clone().map(|value| Flag { flag, key, value })
        };
        let flags: Vec<Flag> = given.into_iter().filter_map(flag).collect();
        Config::load(self.config.as_deref(), &flags)
    }
}

/// The database that the configuration names.
pub fn database_options(config: &Config) -> DatabaseOptions {
    let location = match &config.storage.database {
        Some(url) => url.expose().to_owned(),
        None => config.storage.data.to_string_lossy().into_owned(),
    };
    let production = config.mode == Mode::Production;
    let pooling = config.storage.pooling;
    DatabaseOptions { production, pooling, ..DatabaseOptions::new(location) }
}

/// Opens the database for a subcommand, its schema checked.
///
/// # Errors
/// When it cannot be used as it is; the message says what to do.
pub async fn open_database(config: &Config) -> Result<Database, DatabaseFault> {
    let database = Database::open(&database_options(config)).await?;
    // An embedded database is made on first use; a server's is not ours to change unasked.
    if config.storage.database.is_none() {
        database.migrate().await?;
    }
    database.check().await?;
    Ok(database)
}

/// Carries a command out, printing to `out`. Without a command it serves.
///
/// # Errors
/// When it fails; the message says what to do.
pub fn run(
    command: Option<&Command>,
    config: &Config,
    out: &mut (dyn std::io::Write + Send),
) -> anyhow::Result<()> {
    match command {
        None | Some(Command::Serve) => serve::run(config, out),
        Some(Command::Sandbox(arguments)) => sandbox::run(arguments, config, out),
        Some(Command::Listen(arguments)) => listen::run(arguments, out),
        Some(Command::CheckConfig(arguments)) => check_config::run(arguments, config, out),
        Some(Command::OpenApi(arguments)) => openapi::run(arguments, config, out),
        Some(Command::Simulate(arguments)) => simulate::run(arguments, out),
        Some(Command::Train(arguments)) if arguments.from_ledger => {
            serve::wait_for(train_ledger::run(arguments, config, out))
        }
        Some(Command::Train(arguments)) => train::run(arguments, out),
        Some(Command::Backtest(arguments)) => {
            serve::wait_for(backtest::run(arguments, config, out))
        }
        Some(Command::Fraud(arguments)) => serve::wait_for(fraud::run(arguments, config, out)),
        Some(Command::Models(arguments)) => serve::wait_for(models::run(arguments, config, out)),
        Some(Command::Evaluate(arguments)) => evaluate::run(arguments, out),
        Some(Command::Migrate(arguments)) => serve::wait_for(migrate::run(arguments, config, out)),
        Some(Command::Keys(arguments)) => serve::wait_for(keys::run(arguments, config, out)),
        Some(Command::SigningKeys(arguments)) => {
            serve::wait_for(signing_keys::run(arguments, config, out))
        }
        Some(Command::Export(arguments)) => serve::wait_for(export::run(arguments, config, out)),
        Some(Command::Import(arguments)) => serve::wait_for(import::run(arguments, config, out)),
        Some(Command::Replay(arguments)) => serve::wait_for(replay::run(arguments, config, out)),
        Some(Command::Reconcile(arguments)) => {
            serve::wait_for(reconcile::run(arguments, config, out))
        }
        Some(Command::Audit(arguments)) => serve::wait_for(audit::run(arguments, config, out)),
    }
}
