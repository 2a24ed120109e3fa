//! `doorbuster train --from-ledger`: a model from the ledger's own judgements and labels.

use anyhow::{Context, ensure};
use std::{io::Write, sync::Arc};

use super::{
    backtest::date,
    bars::Bars,
    open_database,
    train::{Source, Train, finish, read_text},
};
use crate::{
    base::{AnchoredClock, Clock, Timestamp},
    checkout::signals_of,
    config::Config,
    fraud::{
        backtest::report::Truth,
        bench::Written,
        feature_set::FeatureSet,
        history::{History, Past, Span},
        past::REMEMBERED_SPAN,
        progress::Progress,
        schema::{Delay, Schema},
        schemas::Schemas,
        serving::bundled,
        train::{self, replayed::Replayed, sample::Recorded},
        whereabouts::Whereabouts,
    },
    ledger::LedgerFault,
};

/// Judgements read at once.
const PAGE: u32 = 500;

/// Trains on the features that were recorded, or computes them anew where they are others, and
/// writes a model's folder.
///
/// # Errors
/// When the database cannot be used, or there is too little to learn from.
pub async fn run(
    arguments: &Train,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    ensure!(
        arguments.files.len() <= 1,
        "--from-ledger trains on what was recorded: --data names the folder of the embedded \
         database, and nothing else"
    );
    let mut bars = Bars::default();
    let set = wanted(arguments, config)?;
    let mut options = arguments.options()?;
    options.from = date(arguments.from.as_deref(), "--from")?;
    let database = open_database(config).await.context("cannot open the database")?;
    let now = AnchoredClock::from_system().now();
    // A younger order's label is not known yet.
    let known = now.minus(set.layout.label_delay);
    let until = options.until.map_or(known, |until| until.min(known));
    let from = options.from.unwrap_or(Timestamp::from_micros(0));
    let schemas = Schemas::of(database.clone());
    schemas.know(set.clone());
    let ledger = Ledger {
        history: History::new(database),
        schemas: &schemas,
        whereabouts: Whereabouts::open(config.fraud.ip_databases())?,
    };
    let mut replayed = Replayed::new(&set, &schemas, options.memory);
    let rows = ledger.collect(&mut replayed, &set, (from, until, now), &mut bars).await?;
    let Replayed { lacking, recorded, replayed, passed, .. } = replayed;
    let kept = rows.frauds.len();
    let trained = train::train_recorded(&set.layout, rows, &options, &mut bars);
    bars.end();
    for (name, attempts) in &lacking {
        writeln!(
            out,
            "{name}: not known of {attempts} attempts, whose judgements did not keep it and whose \
             checkouts are no longer known"
        )?;
    }
    let trained = trained.with_context(|| {
        format!(
            "the ledger has {kept} orders to learn from that were judged before {until}; {passed} \
             attempts were judged with a schema that nobody kept, or not at all"
        )
    })?;
    let source = Source::Ledger { recorded, replayed, passed };
    finish(arguments, source, (&set.schema, &set.layout), &options, &trained, out)
}

/// The features to train on: those of the schema that is named, else those that serve.
fn wanted(arguments: &Train, config: &Config) -> anyhow::Result<Arc<FeatureSet>> {
    let mut schema = Schema::parse(&match (&arguments.schema, &config.fraud.model) {
        (Some(path), _) => read_text(path)?,
        (None, Some(folder)) => read_text(&folder.join("schema"))?,
        (None, None) => bundled::SCHEMA.to_owned(),
    })?;
    if let Some(delay) = &arguments.label_delay {
        schema.label_delay = Delay::parse(delay).map_err(anyhow::Error::msg)?;
    }
    let set = FeatureSet::of(&schema)?;
    let unknown = set.unknown_columns();
    ensure!(
        unknown.is_empty(),
        "the schema reads columns that no checkout has: {}; leave them out, or train on files",
        unknown.join(", ")
    );
    Ok(Arc::new(set))
}

/// The past, and what it takes to read it.
struct Ledger<'a> {
    history: History,
    schemas: &'a Schemas,
    whereabouts: Whereabouts,
}

impl Ledger<'_> {
    /// Orders with their features and labels. What came before `from` is history for features
    /// alone.
    async fn collect(
        &self,
        replayed: &mut Replayed<'_>,
        set: &FeatureSet,
        (from, until, now): (Timestamp, Timestamp, Timestamp),
        progress: &mut (dyn Progress + Send),
    ) -> anyhow::Result<Recorded> {
        let begin = Timestamp::from_micros(0).max(from.minus(REMEMBERED_SPAN));
        let span = Span::of(begin, until);
        progress.stage("judgements", self.history.count(span).await?);
        let (mut rows, mut cursor) = (Recorded::default(), None);
        loop {
            let page = self.history.list(span, cursor, PAGE).await?;
            let read = page.iter().map(Past::written).collect::<Result<Vec<Written>, _>>()?;
            let hashes = read.iter().map(|written| &*written.assessment.features_hash);
            self.schemas.look_up(hashes).await?;
            let page = match read.iter().any(|written| replayed.needs_signals(written)) {
                true => self.whole(span, cursor).await?,
                false => page,
            };
            let Some(last) = page.last() else { return Ok(rows) };
            cursor = Some(last.id);
            for (past, written) in page.iter().zip(&read) {
                let mut signals = signals_of(past);
                if let Some(signals) = &mut signals {
                    self.whereabouts.locate(signals);
                }
                let values = replayed.pass(past, written, signals.as_ref());
                let truth = Truth::of(past, now, set.layout.label_delay);
                let fraud = truth.fraud().filter(|_| past.at >= from);
                if let (Some(values), Some(fraud)) = (values, fraud) {
                    rows.values.extend_from_slice(&values);
                    rows.frauds.push(fraud);
                }
            }
            progress.advance(page.len() as u64);
        }
    }

    /// The same page with sessions and people.
    async fn whole(
        &self,
        span: Span,
        cursor: Option<crate::base::AssessmentId>,
    ) -> Result<Vec<Past>, LedgerFault> {
        self.history.list(Span { whole: true, ..span }, cursor, PAGE).await
    }
}
