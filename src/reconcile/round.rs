//! Compares yesterday once at each gateway, whichever replica comes first.

use std::{sync::Arc, time::Duration};

use super::{
    compare::{CompareFault, Day, Report, compare},
    records::{Records, Run},
};
use crate::{
    base::{Clock, Timestamp},
    ledger::{LedgerFault, Store},
    payment::{Gateway, Gateways},
    telemetry::metrics,
};

/// A day is compared so long after its end: what began in its last minutes has come to its end
/// by then, here and in the gateway's list.
const SETTLING: Duration = Duration::from_secs(60 * 60);

/// Compares gateways with the ledger.
pub struct Reconciler {
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// What was found, and when.
    pub records: Records,
    /// Those that have a list.
    pub gateways: Gateways,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Reconciler {
    /// Compares yesterday (UTC) wherever nobody has done so. Returns how many gateways that were.
    ///
    /// # Errors
    /// When the ledger cannot be reached. A gateway that cannot be is asked in the next round.
    pub async fn round(&self) -> Result<usize, LedgerFault> {
        let mut compared = 0;
        let yesterday = Day::of(self.clock.now().minus(SETTLING)).before();
        for gateway in self.gateways.all() {
            if self.records.was_compared(gateway.name(), yesterday).await? {
                continue;
            }
            match self.compare(&**gateway, yesterday).await {
                Ok(Some(report)) => {
                    compared += 1;
                    tracing::info!(
                        gateway = gateway.name(),
                        day = yesterday.text(),
                        compared = report.compared,
                        breaks = report.breaks.len(),
                        "a day was compared with the gateway's list"
                    );
                }
                Ok(None) => {}
                Err(CompareFault::Ledger(fault)) => return Err(fault),
                Err(CompareFault::Gateway(fault)) => {
                    tracing::warn!(gateway = gateway.name(), %fault, "its list cannot be read now");
                }
            }
        }
        metrics::payment_breaks(self.records.count_open().await?);
        Ok(compared)
    }

    /// Compares a day at one gateway and records what differs, and what does not differ any more.
    /// `None` where the gateway has no list.
    ///
    /// # Errors
    /// When the ledger or the list cannot be read; then nothing is recorded.
    pub async fn compare(
        &self,
        gateway: &dyn Gateway,
        day: Day,
    ) -> Result<Option<Report>, CompareFault> {
        let now: Timestamp = self.clock.now();
        let Some(report) = compare(&*self.store, gateway, day, now).await? else {
            return Ok(None);
        };
        for found in &report.breaks {
            tracing::error!(%found, "a payment differs between the gateway and the ledger");
        }
        let (compared, foreign) = (report.compared, report.foreign);
        let breaks = report.breaks.len() as u64;
        let gateway = gateway.name().to_owned();
        let run = Run { gateway, day: day.text(), at: now, compared, foreign, breaks };
        self.records.keep(&run, &report.breaks).await?;
        Ok(Some(report))
    }
}
