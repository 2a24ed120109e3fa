//! What is done to the replicas and the servers below them, and in which order: drawn from a seed.

use clap::ValueEnum;
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

/// Replicas there may be at once.
pub const REPLICAS: RangeInclusive<usize> = 3..=8;

/// Longest pause before an action, so that it meets the sale at any moment.
const PAUSE: Duration = Duration::from_millis(400);

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Action {
    /// `kill -9` of a replica; another process takes its place
    Kill,
    /// SIGSTOP until the others have fenced it, then SIGCONT
    Freeze,
    /// PostgreSQL is restarted, connections cut, transactions rolled back
    RestartFast,
    /// PostgreSQL is restarted without a goodbye, and recovers from its log
    RestartImmediate,
    /// Redis forgets everything
    FlushRedis,
    /// `kill -9` of Redis, and a new one a moment later
    KillRedis,
    /// Connections are closed on both sides once COMMIT is on its way
    CutCommit,
    /// One more replica
    Add,
    /// A replica is told to go (SIGTERM)
    Drain,
}

impl Action {
    /// Its name in tables and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::RestartFast => "postgres_restart_fast",
            Self::RestartImmediate => "postgres_restart_immediate",
            Self::FlushRedis => "redis_flush",
            Self::KillRedis => "redis_kill",
            Self::CutCommit => "cut_after_commit",
            Self::Add => "add_replica",
            Self::Drain => "drain_replica",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One step of a plan, with everything about it that is chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// How long the sale goes on before.
    pub pause: Duration,
    /// Which replica, taken modulo those that are there.
    pub victim: usize,
    /// How long what was taken away stays away, or how many connections are cut.
    pub luck: u32,
}

/// Draws a plan: so many of each action, shuffled, and never fewer or more replicas than
/// [`REPLICAS`] when it begins with `replicas`.
///
/// As many are added as are drained, or the plan may end with other numbers: adding beyond the most
/// and draining below the least are left out then.
pub fn draw(seed: u64, counts: &BTreeMap<Action, u32>, replicas: usize) -> Vec<Step> {
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut actions: Vec<Action> = counts
        .iter()
        .flat_map(|(action, count)| std::iter::repeat_n(*action, *count as usize))
        .collect();
    actions.shuffle(&mut chance);
    keep_within_bounds(&mut actions, replicas);
    let step = |action| Step {
        action,
        pause: PAUSE.mul_f64(chance.random()),
        victim: chance.random_range(0..usize::MAX),
        luck: chance.random(),
    };
    actions.into_iter().map(step).collect()
}

/// Moves an adding before a draining that would leave too few, and the other way round.
fn keep_within_bounds(actions: &mut Vec<Action>, mut replicas: usize) {
    let mut at = 0;
    while at < actions.len() {
        let wanted = match actions[at] {
            Action::Add if replicas == *REPLICAS.end() => Some(Action::Drain),
            Action::Drain if replicas == *REPLICAS.start() => Some(Action::Add),
            _ => None,
        };
        if let Some(wanted) = wanted {
            match actions[at..].iter().position(|action| *action == wanted) {
                Some(later) => actions.swap(at, at + later),
                None => {
                    actions.remove(at);
                    continue;
                }
            }
        }
        match actions[at] {
            Action::Add => replicas += 1,
            Action::Drain => replicas -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(count: u32) -> BTreeMap<Action, u32> {
        Action::value_variants().iter().map(|action| (*action, count)).collect()
    }

    #[test]
    fn a_seed_draws_the_same_plan_again() {
        assert_eq!(draw(7, &each(3), 5), draw(7, &each(3), 5));
        assert_ne!(draw(7, &each(3), 5), draw(8, &each(3), 5));
    }

    #[test]
    fn every_action_is_there_and_replicas_stay_within_bounds() {
        for (seed, replicas) in (0..300).zip(REPLICAS.clone().cycle()) {
            let plan = draw(seed, &each(5), replicas);
            for action in Action::value_variants() {
                let count = plan.iter().filter(|step| step.action == *action).count();
                assert_eq!(count, 5, "{action}, seed {seed}");
            }
            let mut live = replicas;
            for step in plan {
                match step.action {
                    Action::Add => live += 1,
                    Action::Drain => live -= 1,
                    _ => {}
                }
                assert!(REPLICAS.contains(&live), "{live}, seed {seed}");
            }
        }
    }

    #[test]
    fn drains_alone_stop_at_the_least() {
        let plan = draw(1, &BTreeMap::from([(Action::Drain, 4)]), 5);
        assert_eq!(plan.len(), 2);
    }
}
