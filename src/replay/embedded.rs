//! A service of the replay's own, in a folder that goes with it.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tempfile::TempDir;

use crate::{
    app::{App, Replaced},
    config::Config,
    ledger::Store,
    payment::sandbox::BOOK,
};

/// A running service.
pub struct Embedded {
    app: App,
    folder: TempDir,
}

impl Embedded {
    /// Where it answers, such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.app.address)
    }

    /// Its ledger, for the audit.
    pub fn store(&self) -> Arc<dyn Store> {
        self.app.desk.store.clone()
    }

    /// The sandbox's book.
    pub fn book(&self) -> PathBuf {
        self.folder.path().join(BOOK)
    }

    /// Waits until what was begun is settled: captures are owed after the reply.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.app.settle().await
    }

    /// Stops it and removes the folder.
    pub async fn stop(self) {
        self.app.stop().await;
    }
}

/// Starts the service of `config` on a free port of loopback, without the demo's products. What it
/// keeps in a folder stands in a temporary one; a database named in `config` is used as it is.
///
/// # Errors
/// When it does not start.
pub async fn start_embedded(config: &Config) -> anyhow::Result<Embedded> {
    let folder = tempfile::tempdir()?;
    let mut config = config.clone();
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.storage.data = folder.path().to_owned();
    config.demo.catalogue = false;
    // Invoices of merchants are paid for as soon as they are opened.
    config.stock.unpaid_units_per_buyer = u32::MAX;
    config.stock.unpaid_units_per_caller = u32::MAX;
    let app = App::start(&config, Replaced::default()).await?;
    Ok(Embedded { app, folder })
}
