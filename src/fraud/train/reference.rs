//! What the training rows looked like, for whoever watches drift while the model serves.

use super::sample::Samples;
use crate::fraud::{
    drift::{
        Reference,
        reference::{Bins, Named},
    },
    features::{Feature, Layout, Reads},
    model::Calibration,
};

/// Bins of every feature, each row counted as often as it stands for others, and of the scores that
/// rows got from trees that had not seen them.
///
/// Hour and weekday are not watched: they follow the clock, and a young process has seen few of
/// either. Nor is what the model does not read.
pub fn reference(
    layout: &Layout,
    samples: &Samples,
    out_of_bag: &[Option<f64>],
    calibration: &Calibration,
) -> Reference {
    let features = layout.features.iter().zip(layout.names()).enumerate();
    let features = features.map(|(place, (feature, name))| {
        let value = |row: usize| (samples.row(row)[place], samples.weight(row));
        let bins = match feature {
            _ if layout.reads.get(place) == Some(&Reads::No) => Bins::unwatched(),
            Feature::Hour | Feature::Weekday => Bins::unwatched(),
            _ => Bins::of((0..samples.len()).map(value).collect()),
        };
        Named { name, bins }
    });
    let scored = out_of_bag.iter().enumerate();
    let points = scored.filter_map(|(row, raw)| {
        Some((f32::from(calibration.points((*raw)?)), samples.weight(row)))
    });
    let orders = (0..samples.len()).map(|row| samples.weight(row)).sum();
    Reference::new(orders, Bins::of(points.collect()), features.collect())
}
