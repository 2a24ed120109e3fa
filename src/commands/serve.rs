//! `doorbuster serve`: the service itself, until it is told to stop.

use actix::System;
use std::io::Write;

use crate::{
    app::{App, Replaced},
    config::{Config, Mode},
};

/// Serves until SIGINT or SIGTERM; a second one exits at once.
///
/// # Errors
/// When it cannot start; the message says what to do.
pub fn run(config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    wait_for(async {
        say_aloud(config)?;
        let app = App::start(config, Replaced::default()).await?;
        greet(&app, config, out)?;
        stop_signal().await?;
        tracing::info!("stopping: no new work, finishing what is inside; signal again to exit now");
        tokio::select! {
            () = app.stop() => Ok(()),
            again = stop_signal() => {
                again?;
                anyhow::bail!("stopped at once, on a second signal")
            }
        }
    })
}

/// Tells what is allowed and should be known.
fn say_aloud(config: &Config) -> anyhow::Result<()> {
    for notice in config.notices() {
        tracing::warn!("{notice}");
    }
    config.refusal_to_serve().map_or(Ok(()), |refusal| Err(anyhow::anyhow!(refusal)))
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Says where it is and how to buy something.
fn greet(app: &App, config: &Config, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let base = format!("http://{}", app.address);
    let store = match &config.storage.database {
        Some(_) => "PostgreSQL".to_owned(),
        None => format!("SQLite in {}", config.storage.data.display()),
    };
    let hot = if config.storage.redis.is_some() { "Redis" } else { "this process" };
    writeln!(out, "doorbuster serves {base}")?;
    writeln!(out, "  truth in {store}, hot copies in {hot}")?;
    writeln!(out, "  profile {base}/.well-known/ucp, health {base}/readyz")?;
    if config.mode == Mode::Dev {
        writeln!(out, "\nBuy something:\n")?;
        writeln!(out, "  curl -s {base}/v1/orders -H 'Content-Type: application/json' \\")?;
        writeln!(out, "    -H \"Idempotency-Key: $(date +%s%N)\" \\")?;
        writeln!(out, "    -d '{}'\n", first_order())?;
    }
    out.flush()
}

/// The body of an order that works in the demo shop.
const fn first_order() -> &'static str {
    concat!(
        r#"{"lines":[{"sku":"FLASH-SNEAKER-42","quantity":1}],"#,
        r#""buyer":{"email":"ada@example.com"},"payment":{"token":"success_token"}}"#
    )
}

/// Does some work where actors can live, with threads enough that none of it waits for another.
///
/// # Errors
/// What the work comes to.
pub(super) fn wait_for(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let system = System::with_tokio_rt(|| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().expect("the system gives us threads")
    });
    system.block_on(work)
}
