//! What `chaos` can be told.

use clap::{Args, ValueEnum};
use std::{collections::BTreeMap, path::PathBuf};

use super::plan::Action;

/// Kills of a full run.
const FULL_KILLS: u32 = 200;

/// Every other action of a full run.
const FULL: u32 = 20;

/// Runs real replicas under load while they and their servers are killed, frozen and cut off, and
/// then audits what was promised.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Replicas at the beginning, 3 to 8
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(3..=8))]
    pub replicas: u8,
    /// How often each action is taken; 0 is a sale without chaos
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// Only these actions
    #[arg(long, value_name = "ACTIONS", value_delimiter = ',')]
    pub only: Vec<Action>,
    /// 200 kills and 20 of every other action
    #[arg(long, conflicts_with = "rounds")]
    pub full: bool,
    /// After this many seconds no further action is taken, and the run says what it left out
    #[arg(long, default_value_t = 3600)]
    pub seconds: u64,
    /// Draws the plan and the buyers
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Hot copies in a Redis Cluster of three masters instead of in one Redis
    #[arg(long)]
    pub redis_cluster: bool,
    /// Buyers at once
    #[arg(long, default_value_t = 24)]
    pub buyers: u32,
    /// Units of the hot SKU that are sold out at the end
    #[arg(long, default_value_t = 1000)]
    pub last_units: u32,
    /// Where to write the figures
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Where logs go, and stay; a temporary folder otherwise
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
    /// Doorbuster's binary, instead of building it
    #[arg(long, value_name = "FILE")]
    pub service: Option<PathBuf>,
}

impl Options {
    /// How often each action is to be taken.
    pub fn counts(&self) -> BTreeMap<Action, u32> {
        let wanted = |action: &&Action| self.only.is_empty() || self.only.contains(action);
        let count = |action: &Action| match (self.full, action) {
            (true, Action::Kill) => FULL_KILLS,
            (true, _) => FULL,
            (false, _) => self.rounds,
        };
        let actions = Action::value_variants().iter().filter(wanted);
        actions.map(|action| (*action, count(action))).collect()
    }
}
