//! What a run came to: counts and latencies.

use hdrhistogram::Histogram;
use std::{collections::BTreeMap, time::Duration};

use super::flow::{Ending, Flow};

/// Latencies from 1 µs to 2 minutes, with three digits.
const SLOWEST_MICROS: u64 = 120_000_000;

/// Latencies of one kind, in microseconds.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, SLOWEST_MICROS, 3);
        Self(histogram.expect("1 µs to 2 min with 3 digits are valid bounds"))
    }
}

impl Latency {
    /// Notes one.
    pub fn note(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(SLOWEST_MICROS);
        self.0.saturating_record(micros.clamp(1, SLOWEST_MICROS));
    }

    /// How many were noted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// A quantile, in microseconds; 0 when nothing was noted.
    pub fn micros(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }

    /// A quantile, in milliseconds.
    pub fn millis(&self, quantile: f64) -> f64 {
        self.micros(quantile) as f64 / 1000.0
    }

    /// The slowest, in milliseconds.
    pub fn max_millis(&self) -> f64 {
        self.0.max() as f64 / 1000.0
    }

    fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the bounds are the same");
    }
}

/// What became of the flows of one kind.
#[derive(Debug, Clone, Default)]
pub struct FlowFigures {
    /// From the intended start to the end, of flows that came to what they wanted.
    pub good: Latency,
    /// The same of those that were refused.
    pub refused: Latency,
    /// The same of those that ended otherwise, or not at all.
    pub bad: Latency,
    /// Endings by their name.
    pub endings: BTreeMap<Ending, u64>,
}

/// Everything a run came to.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// By kind of flow.
    pub flows: BTreeMap<Flow, FlowFigures>,
    /// Latency of the single requests, by their name; the first of a flow from its intended start.
    pub steps: BTreeMap<&'static str, Latency>,
    /// Orders completed in each second of the run, warm-up included.
    pub each_second: Vec<u64>,
    /// Orders acknowledged in all, warm-up and the end included.
    pub all_orders: u64,
    /// How long was measured.
    pub window: Duration,
    /// Orders acknowledged within what was measured.
    pub orders: u64,
    /// Units in those orders.
    pub units: u64,
    /// Connections that had to be opened again.
    pub reopened: u64,
    /// Samples of what went wrong, for people.
    pub complaints: Vec<String>,
}

impl Figures {
    /// Completed orders per second.
    pub fn orders_per_second(&self) -> f64 {
        self.orders as f64 / self.window.as_secs_f64().max(f64::EPSILON)
    }

    /// How often flows ended like this.
    pub fn count(&self, ending: Ending) -> u64 {
        self.flows.values().filter_map(|flow| flow.endings.get(&ending)).sum()
    }

    /// Latency of all flows that came to what they wanted.
    pub fn good(&self) -> Latency {
        self.sum(|flow| &flow.good)
    }

    /// Latency of all flows that were refused.
    pub fn refused(&self) -> Latency {
        self.sum(|flow| &flow.refused)
    }

    fn sum(&self, of: impl Fn(&FlowFigures) -> &Latency) -> Latency {
        let mut sum = Latency::default();
        self.flows.values().for_each(|flow| sum.add(of(flow)));
        sum
    }

    /// Notes one flow within the measured window.
    pub fn note(&mut self, flow: Flow, ending: Ending, took: Duration) {
        let figures = self.flows.entry(flow).or_default();
        *figures.endings.entry(ending).or_default() += 1;
        match ending {
            Ending::Ordered | Ending::Abandoned | Ending::OneOrder => figures.good.note(took),
            Ending::Refused => figures.refused.note(took),
            _ => figures.bad.note(took),
        }
    }

    /// Keeps the first few words about what went wrong.
    pub fn complain(&mut self, what: String) {
        const KEPT: usize = 8;
        if self.complaints.len() < KEPT {
            self.complaints.push(what);
        }
    }

    /// Adds what another thread saw of the same run.
    pub fn add(&mut self, other: Self) {
        for (flow, figures) in other.flows {
            let mine = self.flows.entry(flow).or_default();
            mine.good.add(&figures.good);
            mine.refused.add(&figures.refused);
            mine.bad.add(&figures.bad);
            for (ending, count) in figures.endings {
                *mine.endings.entry(ending).or_default() += count;
            }
        }
        for (step, latency) in other.steps {
            self.steps.entry(step).or_default().add(&latency);
        }
        let seconds = self.each_second.len().max(other.each_second.len());
        self.each_second.resize(seconds, 0);
        self.each_second.iter_mut().zip(other.each_second).for_each(|(mine, more)| *mine += more);
        self.all_orders += other.all_orders;
        self.orders += other.orders;
        self.units += other.units;
        self.reopened += other.reopened;
        self.window = self.window.max(other.window);
        other.complaints.into_iter().for_each(|complaint| self.complain(complaint));
    }
}
