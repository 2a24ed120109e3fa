//! `doorbuster reconcile`: a day of each gateway's own list, compared with the ledger. With the
//! embedded database the service must be stopped meanwhile.

use anyhow::Context;
use clap::Args;
use std::{io::Write, sync::Arc};

use super::open_database;
use crate::{
    app::gateways,
    base::{AnchoredClock, Clock},
    config::Config,
    payment::inbox::Inbox,
    reconcile::{Day, Reconciler, Records, Report},
};

/// Compares a day.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// The day in UTC [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub day: Option<String>,
    /// Only this gateway, by its configured name
    #[arg(long, value_name = "NAME")]
    pub gateway: Option<String>,
}

/// Compares, records what differs, and lists it.
///
/// # Errors
/// When a list or the ledger cannot be read, or something differs: then the process says so by its
/// exit code.
pub async fn run(
    arguments: &Reconcile,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    anyhow::ensure!(
        !config.payment.gateways.is_empty(),
        "no gateway is configured under `payment.gateways`; the sandbox's book is compared by \
         `doorbuster audit`"
    );
    let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::from_system());
    let day = match &arguments.day {
        Some(text) => Day::parse(text)
            .with_context(|| format!("`{text}` is no day; write it as 2026-11-27"))?,
        None => Day::of(clock.now()).before(),
    };
    let database = open_database(config).await.context("cannot open the ledger")?;
    let gateways = gateways::open(config, &clock, Inbox::new(database.clone()))?;
    if let Some(name) = &arguments.gateway {
        let known: Vec<_> = gateways.all().map(|gateway| gateway.name()).collect();
        anyhow::ensure!(
            known.contains(&name.as_str()),
            "there is no gateway `{name}`; there are: {}",
            known.join(", ")
        );
    }
    let (store, records) = (database.store(), Records::new(database));
    let reconciler = Reconciler { store, records, gateways: gateways.clone(), clock };
    let asked = |name: &str| arguments.gateway.as_deref().is_none_or(|asked| asked == name);
    let mut differing = 0;
    for gateway in gateways.all().filter(|gateway| asked(gateway.name())) {
        let (name, text) = (gateway.name(), day.text());
        match reconciler.compare(&**gateway, day).await? {
            None => writeln!(out, "{text}  {name}: has no list to compare with")?,
            Some(Report { compared, foreign, breaks }) => {
                let count = breaks.len();
                writeln!(
                    out,
                    "{text}  {name}: {compared} compared, {foreign} of others, {count} differ"
                )?;
                for found in &breaks {
                    writeln!(out, "  {found}")?;
                }
                differing += count;
            }
        }
    }
    anyhow::ensure!(differing == 0, "{differing} payments differ; each wants a person's look");
    Ok(())
}
