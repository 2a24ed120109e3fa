//! A service of the replay's own, in a folder that goes with it.

use std::{any::Any, fmt, path::PathBuf, sync::Arc};

use crate::{config::Config, ledger::Store};

/// A running service.
pub struct Embedded {
    /// Where it answers, such as `http://127.0.0.1:40123`.
    pub base_url: String,
    /// Its ledger, for the audit.
    pub store: Arc<dyn Store>,
    /// The sandbox's book.
    pub book: PathBuf,
    /// Whatever keeps it running; dropped, it stops.
    pub keep: Box<dyn Any + Send>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("base_url", &self.base_url)
            .field("book", &self.book)
            .finish_non_exhaustive()
    }
}

/// Starts the service of `config` on a free port of loopback, without the demo's products. What it
/// keeps in a folder stands in a temporary one; a database named in `config` is used as it is.
///
/// # Errors
/// When it does not start.
pub async fn start_embedded(config: &Config) -> anyhow::Result<Embedded> {
    let _ = config;
    anyhow::bail!("this build cannot start a service of its own; name a running one with --target")
}
