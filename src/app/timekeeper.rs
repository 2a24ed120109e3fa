//! Compares this process's clock with the ledger's and the machine's, and tells what came of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::parts::Ground;
use crate::{
    base::{
        AnchoredClock, Clock, TestClock,
        anchored::{Steered, system_time},
    },
    config::Mode,
    ledger::{LedgerFault, Store},
    telemetry::metrics,
};

/// Time between two comparisons: how late a suspended machine finds out.
pub(super) const COMPARE: Duration = Duration::from_secs(10);

/// An answer that took longer says too little about when it was given.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(500);

/// The clocks of a service.
pub(super) struct Clocks {
    /// The one everybody asks.
    pub(super) clock: Arc<dyn Clock>,
    /// The one below it, where it can be steered.
    pub(super) anchored: Option<Arc<AnchoredClock>>,
    /// The same as the first, where it may be put forward: in production time is nobody's to move.
    pub(super) test_clock: Option<Arc<TestClock>>,
}

impl Clocks {
    /// The clock that a test brings, else one that begins with the ledger's time.
    pub(super) async fn lay(
        mode: Mode,
        brought: Option<Arc<dyn Clock>>,
        store: &dyn Store,
    ) -> Result<Self, LedgerFault> {
        let (real, anchored): (Arc<dyn Clock>, _) = match brought {
            Some(clock) => (clock, None),
            None => {
                let anchored = Arc::new(AnchoredClock::new(store.now().await?));
                (anchored.clone(), Some(anchored))
            }
        };
        let test_clock = (mode == Mode::Dev).then(|| Arc::new(TestClock::new(real.clone())));
        let clock = test_clock.clone().map_or(real, |clock| clock as Arc<dyn Clock>);
        Ok(Self { clock, anchored, test_clock })
    }
}

/// Keeps a clock right.
pub(super) struct Timekeeper {
    clock: Arc<AnchoredClock>,
    store: Arc<dyn Store>,
    /// Whether the clock is known to be off: told once, not every ten seconds.
    off: AtomicBool,
}

impl Timekeeper {
    /// Keeps the clock of a service by the time of its ledger, unless a test brought one.
    pub(super) fn of(ground: &Ground) -> Option<Self> {
        let (clock, store) = (ground.anchored.clone()?, ground.store.clone());
        Some(Self { clock, store, off: AtomicBool::new(false) })
    }

    /// Compares once.
    ///
    /// # Errors
    /// When the ledger does not answer; the clock goes on as it was.
    pub(super) async fn compare(&self) -> Result<(), LedgerFault> {
        let asked = self.clock.now();
        let ledger = self.store.now().await?;
        let system = system_time();
        let took = self.clock.now().since(asked);
        if took > ROUND_TRIP_MAX {
            return Ok(());
        }
        let steered = self.clock.steer(asked.plus(took / 2), ledger, system);
        let (Steered::Jumped(by) | Steered::Slowed(by) | Steered::Doubted(by)) = steered else {
            metrics::clock_offset(Duration::ZERO);
            if self.off.swap(false, Ordering::Relaxed) {
                tracing::info!("the clock is right again");
            }
            return Ok(());
        };
        metrics::clock_offset(by);
        let (seconds, was_off) = (by.as_secs_f64(), self.off.swap(true, Ordering::Relaxed));
        match steered {
            Steered::Jumped(_) => {
                metrics::clock_jumped();
                tracing::warn!(
                    seconds,
                    "the clock was behind the ledger's and was put forward: the machine was \
                     suspended, or a clock was put right; holds that lapsed meanwhile have lapsed"
                );
            }
            Steered::Slowed(_) if !was_off => tracing::warn!(
                seconds,
                "the clock is ahead of the ledger's and runs at half speed until it is right"
            ),
            Steered::Doubted(_) if !was_off => tracing::error!(
                seconds,
                "the ledger's clock is off by more than it is believed, and this machine's clock \
                 says something else: put one of them right; time goes on here as before"
            ),
            _ => {}
        }
        Ok(())
    }
}
