//! One order through the fraud model: score alone, score with the contributions that reasons are
//! made of, and the library's own `predict` over the very same trees.
//!
//! Rows are simulated orders with the features of the bundled model's schema, in the order of time;
//! each contender scores the same rows in turn, one at a time.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "each bench uses its part")]
mod figures;

use doorbuster::{
    base::SeededChance,
    fraud::{
        model::Forest,
        progress::Silent,
        schema::{Schema, read::read_rows},
        simulate::{self, SCHEMA, SimulateOptions},
        train::{
            TrainOptions,
            grow::{LibraryForest, take},
            sample,
        },
    },
};
use figures::Spread;
use smartcore::{
    ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters},
    linalg::basic::matrix::DenseMatrix,
};
use std::{hint::black_box, sync::Arc, time::Duration};

const ORDERS: u32 = 60_000;
const ROUNDS: usize = 20;

/// Rows scored in a round: more than fit a cache with their matrices, fewer than bore.
const ROWS: usize = 5_000;

fn main() -> anyhow::Result<()> {
    let schema = Schema::parse(SCHEMA)?;
    let layout = Arc::new(schema.layout(schema.label_delay.0)?);
    let options = SimulateOptions { orders: ORDERS, ..SimulateOptions::default() };
    let mut file = Vec::new();
    let orders = simulate::simulate(options, &SeededChance::new(1));
    simulate::write(&orders, &mut file, &mut Silent)?;
    let rows = read_rows(&schema, None, file.as_slice())?;
    let options = TrainOptions::default();
    let samples = sample::collect(&layout, &rows, &options, &mut Silent)?;

    let features = samples.features;
    let matrix = DenseMatrix::new(samples.len(), features, samples.values.clone(), false)
        .map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let labels: Vec<f32> = samples.frauds.iter().map(|f| f32::from(u8::from(*f))).collect();
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(options.trees)
        .with_max_depth(options.depth)
        .with_min_samples_leaf(options.min_leaf)
        .with_min_samples_split(2 * options.min_leaf)
        .with_m(options.candidates_of(features))
        .with_seed(1);
    let library: LibraryForest = RandomForestRegressor::fit(&matrix, &labels, parameters)
        .map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let ours = Forest::flatten(features, &take(&library)?.trees)?;

    let every = samples.len() / ROWS;
    let chosen: Vec<&[f32]> = (0..ROWS).map(|row| samples.row(row * every)).collect();
    let theirs: Vec<DenseMatrix<f32>> = chosen
        .iter()
        .map(|row| DenseMatrix::new(1, features, row.to_vec(), false))
        .collect::<Result<_, _>>()
        .map_err(|fault| anyhow::anyhow!("{fault}"))?;
    agree(&ours, &library, &chosen, &theirs)?;

    let mut contributions = vec![0.0; features];
    let mut took: [Vec<f64>; 3] = Default::default();
    let mut p99: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let score = each(&chosen, |row| ours.predict(row));
        let explain = each(&chosen, |row| ours.explain(row, &mut contributions));
        let library =
            each(&theirs, |row| library.predict(row).map_or(f64::NAN, |score| f64::from(score[0])));
        for (place, mut nanos) in [score, explain, library].into_iter().enumerate() {
            nanos.sort_unstable();
            took[place].push(nanos[nanos.len() / 2].as_nanos() as f64 / 1000.0);
            p99[place].push(nanos[nanos.len() * 99 / 100].as_nanos() as f64 / 1000.0);
        }
    }

    println!("fraud_score: {}", figures::machine());
    let (trees, nodes) = (ours.trees(), ours.nodes());
    println!("{trees} trees, {nodes} nodes, {features} features, {ROUNDS} rounds of {ROWS} rows\n");
    let names = ["score", "score and reasons", "the library's predict"];
    let row = |place: usize| {
        let ratio = Spread::of_ratios(&took[place], &took[2]);
        vec![
            names[place].to_owned(),
            Spread::of(&took[place]).to_string(),
            Spread::of(&p99[place]).to_string(),
            ratio.to_string(),
        ]
    };
    let heads = ["one row", "p50 µs", "p99 µs", "p50 ÷ the library's"];
    figures::print(&heads, &[row(0), row(1), row(2)]);
    Ok(())
}

/// How long each row takes, asked one by one.
fn each<R>(rows: &[R], mut score: impl FnMut(&R) -> f64) -> Vec<Duration> {
    let one = |row| {
        let began = figures::now();
        black_box(score(black_box(row)));
        began.elapsed()
    };
    rows.iter().map(one).collect()
}

/// Contenders that say different things are no contenders.
fn agree(
    ours: &Forest,
    library: &LibraryForest,
    rows: &[&[f32]],
    matrices: &[DenseMatrix<f32>],
) -> anyhow::Result<()> {
    for (row, matrix) in rows.iter().zip(matrices) {
        let theirs = library.predict(matrix).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let apart = (ours.predict(row) - f64::from(theirs[0])).abs();
        anyhow::ensure!(apart < 1e-5, "the two forests are {apart} apart");
    }
    Ok(())
}
