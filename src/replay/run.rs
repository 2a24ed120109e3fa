//! A whole replay: set up, let the buyers in, report.

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Plan, buyers,
    report::Outcome,
    setup,
    shop::{Shop, ShopFault},
};
use crate::base::{Chance, Clock};

/// How many buyers are in the shop at once, unless told otherwise.
pub const CONCURRENCY: usize = 8;

/// Replays a plan against a shop. Progress goes to standard error, when that is a terminal.
///
/// # Errors
/// When the shop cannot be filled; what buyers are refused is part of the outcome.
pub async fn replay(
    shop: &Shop,
    plan: &Plan,
    concurrency: usize,
    clock: &dyn Clock,
    chance: &dyn Chance,
) -> Result<Outcome, ShopFault> {
    let concurrency = concurrency.max(1);
    // Keys of two replays never meet, those of one are the same at every sending.
    let run = format!("replay-{:016x}", chance.below(u64::MAX));
    let bar = ProgressBar::new((plan.sales.len() + plan.returns.len()) as u64);
    bar.set_style(style());
    bar.set_message("filling the shop");
    setup::set_up(shop, plan, &run).await?;
    bar.set_message("invoices and returns");
    let outcome = buyers::let_in(shop, plan, clock, &run, concurrency, || bar.inc(1)).await;
    bar.finish_and_clear();
    Ok(outcome)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
