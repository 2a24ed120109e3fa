//! The rows a model is trained on, with the features that serving would have seen.

use std::sync::Arc;

use super::{TrainFault, TrainOptions};
use crate::{
    base::Timestamp,
    fraud::{
        event::Label,
        features::{Engine, InProcess, Layout},
        progress::Progress,
        schema::read::Row,
    },
};

/// With fewer of either kind there is nothing to calibrate on.
pub const LEAST: usize = 20;

/// Rows between two looks at the progress.
const PER_STEP: usize = 10_000;

/// What was trained on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows in all, history included.
    pub rows: usize,
    /// Good rows in the span that is trained on.
    pub good: usize,
    /// Frauds in it.
    pub frauds: usize,
    /// Good rows that were drawn.
    pub drawn: usize,
    /// Entities forgotten before their time; zero when every feature is exact.
    pub forgotten: u64,
}

/// Training rows.
#[derive(Debug)]
pub struct Samples {
    /// Features per row.
    pub features: usize,
    /// Their values, row after row.
    pub values: Vec<f32>,
    /// Whether each row is fraud.
    pub frauds: Vec<bool>,
    /// How many good rows each drawn one stands for.
    pub weight_of_good: f64,
    /// Counts.
    pub tally: Tally,
}

impl Samples {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.frauds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.frauds.is_empty()
    }

    /// The first rows, as if there were no others.
    pub fn first(&self, rows: usize) -> Self {
        Self {
            values: self.values[..rows * self.features].to_vec(),
            frauds: self.frauds[..rows].to_vec(),
            ..*self
        }
    }

    /// A row's features.
    pub fn row(&self, place: usize) -> &[f32] {
        &self.values[place * self.features..(place + 1) * self.features]
    }

    /// How much a row counts.
    pub fn weight(&self, place: usize) -> f64 {
        if self.frauds[place] { 1.0 } else { self.weight_of_good }
    }
}

/// Passes the history through the engine and keeps all frauds and a drawn share of the good.
///
/// # Errors
/// When there are too few.
pub fn collect(
    layout: &Arc<Layout>,
    rows: &[Row],
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Samples, TrainFault> {
    let end =
        options.until.map_or(rows.len(), |until| rows.partition_point(|row| row.event.at < until));
    let rows = &rows[..end];
    let start = options.from.map_or(0, |from| rows.partition_point(|row| row.event.at < from));
    let known_by = known_by(layout, rows, options);
    let fraud = |row: &Row| row.label.map(|label| is_known(label, known_by));
    let frauds = rows[start..].iter().filter(|row| fraud(row) == Some(true)).count();
    let good = rows[start..].iter().filter(|row| fraud(row) == Some(false)).count();
    if frauds.min(good) < LEAST {
        return Err(TrainFault::TooFew { good, frauds, least: LEAST });
    }
    let share = (options.most_good as f64 / good as f64).min(1.0);
    let features = layout.features.len();
    let mut samples = Samples {
        features,
        values: Vec::with_capacity((frauds + good.min(options.most_good)) * features),
        frauds: vec![],
        weight_of_good: 1.0,
        tally: Tally { rows: end, good, frauds, ..Tally::default() },
    };
    let mut engine = Engine::new(layout.clone(), InProcess::new(options.memory));
    let mut values = Vec::with_capacity(features);
    progress.stage("features", end as u64);
    for (place, row) in rows.iter().enumerate() {
        values.clear();
        engine.pass(&row.event, row.label, &mut values);
        let drawn = |fraud| fraud || drawn(options.seed, place as u64) < share;
        if let Some(fraud) = fraud(row).filter(|fraud| place >= start && drawn(*fraud)) {
            samples.values.extend_from_slice(&values);
            samples.frauds.push(fraud);
        }
        if place % PER_STEP == PER_STEP - 1 {
            progress.advance(PER_STEP as u64);
        }
    }
    progress.advance((end % PER_STEP) as u64);
    let drawn = samples.len() - frauds;
    samples.weight_of_good = good as f64 / drawn.max(1) as f64;
    samples.tally.drawn = drawn;
    samples.tally.forgotten = engine.memory().forgotten();
    Ok(samples)
}

/// Rows whose features were recorded when they were judged.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Their features, row after row.
    pub values: Vec<f32>,
    /// Whether each is fraud.
    pub frauds: Vec<bool>,
}

/// Keeps all frauds and a drawn share of the good, of rows that need no engine any more.
///
/// # Errors
/// When there are too few.
pub fn draw_recorded(
    features: usize,
    rows: &Recorded,
    options: &TrainOptions,
) -> Result<Samples, TrainFault> {
    let frauds = rows.frauds.iter().filter(|fraud| **fraud).count();
    let good = rows.frauds.len() - frauds;
    if frauds.min(good) < LEAST {
        return Err(TrainFault::TooFew { good, frauds, least: LEAST });
    }
    let share = (options.most_good as f64 / good as f64).min(1.0);
    let mut samples = Samples {
        features,
        values: Vec::with_capacity((frauds + good.min(options.most_good)) * features),
        frauds: vec![],
        weight_of_good: 1.0,
        tally: Tally { rows: rows.frauds.len(), good, frauds, ..Tally::default() },
    };
    for (place, fraud) in rows.frauds.iter().enumerate() {
        if *fraud || drawn(options.seed, place as u64) < share {
            let row = place * features..(place + 1) * features;
            samples.values.extend_from_slice(&rows.values[row]);
            samples.frauds.push(*fraud);
        }
    }
    let drawn = samples.len() - frauds;
    samples.weight_of_good = good as f64 / drawn.max(1) as f64;
    samples.tally.drawn = drawn;
    Ok(samples)
}

/// Until when labels are known to the one who trains: the delay after the last row's day. Frauds
/// found out later count as good, as they would on that day.
fn known_by(layout: &Layout, rows: &[Row], options: &TrainOptions) -> Timestamp {
    let last = rows.last().map_or(Timestamp::from_micros(0), |row| row.event.at);
    options.until.unwrap_or(last).plus(layout.label_delay)
}

fn is_known(label: Label, known_by: Timestamp) -> bool {
    label.fraud && label.known_at.is_none_or(|at| at <= known_by)
}

/// A number from 0 to 1 for a row, the same for the same seed (SplitMix64's finalizer).
pub(super) fn drawn(seed: u64, row: u64) -> f64 {
    let mut mixed = seed ^ row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{
        features::MISSING,
        progress::Silent,
        schema::{Schema, read::read_rows},
    };

    // breaks: raise what is below zero to zero in `features::compute::known`
    #[test]
    fn numbers_below_zero_are_trained_on_as_the_file_has_them() {
        let schema = "label_delay = \"0\"\n[columns]\ntime = \"at\"\nlabel = \"fraud\"\n\
            amount = \"paid\"\n[[number]]\nname = \"balance\"";
        let schema = Schema::parse(schema).expect("a schema");
        let rows =
            |paid, balance, label| format!("2026-01-01,{paid},{balance},{label}\n").repeat(20);
        let file = ["at,paid,balance,fraud\n".into(), rows("-7.5", "-3.25", 0), rows("2", "", 1)];
        let rows = read_rows(&schema, None, file.concat().as_bytes()).expect("it reads");
        let layout = Arc::new(schema.layout(schema.label_delay.0).expect("it holds"));
        let options = TrainOptions::default();
        let samples = collect(&layout, &rows, &options, &mut Silent).expect("enough of both");
        let place = |name: &str| layout.names().iter().position(|n| n == name).expect("declared");
        let (paid, balance) = (place("amount"), place("balance"));
        let told = |row: usize| (samples.row(row)[paid], samples.row(row)[balance]);
        assert_eq!((told(0), told(39)), ((-7.5, -3.25), (2.0, MISSING)));
    }
}
