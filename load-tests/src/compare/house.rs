//! What everybody races on: one PostgreSQL, one Redis, and a filled database to start each turn
//! from.

use anyhow::Context;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::options::{Capture, Contender, Options};
use crate::{
    commands::shelves,
    contend::{n3, schema},
    servers::{
        pgbouncer::PgBouncer,
        postgres::{Postgres, find_programs},
        redis::Redis,
        shop::{Doorbuster, Service, find_doorbuster},
    },
};

/// SKUs that `doorbuster import` brings at most; of more, it brings the first.
const IMPORTED: u32 = 100_000;

/// What a race is over: so many SKUs with so many units each, so many lines per cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Goods {
    /// SKUs.
    pub skus: u32,
    /// Units of each.
    pub units: u32,
    /// Lines per cart.
    pub lines: u32,
}

/// The servers, and where things are.
pub struct House {
    /// PostgreSQL.
    pub postgres: Postgres,
    /// Redis.
    pub redis: Redis,
    /// Runs what waits for databases.
    pub runtime: Runtime,
    /// The best number of connections of those who were swept.
    pub connections: BTreeMap<(Goods, Contender), usize>,
    /// Whether ours is served through a PgBouncer in transaction mode from here on.
    pub pooled: bool,
    /// Whether ours judges no payments from here on.
    pub unjudged: bool,
    /// Whether buyers come from a platform that is to be told of its orders from here on.
    pub for_platform: bool,
    binary: PathBuf,
    settings: Vec<(String, String)>,
    redis_sessions: bool,
    templates: BTreeSet<String>,
    turn: usize,
    scratch: TempDir,
}

/// A contender that serves, on a database of its own.
pub struct Turn {
    /// The service.
    pub service: Service,
    /// Its database's name.
    pub database: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Between the service and PostgreSQL, if anything is.
    pub pooler: Option<PgBouncer>,
    /// Ours, to audit with; it goes to PostgreSQL itself.
    pub ours: Option<Doorbuster>,
}

impl House {
    /// Starts the servers.
    ///
    /// # Errors
    /// When something is missing or does not start.
    pub fn open(options: &Options) -> anyhow::Result<Self> {
        let binary = find_doorbuster(options.service.as_deref())?;
        let scratch = match &options.scratch {
            Some(folder) => tempfile::Builder::new().prefix("load-").tempdir_in(folder),
            None => tempfile::Builder::new().prefix("load-").tempdir(),
        };
        let scratch = scratch.context("no folder for databases and logs")?;
        let bin = options.postgres.clone().map_or_else(find_programs, Ok)?;
        let mut settings = options.settings.clone();
        let capture = match options.capture {
            Capture::Manual => "manual",
            Capture::Immediate => "immediate",
        };
        settings.insert(0, ("checkout.capture".to_owned(), capture.to_owned()));
        Ok(Self {
            postgres: Postgres::start(&bin, scratch.path())?,
            redis: Redis::start(scratch.path())?,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?,
            connections: BTreeMap::new(),
            pooled: false,
            unjudged: false,
            for_platform: false,
            binary,
            settings,
            redis_sessions: options.redis_sessions,
            templates: BTreeSet::new(),
            turn: 0,
            scratch,
        })
    }

    /// Doorbuster on this database.
    pub fn ours(&self, folder: &Path, database: &str) -> Doorbuster {
        let mut ours = Doorbuster::new(&self.binary, folder, &self.postgres.url(database));
        if self.redis_sessions {
            ours = ours.with("storage.redis", self.redis.url());
        }
        for (key, value) in &self.settings {
            ours = ours.with(key, value);
        }
        ours
    }

    /// A folder for one turn's books and logs.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn folder(&mut self) -> anyhow::Result<PathBuf> {
        self.turn += 1;
        let folder = self.scratch.path().join(format!("turn-{}", self.turn));
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A fresh database for this contender, filled; its name.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn database(&mut self, contender: Contender, goods: Goods) -> anyhow::Result<String> {
        let kind = if contender == Contender::Ours { "ours" } else { "theirs" };
        let template = format!("{kind}_{}_{}", goods.skus, goods.units);
        if !self.templates.contains(&template) {
            self.sql(&format!("create database {template}"))?;
            if contender == Contender::Ours {
                let folder = self.folder()?;
                let ours = self.ours(&folder, &template);
                if goods.skus <= IMPORTED {
                    ours.fill(goods.skus, goods.units)?;
                } else {
                    ours.fill(1, goods.units)?;
                    self.runtime.block_on(async {
                        let mut client = self.postgres.connect(&template).await?;
                        shelves::multiply(&mut client, goods.skus).await
                    })?;
                }
            } else {
                self.runtime.block_on(async {
                    let client = self.postgres.connect(&template).await?;
                    schema::fill(&client, goods.skus, i64::from(goods.units)).await
                })?;
            }
            self.templates.insert(template.clone());
        }
        let name = format!("turn_{}", self.turn);
        self.sql(&format!("drop database if exists {name} with (force)"))?;
        self.sql(&format!("create database {name} template {template}"))?;
        // What the last turn left to be written is not this one's to pay for.
        self.sql("checkpoint")?;
        Ok(name)
    }

    /// Starts a contender on a fresh database.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(
        &mut self,
        contender: Contender,
        goods: Goods,
        connections: usize,
    ) -> anyhow::Result<Turn> {
        let folder = self.folder()?;
        let database = self.database(contender, goods)?;
        if contender == Contender::Ours {
            let mut ours = self.ours(&folder, &database);
            if self.unjudged {
                ours = ours.with("fraud.mode", "off");
            }
            let pooler = self.pooled.then(|| PgBouncer::start(&self.postgres)).transpose()?;
            let service = match &pooler {
                None => ours.start()?,
                Some(pooler) => {
                    let pooled = ours.clone().with("storage.database", pooler.url(&database));
                    pooled.with("storage.pooling", "transaction").start()?
                }
            };
            return Ok(Turn { service, database, folder, pooler, ours: Some(ours) });
        }
        if contender == Contender::N3 {
            let redis = self.redis.url();
            self.runtime.block_on(n3::fill(&redis, goods.skus, i64::from(goods.units)))?;
        }
        let arguments = [
            contender.name().to_owned(),
            format!("--database={}", with_index_scans(&self.postgres.url(&database))),
            format!("--redis={}", self.redis.url()),
            format!("--connections={connections}"),
            format!("--lines={}", goods.lines),
        ];
        let service = Service::contender(&arguments, &folder)?;
        Ok(Turn { service, database, folder, pooler: None, ours: None })
    }

    /// Drops a turn's database.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn forget(&self, database: &str) -> anyhow::Result<()> {
        self.sql(&format!("drop database if exists {database} with (force)"))
    }

    fn sql(&self, text: &str) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let client = self.postgres.connect("postgres").await?;
            client.batch_execute(text).await.with_context(|| text.to_owned())
        })
    }
}

/// Options for a connection whose statements find rows by key, whatever the statistics of the
/// still empty tables said when they were planned. Ours sets the same.
pub const PLANS: &str = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

/// The address with those options.
pub fn with_index_scans(url: &str) -> String {
    format!("{url}?options={}", PLANS.replace(' ', "%20").replace('=', "%3D"))
}
