//! The house that chaos is let into: replicas, and the servers below them.

use anyhow::Context;
use rustix::process::Signal;
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::{
    options::Options,
    proxy::Proxy,
    sale::{SCARCE, Sale, TAIL},
    stocker::at_first,
};
use crate::{
    drive::request::sku,
    servers::{
        postgres::{Postgres, find_programs},
        redis::Caches,
        shop::{Bank, Doorbuster, Service},
    },
};

/// Settings all replicas have. Payments without an answer are soon given up and found out. Holds
/// outlive the longest run, so that a lost one cannot pass for one that lapsed. Little demand earns
/// a grant, so that those who die have units.
const SETTINGS: [(&str, &str); 7] = [
    ("checkout.gateway_deadline_ms", "600"),
    ("payment.sandbox_lost_ms", "1500"),
    ("limits.request_seconds", "8"),
    ("stock.hold_ttl_seconds", "86400"),
    ("checkout.session_ttl_seconds", "86400"),
    ("server.workers", "1"),
    ("stock.grants_at_holds_per_second", "2"),
];

/// A running replica.
#[derive(Debug)]
pub struct Replica {
    /// Its name among the others.
    pub name: String,
    /// Its process.
    pub service: Service,
}

/// All of it. Fields end in order: the replicas first.
#[derive(Debug)]
pub struct House {
    /// Those that run.
    pub replicas: Vec<Replica>,
    /// The gateway of all of them, with one book.
    pub bank: Bank,
    /// Where they keep their hot copies.
    pub caches: Caches,
    /// Between them and their ledger.
    pub proxy: Proxy,
    /// Their ledger.
    pub postgres: Postgres,
    sale: Arc<Sale>,
    ours: Doorbuster,
    direct: Doorbuster,
    born: usize,
    _scratch: TempDir,
}

impl House {
    /// Starts everything, with so many replicas.
    ///
    /// # Errors
    /// When something does not come up.
    pub fn open(
        binary: &Path,
        scratch: TempDir,
        runtime: &Handle,
        sale: &Arc<Sale>,
        options: &Options,
    ) -> anyhow::Result<Self> {
        let folder = scratch.path();
        let postgres = Postgres::start(&find_programs()?, folder)?;
        let proxy = Proxy::start(runtime, postgres.port())?;
        let caches = match options.redis_cluster {
            true => Caches::cluster(folder)?,
            false => Caches::one(folder)?,
        };
        let direct = Doorbuster::new(binary, folder, &postgres.url("postgres"));
        let direct = SETTINGS.iter().fold(direct, |ours, (key, value)| ours.with(key, value));
        fill(&direct, folder)?;
        let bank = direct.bank()?;
        let url = format!("postgres://load@127.0.0.1:{}/postgres", proxy.port());
        let ours = direct
            .clone()
            .with("storage.database", url)
            .with("storage.redis", &caches.url)
            .with("payment.gateway", &bank.url);
        let mut house = Self {
            replicas: Vec::new(),
            bank,
            caches,
            proxy,
            postgres,
            sale: sale.clone(),
            ours,
            direct,
            born: 0,
            _scratch: scratch,
        };
        for _ in 0..options.replicas {
            house.add()?;
        }
        Ok(house)
    }

    /// The ledger's address, past the proxy.
    pub fn ledger(&self) -> String {
        self.postgres.url("postgres")
    }

    /// One more replica.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn add(&mut self) -> anyhow::Result<()> {
        self.born += 1;
        let name = format!("replica-{}", self.born);
        let service = self.start(&name)?;
        self.replicas.push(Replica { name, service });
        Ok(())
    }

    /// Another process takes a replica's place under its name.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn replace(&mut self, at: usize) -> anyhow::Result<()> {
        let name = self.replicas[at].name.clone();
        self.sale.streets.close(self.replicas[at].service.target.address);
        self.replicas[at].service = self.start(&name)?;
        Ok(())
    }

    /// Tells a replica to go and waits until it has. Requests go on to it until then.
    ///
    /// # Errors
    /// When it does not end, or not well.
    pub fn drain(&mut self, at: usize) -> anyhow::Result<()> {
        let status = self.replicas[at].service.process.end(Signal::TERM)?;
        let replica = self.replicas.remove(at);
        self.sale.streets.close(replica.service.target.address);
        anyhow::ensure!(status.success(), "{} was told to go: {status}", replica.name);
        Ok(())
    }

    /// The service's own audit, of what it left behind.
    ///
    /// # Errors
    /// When it finds something, or cannot look.
    pub fn audit(&self) -> anyhow::Result<String> {
        let book = self.bank.book.display().to_string();
        self.direct.run(&["audit", "--book", &book]).context("the audit")
    }

    fn start(&self, name: &str) -> anyhow::Result<Service> {
        let ours = self.ours.clone().with("server.replica_id", name);
        let service = ours.start()?;
        self.sale.streets.open(service.target.address);
        Ok(service)
    }
}

fn fill(ours: &Doorbuster, folder: &Path) -> anyhow::Result<()> {
    let mut csv = "sku,title,price,currency,stock\n".to_owned();
    for number in 0..=SCARCE + TAIL {
        let (sku, units) = (sku(number), at_first(number));
        csv.push_str(&format!("{sku},The {sku},19.90,EUR,{units}\n"));
    }
    let file = folder.join("shop.csv");
    std::fs::write(&file, csv)?;
    ours.run(&["migrate"])?;
    ours.run(&["import", &file.display().to_string()]).map(drop)
}
