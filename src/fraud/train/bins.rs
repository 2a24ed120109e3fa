//! Training rows by bins: few enough values of a feature that sums over each of them are cheap.

use super::sample::Samples;

/// A bin's number fits a byte, and finer bins split no better (Ke et al. 2017 use as many).
const BINS_MOST: usize = 255;

/// Features column by column, each value as the number of its bin.
#[derive(Debug)]
pub struct Binned {
    columns: Vec<Column>,
}

/// One feature.
#[derive(Debug)]
pub struct Column {
    /// Its place in the layout.
    pub feature: usize,
    /// Each row's bin.
    pub bins: Vec<u8>,
    /// Where each bin but the last ends: its values are not above.
    pub ends: Vec<f64>,
}

impl Binned {
    /// Cuts these features.
    pub fn of(samples: &Samples, features: &[usize]) -> Self {
        let column = |feature: &usize| {
            let values: Vec<f32> =
                samples.values.iter().skip(*feature).step_by(samples.features).copied().collect();
            let ends = ends(&values);
            let bin = |value: &f32| ends.partition_point(|end| *end < f64::from(*value)) as u8;
            Column { feature: *feature, bins: values.iter().map(bin).collect(), ends }
        };
        Self { columns: features.iter().map(column).collect() }
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}

/// Ends of bins of about as many rows each, in the middle between two values. Equal ones stay
/// together.
fn ends(values: &[f32]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let distinct = sorted.chunk_by(|a, b| a == b).count();
    let part = if distinct <= BINS_MOST { 1 } else { sorted.len().div_ceil(BINS_MOST) };
    let (mut ends, mut rows) = (Vec::new(), 0);
    let mut runs = sorted.chunk_by(|a, b| a == b).peekable();
    while let Some(run) = runs.next() {
        rows += run.len();
        if let Some(next) = runs.peek().filter(|_| rows >= part) {
            ends.push(f64::midpoint(f64::from(run[0]), f64::from(next[0])));
            rows = 0;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: `rows >= part` to be `rows > part`
    #[test]
    fn few_values_have_a_bin_each_and_many_share_one() {
        assert_eq!(ends(&[2.0, -1.0, 2.0, 5.0]), [0.5, 3.5]);
        assert_eq!(ends(&[7.0; 3]), [0.0; 0]);
        let many: Vec<f32> = (0..100_000_u32).map(|n| n as f32).collect();
        let ends = ends(&many);
        assert!(ends.len() < BINS_MOST && ends.len() > BINS_MOST - 5, "{}", ends.len());
        assert!(ends.is_sorted_by(|a, b| a < b));
    }
}
