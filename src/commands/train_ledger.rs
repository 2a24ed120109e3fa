//! `doorbuster train --from-ledger`: a model from the ledger's own judgements and labels.

use anyhow::{Context, ensure};
use std::io::Write;

use super::{
    backtest::date,
    bars::Bars,
    open_database,
    train::{Source, Train, finish},
};
use crate::{
    base::{AnchoredClock, Clock, Timestamp},
    config::Config,
    fraud::{
        backtest::report::Truth,
        history::{History, Span},
        progress::Progress,
        schema::{Delay, Schema},
        serving::{Serving, bundled},
        train::{self, sample::Recorded},
    },
};

/// Judgements read at once.
const PAGE: u32 = 500;

/// Trains on the features that were recorded, and writes a model's folder.
///
/// # Errors
/// When the database cannot be used, or there is too little to learn from.
pub async fn run(
    arguments: &Train,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    ensure!(
        arguments.files.len() <= 1 && arguments.schema.is_none(),
        "--from-ledger trains on what was recorded: --schema has no part in it, and --data names \
         the folder of the embedded database"
    );
    let mut bars = Bars::default();
    let serving = config.fraud.serving()?;
    let mut schema = Schema::parse(&match &config.fraud.model {
        Some(folder) => super::train::read_text(&folder.join("schema"))?,
        None => bundled::SCHEMA.to_owned(),
    })?;
    if let Some(delay) = &arguments.label_delay {
        schema.label_delay = Delay::parse(delay).map_err(anyhow::Error::msg)?;
        ensure!(
            schema.label_delay.0 == serving.layout.label_delay,
            "features were recorded with a label delay of their own; --label-delay cannot change it"
        );
    }
    let mut options = arguments.options()?;
    options.from = date(arguments.from.as_deref(), "--from")?;
    let database = open_database(config).await.context("cannot open the database")?;
    let now = AnchoredClock::from_system().now();
    // A younger order's label is not known yet.
    let known = now.minus(serving.layout.label_delay);
    let until = options.until.map_or(known, |until| until.min(known));
    let from = options.from.unwrap_or(Timestamp::from_micros(0));
    let (rows, passed) =
        collect(&History::new(database), &serving, (from, until, now), &mut bars).await?;
    let kept = rows.frauds.len();
    let trained = train::train_recorded(&serving.layout, rows, &options, &mut bars);
    bars.end();
    let trained = trained.with_context(|| {
        format!(
            "the ledger has {kept} orders to learn from that were judged before {until} with the \
             features of today; {passed} others were judged with other features or none"
        )
    })?;
    finish(
        arguments,
        Source::Ledger { passed },
        (&schema, &serving.layout),
        &options,
        &trained,
        out,
    )
}

/// Orders with their recorded features and labels, and how many had other features or none.
async fn collect(
    history: &History,
    serving: &Serving,
    (from, until, now): (Timestamp, Timestamp, Timestamp),
    progress: &mut (dyn Progress + Send),
) -> anyhow::Result<(Recorded, u64)> {
    let span = Span::of(from, until);
    progress.stage("judgements", history.count(span).await?);
    let features = serving.layout.features.len();
    let (mut rows, mut passed, mut cursor) = (Recorded::default(), 0, None);
    loop {
        let page = history.list(span, cursor, PAGE).await?;
        let Some(last) = page.last() else { return Ok((rows, passed)) };
        cursor = Some(last.id);
        for past in &page {
            let truth = Truth::of(past, now, serving.layout.label_delay);
            let Some(fraud) = truth.fraud() else { continue };
            let judged = past.written()?.assessment;
            let same = judged.features_hash == serving.features_hash;
            if !same || judged.features.len() != features {
                passed += 1;
                continue;
            }
            rows.values.extend_from_slice(&judged.features);
            rows.frauds.push(fraud);
        }
        progress.advance(page.len() as u64);
    }
}
