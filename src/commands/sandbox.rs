//! `doorbuster sandbox`: the sandbox gateway over HTTP, for several processes.

use actix::System;
use clap::Args;
use std::{io::Write, net::SocketAddr, sync::Arc};

use crate::{
    base::AnchoredClock,
    config::Config,
    http::sandbox,
    payment::sandbox::{BOOK, Sandbox, SandboxSettings},
};

/// Serves the sandbox gateway. Loopback only: it is a toy bank without a lock.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8090)]
    pub port: u16,
}

/// Serves until interrupted. The book stands in the data folder.
///
/// # Errors
/// When the book or the port cannot be had.
pub fn run(
    arguments: &SandboxArgs,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    System::new().block_on(async {
        std::fs::create_dir_all(&config.storage.data)?;
        let settings = SandboxSettings {
            slow_ms: config.payment.sandbox_slow_ms,
            client_timeout_ms: config.payment.sandbox_lost_ms,
        };
        let book = config.storage.data.join(BOOK);
        let clock = Arc::new(AnchoredClock::from_system());
        let bank = Arc::new(Sandbox::open(&book, settings, clock)?);
        let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
        let (server, address) = sandbox::serve(bank, address)?;
        writeln!(out, "the sandbox serves http://{address}, its book is {}", book.display())?;
        out.flush()?;
        let handle = server.handle();
        let serving = actix::spawn(server);
        tokio::signal::ctrl_c().await?;
        handle.stop(false).await;
        serving.await??;
        Ok(())
    })
}
