//! What `compare` can be told.

use clap::{Args, ValueEnum};
use std::{fmt, path::PathBuf, time::Duration};

/// Who races.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Contender {
    /// Doorbuster
    Ours,
    /// The row lock
    N1,
    /// The best single statement
    N2,
    /// Stock in Redis
    N3,
    /// N2's SQL by pgbench
    P,
    /// HTTP and JSON alone
    Echo,
    /// The same rows by one connection in batches
    Batch,
}

impl Contender {
    /// Everybody.
    pub const ALL: [Self; 7] =
        [Self::Ours, Self::N1, Self::N2, Self::N3, Self::P, Self::Echo, Self::Batch];

    /// Its name in the JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::N1 => "n1",
            Self::N2 => "n2",
            Self::N3 => "n3",
            Self::P => "p",
            Self::Echo => "echo",
            Self::Batch => "batch",
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is raced over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Race {
    /// A flash sale: one SKU
    #[value(name = "hot_sku")]
    HotSku,
    /// Zipf 1.0 over 100,000 SKUs
    Zipf,
    /// Three lines of 1,000 SKUs
    Basket,
    /// The express lane, one request in flight: ours and N2
    Express,
    /// Latency at 80% of N2's saturation: ours and N2
    Latency,
    /// Twice what ours can do, open model
    Overload,
    /// One replica and eight, each under the same small load
    Replicas,
    /// The last 1,000 units: N2, one replica and eight
    #[value(name = "last_units")]
    LastUnits,
    /// 1,000 SKUs and 1,000,000, each bought as often as any other
    #[value(name = "many_skus")]
    ManySkus,
    /// Through PgBouncer in transaction mode, and without
    Pooled,
    /// With payments judged, and without
    Judged,
    /// With orders kept for a platform that is to be told of them, and without
    Told,
}

impl Race {
    /// Its key in the JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::HotSku => "hot_sku",
            Self::Zipf => "zipf",
            Self::Basket => "basket",
            Self::Express => "express_single_in_flight",
            Self::Latency => "latency_at_80pct",
            Self::Overload => "overload_2x",
            Self::Replicas => "replicas",
            Self::LastUnits => "last_units",
            Self::ManySkus => "many_skus",
            Self::Pooled => "pooled",
            Self::Judged => "judged",
            Self::Told => "told",
        }
    }
}

/// When ours takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Capture {
    /// Authorizes only, as the baselines do
    Manual,
    /// Captures after each order, which the baselines do not: one more gateway call and commit
    Immediate,
}

/// Races Doorbuster against the baselines on a PostgreSQL of our own, and says who did how much.
#[derive(Debug, Args)]
pub struct Options {
    /// What to race over; all when left out
    #[arg(long = "scenario", value_name = "RACE", value_delimiter = ',')]
    pub races: Vec<Race>,
    /// Who races; everybody when left out
    #[arg(long, value_name = "CONTENDERS", value_delimiter = ',')]
    pub only: Vec<Contender>,
    /// Seconds measured per turn
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Seconds before measuring, per turn
    #[arg(long, default_value_t = 2.0)]
    pub warm_up: f64,
    /// Turns of each; they are interleaved
    #[arg(long, default_value_t = 3)]
    pub repeat: usize,
    /// Where to write the figures; what the file holds of other races stays
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Flows in flight
    #[arg(long, default_value_t = 256)]
    pub in_flight: usize,
    /// Connections to PostgreSQL, instead of the best of a sweep: n1=8,n2=16
    #[arg(long, value_name = "NAME=N", value_delimiter = ',', value_parser = parse_connections)]
    pub connections: Vec<(Contender, usize)>,
    /// Sessions of ours in Redis instead of in its process
    #[arg(long)]
    pub redis_sessions: bool,
    /// When ours takes the money
    #[arg(long, value_enum, default_value_t = Capture::Manual)]
    pub capture: Capture,
    /// A setting of ours: section.key=value
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub settings: Vec<(String, String)>,
    /// Driver threads
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Doorbuster's binary, instead of building it
    #[arg(long, value_name = "FILE")]
    pub service: Option<PathBuf>,
    /// PostgreSQL's programs, instead of the newest found
    #[arg(long, value_name = "DIR")]
    pub postgres: Option<PathBuf>,
    /// Where databases and logs are put; the system's temporary folder when left out
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

impl Options {
    /// The races asked for.
    pub fn races(&self) -> Vec<Race> {
        if self.races.is_empty() { Race::value_variants().to_vec() } else { self.races.clone() }
    }

    /// Whether somebody is to race.
    pub fn wants(&self, contender: Contender) -> bool {
        self.only.is_empty() || self.only.contains(&contender)
    }

    /// How long a turn is measured.
    pub fn measure(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.clamp(0.5, 600.0))
    }

    /// How long a turn runs before.
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up.clamp(0.0, 60.0))
    }
}

fn parse_connections(raw: &str) -> Result<(Contender, usize), String> {
    let (name, count) = raw.split_once('=').ok_or("say NAME=N, such as n2=16")?;
    let count = count.parse().map_err(|_| format!("`{count}` is no count"))?;
    Ok((Contender::from_str(name, true)?, count))
}

fn parse_setting(raw: &str) -> Result<(String, String), String> {
    let (key, value) = raw.split_once('=').ok_or("say KEY=VALUE, such as limits.in_flight=512")?;
    Ok((key.to_owned(), value.to_owned()))
}
