//! `doorbuster listen`: a platform on this machine that hears of its orders, for trying things.

use actix::System;
use clap::Args;
use serde_json::Value;
use std::{io::Write, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    base::AnchoredClock,
    http::listening::{Heard, Listener, serve},
    outbound::{GuardedClient, OutboundSettings, Reach},
    platforms::Platforms,
};

/// Shows a profile at `/profile` and prints the webhooks that come to it, with whether their
/// signatures are believed. `/merchant` prints any other webhook as it came.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// The shop whose webhooks are believed.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub shop: String,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 9191)]
    pub port: u16,
    /// End after so many webhooks; without it, on interrupt.
    #[arg(long)]
    pub count: Option<usize>,
    /// End with an error when nothing comes for so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub patience: Option<u64>,
}

/// Listens until interrupted, or until enough was heard.
///
/// # Errors
/// When the port cannot be had, or nothing comes for too long.
pub fn run(arguments: &ListenArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    System::new().block_on(async {
        let client = GuardedClient::new(&OutboundSettings::default(), Reach::PublicAndLoopback)?;
        let clock = Arc::new(AnchoredClock::from_system());
        let (heard, mut hears) = mpsc::unbounded_channel();
        let listener = Listener {
            shop: format!("{}/.well-known/ucp", arguments.shop.trim_end_matches('/')),
            platforms: Platforms::new(client, clock.clone()),
            clock,
            heard,
        };
        let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
        let (server, address) = serve(listener, address)?;
        writeln!(out, "send UCP-Agent: profile=\"http://{address}/profile\" with a checkout")?;
        writeln!(out, "webhooks of other forms go to http://{address}/merchant")?;
        out.flush()?;
        let handle = server.handle();
        let serving = actix::spawn(server);
        let ended = tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
            ended = hear(arguments, &mut hears, out) => ended,
        };
        handle.stop(true).await;
        serving.await??;
        ended
    })
}

async fn hear(
    arguments: &ListenArgs,
    hears: &mut mpsc::UnboundedReceiver<Heard>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let mut count = 0;
    while arguments.count.is_none_or(|most| count < most) {
        let next = match arguments.patience {
            Some(seconds) => timeout(Duration::from_secs(seconds), hears.recv()).await,
            None => Ok(hears.recv().await),
        };
        let Ok(Some(heard)) = next else {
            anyhow::bail!(
                "nothing was heard for {} seconds: is a service running at {}, and did the \
                 checkout name this profile?",
                arguments.patience.unwrap_or_default(),
                arguments.shop
            );
        };
        count += 1;
        tell(&heard, out)?;
    }
    Ok(())
}

fn tell(heard: &Heard, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let signature = match (&heard.doubt, heard.was_checked) {
        (Some(doubt), _) => format!("NOT believed: {doubt}"),
        (None, true) => "its signature is believed".to_owned(),
        (None, false) => "its signature was not checked".to_owned(),
    };
    writeln!(out, "heard {}: {signature}", heard.id)?;
    let body = serde_json::from_str::<Value>(&heard.body);
    match body {
        Ok(body) => writeln!(out, "{body:#}")?,
        Err(_) => writeln!(out, "{}", heard.body)?,
    }
    out.flush()
}
