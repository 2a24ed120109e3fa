//! Scenarios: what happens in a shop, as TOML.

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::{path::Path, time::Duration};

use crate::drive::{
    arrivals::{Spacing, Stage},
    buyer::Manners,
    cart::{Pick, Picker},
    connection::Pace,
    flow::Flow,
    run::Load,
};

/// No scenario runs longer: load is for looking at, not for leaving on.
const LONGEST_SECONDS: f64 = 3600.0;

/// Flows at once at most: each has a connection of its own.
const MOST_IN_FLIGHT: usize = 20_000;

/// A scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it is like, and what should come of it.
    pub about: String,
    /// What chance starts from.
    #[serde(default)]
    pub seed: u64,
    /// What is on the shelves.
    pub shelves: Shelves,
    /// What buyers want and do.
    pub buyers: Buyers,
    /// How they come.
    pub load: LoadIn,
    /// Settings of ours for a service that is started for it: `"section.key" = "value"`.
    #[serde(default)]
    pub settings: std::collections::BTreeMap<String, String>,
}

/// What is on the shelves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shelves {
    /// SKUs.
    pub skus: u32,
    /// Units of each.
    pub units: u32,
}

/// What buyers want and do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyers {
    /// Flows, each with its weight: `{ complete = 9, abandon = 1 }`.
    pub flows: std::collections::BTreeMap<Flow, u32>,
    /// How they choose among SKUs: `"uniform"` or `{ zipf = 1.0 }`.
    #[serde(default = "uniform")]
    pub pick: Pick,
    /// Lines per cart.
    #[serde(default = "one")]
    pub lines: u32,
    /// Units per line.
    #[serde(default = "one")]
    pub quantity: u32,
    /// Sendings at once in a same-key storm.
    #[serde(default = "storm")]
    pub storm_copies: u32,
    /// Pieces in which a slow buyer's request is sent, and the pause between them.
    #[serde(default = "slow")]
    pub slow: (u32, u64),
    /// How often a refused step after the first is tried again.
    #[serde(default)]
    pub retries: u32,
    /// Seconds after which a buyer gives up.
    #[serde(default = "patience")]
    pub patience_seconds: f64,
}

/// How buyers come.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum LoadIn {
    /// So many at any time.
    Closed {
        /// Flows at any time.
        in_flight: usize,
        /// How long it is measured.
        seconds: f64,
        /// How long before.
        #[serde(default)]
        warm_up_seconds: f64,
        /// Flows in all, at most.
        #[serde(default = "unbounded")]
        most_flows: u64,
    },
    /// Whenever they come.
    Open {
        /// How they are spaced.
        #[serde(default)]
        spacing: Spacing,
        /// Rates over time; the first may be a warm-up.
        stages: Vec<StageIn>,
        /// How much of the beginning is not measured.
        #[serde(default)]
        warm_up_seconds: f64,
        /// Flows at once, at most; those beyond wait, and their wait counts.
        most_in_flight: usize,
        /// Flows in all, at most.
        #[serde(default = "unbounded")]
        most_flows: u64,
    },
}

/// A while: at one `rate`, `from` one `to` another, or at so many `times_peak`, the peak being what
/// the service does with 256 flows in flight, measured before.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageIn {
    seconds: f64,
    rate: Option<f64>,
    from: Option<f64>,
    to: Option<f64>,
    times_peak: Option<f64>,
}

fn uniform() -> Pick {
    Pick::Uniform
}

const fn one() -> u32 {
    1
}

const fn storm() -> u32 {
    50
}

const fn slow() -> (u32, u64) {
    (8, 100)
}

const fn patience() -> f64 {
    20.0
}

const fn unbounded() -> u64 {
    u64::MAX
}

impl Scenario {
    /// Reads a scenario's file.
    ///
    /// # Errors
    /// When it cannot be read, or does not hold.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// When it is no TOML, names an unknown key, or does not hold; says which and why.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let scenario: Self = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> anyhow::Result<()> {
        let Self { shelves, buyers, .. } = self;
        ensure!(shelves.skus > 0, "shelves.skus: there must be something to buy");
        ensure!(shelves.skus < 100_000_000, "shelves.skus: their names have eight digits");
        ensure!(buyers.lines > 0 && buyers.quantity > 0, "buyers: an empty cart buys nothing");
        let lines = buyers.lines;
        ensure!(lines <= shelves.skus, "buyers.lines: {lines} different SKUs are not there");
        let weight: u32 = buyers.flows.values().sum();
        ensure!(weight > 0, "buyers.flows: somebody must do something, such as `complete = 1`");
        if let Pick::Zipf(exponent) = buyers.pick {
            let fair = exponent.is_finite() && exponent >= 0.0;
            ensure!(fair, "buyers.pick: an exponent is 0 or more, not {exponent}");
        }
        let patience = buyers.patience_seconds;
        ensure!(patience > 0.0 && patience <= 25.0, "buyers.patience_seconds: 0 to 25");
        let (seconds, warm_up, in_flight) = match &self.load {
            LoadIn::Closed { in_flight, seconds, warm_up_seconds, .. } => {
                (seconds + warm_up_seconds, *warm_up_seconds, *in_flight)
            }
            LoadIn::Open { stages, warm_up_seconds, most_in_flight, .. } => {
                ensure!(!stages.is_empty(), "load.stages: there must be one");
                stages.iter().try_for_each(StageIn::check)?;
                let all: f64 = stages.iter().map(|stage| stage.seconds).sum();
                (all, *warm_up_seconds, *most_in_flight)
            }
        };
        let holds =
            seconds > 0.0 && seconds <= LONGEST_SECONDS && (0.0..seconds).contains(&warm_up);
        ensure!(holds, "load: lasts {seconds} s with {warm_up} s of warm-up; an hour at most");
        let bounded = (1..=MOST_IN_FLIGHT).contains(&in_flight);
        ensure!(bounded, "load: {in_flight} flows in flight; 1 to {MOST_IN_FLIGHT}");
        Ok(())
    }

    /// Whether the peak must be known before it runs.
    pub fn needs_peak(&self) -> bool {
        let LoadIn::Open { stages, .. } = &self.load else { return false };
        stages.iter().any(|stage| stage.times_peak.is_some())
    }

    /// How buyers come, with what is not measured and what is.
    pub fn load(&self, peak: f64) -> (Load, Duration, Duration) {
        let time = Duration::from_secs_f64;
        match &self.load {
            LoadIn::Closed { in_flight, seconds, warm_up_seconds, .. } => {
                (Load::Closed { in_flight: *in_flight }, time(*warm_up_seconds), time(*seconds))
            }
            LoadIn::Open { spacing, stages, warm_up_seconds, most_in_flight, .. } => {
                let stages: Vec<Stage> = stages.iter().map(|stage| stage.of(peak)).collect();
                let all: f64 = stages.iter().map(|stage| stage.seconds).sum();
                let (spacing, most_in_flight) = (*spacing, *most_in_flight);
                let load = Load::Open { stages, spacing, most_in_flight };
                (load, time(*warm_up_seconds), time(all - warm_up_seconds))
            }
        }
    }

    /// Flows in all, at most.
    pub const fn most_flows(&self) -> u64 {
        match &self.load {
            LoadIn::Closed { most_flows, .. } | LoadIn::Open { most_flows, .. } => *most_flows,
        }
    }

    /// What buyers put into carts.
    pub fn picker(&self) -> Picker {
        let Buyers { pick, lines, quantity, .. } = self.buyers;
        Picker::new(pick, self.shelves.skus, lines, quantity)
    }

    /// How they behave.
    pub fn manners(&self) -> Manners {
        let (pieces, pause) = self.buyers.slow;
        Manners {
            copies: self.buyers.storm_copies,
            slow: Pace::Dribbled(pieces, Duration::from_millis(pause)),
            retries: self.buyers.retries,
            patience: Duration::from_secs_f64(self.buyers.patience_seconds),
            people: 0,
        }
    }
}

impl StageIn {
    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.seconds > 0.0, "load.stages: a stage lasts a while, not {} s", self.seconds);
        let Self { rate, from, to, times_peak, .. } = self;
        match (rate, from, to, times_peak) {
            (Some(rate), None, None, None) if *rate >= 0.0 => Ok(()),
            (None, Some(from), Some(to), None) if *from >= 0.0 && *to >= 0.0 => Ok(()),
            (None, None, None, Some(times)) if *times >= 0.0 => Ok(()),
            _ => bail!(
                "load.stages: a stage has a `rate`, `from` and `to`, or `times_peak`, none below 0"
            ),
        }
    }

    fn of(&self, peak: f64) -> Stage {
        let flat = self.rate.or_else(|| self.times_peak.map(|times| times * peak));
        let (from, to) = flat
            .map_or((self.from.unwrap_or_default(), self.to.unwrap_or_default()), |rate| {
                (rate, rate)
            });
        Stage { seconds: self.seconds, from, to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        name = "x"
        about = "y"
        [shelves]
        skus = 2
        units = 5
        [buyers]
        flows = { complete = 9, abandon = 1 }
        pick = { zipf = 1.0 }
        [load]
        kind = "open"
        most_in_flight = 10
        stages = [{ seconds = 2, rate = 10 }, { seconds = 3, from = 10, to = 40 }]
    "#;

    #[test]
    fn a_scenario_is_read() {
        let scenario = Scenario::parse(SMALL).expect("it holds");
        assert_eq!(scenario.buyers.flows[&Flow::Complete], 9);
        assert_eq!(scenario.buyers.pick, Pick::Zipf(1.0));
        let (load, warm_up, measure) = scenario.load(0.0);
        assert_eq!((warm_up, measure), (Duration::ZERO, Duration::from_secs(5)));
        let Load::Open { stages, .. } = load else { panic!("{load:?}") };
        assert_eq!(stages[1], Stage { seconds: 3.0, from: 10.0, to: 40.0 });
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (right, wrong, said) in [
            ("skus = 2", "skus = 0", "shelves.skus"),
            ("skus = 2", "skuz = 2", "unknown field `skuz`"),
            ("complete = 9", "compleat = 9", "unknown variant `compleat`"),
            ("abandon = 1 }", "abandon = 1 }\nlines = 3", "buyers.lines: 3"),
            ("complete = 9, abandon = 1", "complete = 0", "buyers.flows"),
            ("zipf = 1.0", "zipf = -1.0", "buyers.pick"),
            ("rate = 10", "rate = 10, times_peak = 2", "load.stages"),
            ("rate = 10", "rate = -1", "load.stages"),
            ("seconds = 2, rate", "seconds = 7200, rate", "an hour at most"),
            ("most_in_flight = 10", "most_in_flight = 0", "0 flows in flight"),
            ("kind = \"open\"", "kind = \"ajar\"", "unknown variant `ajar`"),
        ] {
            let text = SMALL.replacen(right, wrong, 1);
            assert_ne!(text, SMALL, "{right}");
            let why = format!("{:#}", Scenario::parse(&text).expect_err(wrong));
            assert!(why.contains(said), "{wrong}: {why}");
        }
    }

    #[test]
    fn every_scenario_of_ours_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it lists").path();
            Scenario::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
            seen += 1;
        }
        assert!(seen >= 11, "{seen} scenarios");
    }
}
