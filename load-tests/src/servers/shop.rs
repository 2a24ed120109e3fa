//! Doorbuster itself, and the baselines: whatever says where it serves.

use anyhow::{Context, ensure};
use rustix::process::Signal;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::process::{Process, run};
use crate::{contend::SERVES, drive::target::Target};

/// A running service.
#[derive(Debug)]
pub struct Service {
    /// Its process.
    pub process: Process,
    /// Where it serves.
    pub target: Target,
}

impl Service {
    fn started(mut process: Process, beginning: &str) -> anyhow::Result<Self> {
        let base = process.says(beginning)?;
        Ok(Self { target: Target::parse(base.trim())?, process })
    }

    /// One of the baselines: `load-tests contender` with these arguments.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn contender(arguments: &[String], folder: &Path) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("where is this program?")?;
        let mut command = Command::new(own);
        command.arg("contender").args(arguments).current_dir(folder);
        let process = Process::start(&mut command, &folder.join("contender.log"), Signal::TERM)?;
        Self::started(process, SERVES)
    }
}

/// The sandbox gateway.
#[derive(Debug)]
pub struct Bank {
    /// Its process.
    pub process: Process,
    /// Where it serves.
    pub url: String,
    /// Its book.
    pub book: PathBuf,
}

/// How Doorbuster is set up: its binary, its folder, its settings.
#[derive(Debug, Clone)]
pub struct Doorbuster {
    binary: PathBuf,
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Doorbuster {
    /// On PostgreSQL, on a free port, with its data in `folder`, without the demo shop.
    pub fn new(binary: &Path, folder: &Path, database: &str) -> Self {
        let own = Self { binary: binary.into(), folder: folder.into(), settings: Vec::new() };
        own.with("server.listen", "127.0.0.1:0")
            .with("storage.data", folder.join("data").display())
            .with("storage.database", database)
            .with("demo.catalogue", false)
            // Every payment is judged and recorded, and every order's money is taken: a race in
            // which some orders wait for a person would be an easier one.
            .with("fraud.mode", "record")
            // A few made-up buyers at one address stand for a crowd.
            .with("stock.unpaid_units_per_buyer", u32::MAX)
            .with("stock.unpaid_units_unnamed", u32::MAX)
            .with("stock.unpaid_units_per_caller", u32::MAX)
            .with("limits.connections_per_address", 65_536)
            .with("log.filter", "warn")
    }

    /// With one setting changed: `section.key`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        let name = format!("DOORBUSTER__{}", key.replace('.', "__").to_uppercase());
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_string()));
        self
    }

    /// Runs a subcommand to its end.
    ///
    /// # Errors
    /// When it fails; with what it said.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        run(self.command().args(arguments))
    }

    /// Starts serving.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(&self) -> anyhow::Result<Service> {
        let log = self.folder.join("doorbuster.log");
        let process = Process::start(&mut self.command(), &log, Signal::TERM)?;
        Service::started(process, "doorbuster serves ")
    }

    /// Starts the sandbox gateway as a process of its own, for several replicas.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn bank(&self) -> anyhow::Result<Bank> {
        let mut command = self.command();
        command.args(["sandbox", "--port", "0"]);
        let mut process = Process::start(&mut command, &self.folder.join("bank.log"), Signal::INT)?;
        let line = process.says("the sandbox serves ")?;
        let said = line.trim().split_once(", its book is ");
        let (url, book) = said.with_context(|| format!("the sandbox says `{line}`"))?;
        Ok(Bank { process, url: url.to_owned(), book: self.folder.join(book) })
    }

    /// Makes the schema and fills the shop: so many SKUs with so many units each.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn fill(&self, skus: u32, units: u32) -> anyhow::Result<()> {
        let file = self.folder.join("shop.csv");
        let mut csv = std::io::BufWriter::new(std::fs::File::create(&file)?);
        crate::commands::shelves::catalogue(skus, units, &mut csv)?;
        std::io::Write::flush(&mut csv).context("the catalogue cannot be written")?;
        self.run(&["migrate"])?;
        self.run(&["import", &file.display().to_string()]).map(drop)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).envs(self.settings.iter().cloned());
        command
    }
}

/// Doorbuster as it is shipped: the binary named, or the one beside this program, built first.
///
/// # Errors
/// When it does not build.
pub fn find_doorbuster(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        ensure!(named.exists(), "there is no {}", named.display());
        return Ok(std::fs::canonicalize(named)?);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut build = Command::new(cargo);
    build.args(["build", "--profile", "dist", "--quiet", "--bin", "doorbuster"]).current_dir(&root);
    run(&mut build).context("Doorbuster does not build")?;
    let own = std::env::current_exe().context("where is this program?")?;
    let beside = own.with_file_name("doorbuster");
    let usual = root.join("target/dist/doorbuster");
    let built = if own.ends_with("dist/load-tests") { beside } else { usual };
    ensure!(built.exists(), "there is no {}", built.display());
    Ok(built)
}
