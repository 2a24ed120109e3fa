//! One seed: how much trouble there is, chance for everybody, and the trace of what happened.

use doorbuster::base::{Chance, SeededChance, Timestamp};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

use super::sabotage::Sabotage;

/// How often things go wrong, in a thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) unknown: u64,
    pub(crate) unreachable: u64,
    pub(crate) again: u64,
    pub(crate) broken: u64,
    pub(crate) slow: u64,
    pub(crate) bank: u64,
    pub(crate) cache: u64,
    pub(crate) panic: u64,
}

/// What a seed decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) replicas: usize,
    pub(crate) shoppers: usize,
    pub(crate) skus: usize,
    pub(crate) units: u64,
    pub(crate) kills: u64,
    pub(crate) freezes: u64,
    pub(crate) rates: Rates,
}

impl Plan {
    fn of(dice: &SeededChance) -> Self {
        // Some seeds are calm, some are not; each kind of trouble is left out by some.
        let wild = dice.below(4);
        let rate = |most: u64| if dice.below(3) == 0 { 0 } else { dice.below(most * wild + 1) };
        Self {
            replicas: 1 + usize_of(dice.below(3)),
            shoppers: 4 + usize_of(dice.below(9)),
            skus: 1 + usize_of(dice.below(3)),
            units: 1 + dice.below(14),
            kills: if dice.below(2) == 0 { 0 } else { dice.below(3) },
            freezes: if dice.below(2) == 0 { 0 } else { dice.below(3) },
            rates: Rates {
                unknown: rate(50),
                unreachable: rate(25),
                again: rate(25),
                broken: rate(15),
                slow: rate(40),
                bank: rate(120),
                cache: rate(100),
                panic: rate(12),
            },
        }
    }
}

pub(crate) fn usize_of(number: u64) -> usize {
    usize::try_from(number).expect("a small number")
}

/// Everything that belongs to one run and to nobody in particular.
pub(crate) struct Chaos {
    pub(crate) plan: Plan,
    pub(crate) sabotage: Option<Sabotage>,
    dice: SeededChance,
    began: Instant,
    calm: AtomicBool,
    trace: Mutex<Trace>,
    wrong: Mutex<Vec<String>>,
}

struct Trace {
    hash: DefaultHasher,
    events: u64,
    /// Written down only for who wants to read it.
    log: Option<Vec<String>>,
}

impl Chaos {
    /// A run of this seed, which begins now.
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>, keeps_log: bool) -> Self {
        let dice = SeededChance::new(seed);
        Self {
            plan: Plan::of(&dice),
            sabotage,
            dice,
            began: Instant::now(),
            calm: AtomicBool::new(false),
            trace: Mutex::new(Trace {
                hash: DefaultHasher::new(),
                events: 0,
                log: keeps_log.then(Vec::new),
            }),
            wrong: Mutex::default(),
        }
    }

    /// The world's time.
    pub(crate) fn now(&self) -> Timestamp {
        let start = Timestamp::from_micros(1_795_766_400_000_000);
        start.plus(Instant::now().duration_since(self.began))
    }

    pub(crate) fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }

    /// Whether trouble strikes that comes this often in a thousand.
    pub(crate) fn strikes(&self, rate: u64) -> bool {
        !self.is_calm() && rate > 0 && self.dice.below(1000) < rate
    }

    pub(crate) fn below(&self, below: u64) -> u64 {
        self.dice.below(below)
    }

    /// Between so many milliseconds.
    pub(crate) fn between(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.dice.below(most - least + 1))
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Something happened.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        let line = format!("{} {}", self.now().micros() % 100_000_000_000, what());
        let mut trace = self.trace.lock().unwrap();
        line.hash(&mut trace.hash);
        trace.events += 1;
        if let Some(log) = &mut trace.log {
            log.push(line);
        }
    }

    /// Something happened that never may.
    pub(crate) fn wrong(&self, what: String) {
        self.tell(|| format!("WRONG: {what}"));
        self.wrong.lock().unwrap().push(what);
    }

    pub(crate) fn verdict(&self) -> Run {
        let mut trace = self.trace.lock().unwrap();
        Run {
            hash: trace.hash.finish(),
            events: trace.events,
            wrong: std::mem::take(&mut self.wrong.lock().unwrap()),
            log: trace.log.take().unwrap_or_default(),
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) hash: u64,
    pub(crate) events: u64,
    pub(crate) wrong: Vec<String>,
    pub(crate) log: Vec<String>,
}
