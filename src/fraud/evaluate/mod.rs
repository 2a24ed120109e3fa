//! How good a model is on rows it was not trained on: replays history, scores, compares.
//!
//! ```text
//!  history + data, by time ─► Engine ─► Model ─► Scored          (mod.rs)
//!                                        └► Figures              (metrics.rs)
//!                                        └► two pictures         (picture.rs)
//! ```

pub mod metrics;
pub mod picture;

use std::sync::Arc;

use super::{
    features::{Engine, InProcess, Layout},
    model::Model,
    progress::Progress,
    schema::read::Row,
};

pub use metrics::Figures;

/// Rows between two looks at the progress.
const PER_STEP: usize = 10_000;

/// A row with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The calibrated probability.
    pub probability: f64,
    /// The score.
    pub points: u16,
    /// What it was; none when nobody knows.
    pub fraud: Option<bool>,
    /// How long model and reasons took, in nanoseconds.
    pub nanos: u64,
    /// What figures are split by.
    pub group: Option<Box<str>>,
    /// What was paid, in hundredths; nothing where the payment failed, or no column says.
    pub paid: i64,
}

/// Passes history and data through the engine in the order of time and scores the data, each row
/// with features of its past alone. Rows of one moment: history first, then in order.
///
/// `nanos` is a stopwatch; `seen` gets each scored row's features, too.
///
/// # Panics
/// When the model was trained on other features; whoever loads it checks.
pub fn score(
    (model, layout): (&Model, &Arc<Layout>),
    (history, data): (&[Row], &[Row]),
    memory: usize,
    nanos: &dyn Fn() -> u64,
    progress: &mut dyn Progress,
    mut seen: impl FnMut(&Scored, &[f32]),
) -> Vec<Scored> {
    let mut rows: Vec<(&Row, bool)> = history.iter().map(|row| (row, false)).collect();
    rows.extend(data.iter().map(|row| (row, true)));
    rows.sort_by_key(|(row, _)| row.event.at);
    let mut engine = Engine::new(layout.clone(), InProcess::new(memory));
    let mut features = Vec::with_capacity(layout.features.len());
    let mut contributions = vec![0.0; layout.features.len()];
    let mut scored = Vec::with_capacity(data.len());
    progress.stage("scores", rows.len() as u64);
    for (place, (row, is_data)) in rows.iter().enumerate() {
        features.clear();
        engine.pass(&row.event, row.label, &mut features);
        if *is_data {
            let began = nanos();
            let score = model.explain(&features, &mut contributions);
            let nanos = nanos().saturating_sub(began);
            let fraud = row.label.map(|label| label.fraud);
            let group = row.group.clone();
            let (probability, points) = (score.probability, score.points);
            let paid = if row.event.failed { 0 } else { row.event.amount.unwrap_or(0).max(0) };
            let one = Scored { probability, points, fraud, nanos, group, paid };
            seen(&one, &features);
            scored.push(one);
        }
        if place % PER_STEP == PER_STEP - 1 {
            progress.advance(PER_STEP as u64);
        }
    }
    progress.advance((rows.len() % PER_STEP) as u64);
    scored
}
