//! How judging went, as the service tells it at `/metrics`.

use anyhow::Context;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::spread::{Spread, rounded};
use crate::drive::target::Target;

/// How long `/metrics` may take to be told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds from asking the fraud actor to its judgement.
const STEP: &str = "fraud_duration_seconds";

/// Seconds from asking the memory that replicas share to its answer; nothing without one.
const VELOCITY: &str = "fraud_velocity_seconds";

/// What is read off, its name in the JSON, and the share of all below it.
const QUANTILES: [(&str, &str, f64); 4] = [
    ("step_p50_within_us", STEP, 0.5),
    ("step_p99_within_us", STEP, 0.99),
    ("velocity_p50_within_us", VELOCITY, 0.5),
    ("velocity_p99_within_us", VELOCITY, 0.99),
];

/// Reads what the service at this address tells.
///
/// # Errors
/// When it does not answer.
pub fn metrics(target: &Target) -> anyhow::Result<String> {
    let mut line = TcpStream::connect_timeout(&target.address, PATIENCE)?;
    line.set_read_timeout(Some(PATIENCE))?;
    let host = &target.host;
    write!(line, "GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    line.read_to_string(&mut text).context("the figures are no text")?;
    Ok(text)
}

/// What several turns under one load told of judging.
#[derive(Debug, Default)]
pub struct Judging(BTreeMap<&'static str, Vec<f64>>);

impl Judging {
    /// Adds what one turn told.
    pub fn add(&mut self, metrics: &str) {
        for (name, histogram, share) in QUANTILES {
            if let Some(edge) = within(metrics, histogram, share) {
                self.0.entry(name).or_default().push(edge * 1e6);
            }
        }
        let judged = total(metrics, "fraud_assessments_total");
        if judged > 0.0 {
            let degraded = total(metrics, "fraud_degraded_total") / judged;
            self.0.entry("degraded_share").or_default().push(degraded);
        }
    }

    /// The medians, and the most of each.
    pub fn told(&self) -> Value {
        let mut told = Map::new();
        for (name, figures) in &self.0 {
            let Some(spread) = Spread::of(figures.iter().copied()) else { continue };
            told.insert((*name).to_owned(), json!(rounded(spread.median)));
            told.insert(format!("{name}_most"), json!(rounded(spread.max)));
        }
        Value::Object(told)
    }
}

/// The edge in seconds below which this share of a histogram lies, as fine as its buckets are.
/// None when it counted nothing, or the share lies beyond the last edge.
fn within(metrics: &str, histogram: &str, share: f64) -> Option<f64> {
    let edge = |line: &str| {
        let rest = line.strip_prefix(histogram)?.strip_prefix("_bucket{le=\"")?;
        let (edge, rest) = rest.split_once('"')?;
        let count: f64 = rest.rsplit(' ').next()?.parse().ok()?;
        Some((edge.parse::<f64>().ok()?, count))
    };
    let edges: Vec<(f64, f64)> = metrics.lines().filter_map(edge).collect();
    let all = edges.last().map(|(_, all)| *all).filter(|all| *all > 0.0)?;
    let found = edges.iter().find(|(_, count)| *count >= share * all)?;
    Some(found.0).filter(|edge| edge.is_finite())
}

/// A counter, all its labels together.
fn total(metrics: &str, counter: &str) -> f64 {
    let of = |line: &str| {
        let rest = line.strip_prefix(counter)?.strip_prefix('{')?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    };
    metrics.lines().filter_map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "# TYPE fraud_duration_seconds histogram\n\
        fraud_duration_seconds_bucket{le=\"0.0005\"} 50\n\
        fraud_duration_seconds_bucket{le=\"0.002\"} 99\n\
        fraud_duration_seconds_bucket{le=\"0.05\"} 99\n\
        fraud_duration_seconds_bucket{le=\"+Inf\"} 100\n\
        fraud_duration_seconds_sum 1\n\
        fraud_assessments_total{outcome=\"approve\"} 95\n\
        fraud_assessments_total{outcome=\"review\"} 5\n\
        fraud_degraded_total{missing=\"velocity\"} 1\n";

    #[test]
    fn a_share_lies_below_the_edge_of_its_bucket() {
        assert_eq!(within(TOLD, STEP, 0.5), Some(0.0005));
        assert_eq!(within(TOLD, STEP, 0.99), Some(0.002));
        assert_eq!(within(TOLD, STEP, 0.999), None, "beyond the last edge");
        assert_eq!(within(TOLD, VELOCITY, 0.5), None);
    }

    #[test]
    fn turns_come_together_as_medians_and_the_most() {
        let mut judging = Judging::default();
        judging.add(TOLD);
        judging.add(&TOLD.replace("velocity\"} 1", "velocity\"} 3"));
        let told = judging.told();
        assert_eq!(told["step_p99_within_us"], json!(2000.0));
        assert_eq!(told["degraded_share"], json!(0.02));
        assert_eq!(told["degraded_share_most"], json!(0.03));
        assert_eq!(told.get("velocity_p99_within_us"), None);
        assert_eq!(Judging::default().told(), json!({}), "nothing was judged");
    }
}
