//! `doorbuster train`: a fraud model from a history of labeled orders.

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{backtest::date, bars::Bars};
use crate::{
    files::decode::{STREAM_BYTES_MAX, unpacked},
    fraud::{
        features::{Layout, memory::DEFAULT_LIMIT},
        model::file::hexadecimal,
        progress::Progress,
        schema::{
            Delay, Schema,
            read::{Row, read_rows, sort},
        },
        train::{self, Learner, TrainOptions, Trained, Validation, sample::Samples},
    },
};

/// Trains a fraud model from CSV files of past orders, plain or gzip.
///
/// The schema says which column is what, and which features are made of them. Features of a row
/// come from its past alone, labels are used after their delay only, and the same files, options
/// and seed give the same model.
#[derive(Debug, Args)]
pub struct Train {
    /// Train on the ledger's judgements and labels instead of files
    #[arg(long)]
    pub from_ledger: bool,
    /// What the columns are (TOML). With --from-ledger another schema than the one that serves:
    /// features are computed anew from what was recorded
    #[arg(long, value_name = "FILE", required_unless_present = "from_ledger")]
    pub schema: Option<PathBuf>,
    /// Past orders; several files are read as one
    #[arg(
        long = "data", id = "data", value_name = "FILE", num_args = 1..,
        required_unless_present = "from_ledger"
    )]
    pub files: Vec<String>,
    /// Train on orders from this time on; earlier ones are history for features alone
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Train on orders before this time; later ones are not looked at
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// How long after an order its label may be used [default: the schema's]
    #[arg(long, value_name = "TIME")]
    pub label_delay: Option<String>,
    /// Draws rows and grows trees
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What grows trees: forest, boosting, or auto: whichever ranks the last fifth of the orders
    /// better, grown on those before
    #[arg(long, value_name = "LEARNER", default_value_t = TrainOptions::default().learner)]
    pub learner: Learner,
    /// How many trees; of boosted ones at most four times as many
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().trees)]
    pub trees: usize,
    /// How deep a tree may be
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().depth)]
    pub depth: u16,
    /// Fewest training orders in a leaf; five times as many in a boosted one
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().min_leaf)]
    pub min_leaf: usize,
    /// Features drawn for each split; 0: a quarter of them. For each boosted tree; 0: half of them
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().candidates)]
    pub candidates: usize,
    /// Good orders to train on at most; all frauds are
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().most_good)]
    pub most_good: usize,
    /// Where the features of the training rows are written, too, for other tools (CSV)
    #[arg(long, value_name = "FILE")]
    pub features_to: Option<PathBuf>,
    /// Folder for model, schema, manifest and the reference that drift is told from
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Trains and writes a model.
///
/// # Errors
/// When a file does not read, the schema does not hold, or there is too little to learn from.
pub fn run(arguments: &Train, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let mut bars = Bars::default();
    let path = arguments.schema.as_deref().context("--schema is missing")?;
    let written = read_text(path)?;
    let mut schema = Schema::parse(&written)?;
    ensure!(schema.columns.label.is_some(), "the schema names no column for labels");
    if let Some(delay) = &arguments.label_delay {
        schema.label_delay = Delay::parse(delay).map_err(anyhow::Error::msg)?;
    }
    let layout = Arc::new(schema.layout(schema.label_delay.0)?);
    let rows = read_files(&schema, None, &arguments.files, &mut bars)?;
    let options = arguments.options()?;
    let trained = train::train(&layout, &rows, &options, &mut bars)?;
    bars.end();
    finish(arguments, Source::Files, (&schema, &layout), &options, &trained, out)
}

impl Train {
    /// How to train.
    pub(super) fn options(&self) -> anyhow::Result<TrainOptions> {
        let arguments = self;
        let date = |raw: &Option<String>, flag: &str| date(raw.as_deref(), flag);
        Ok(TrainOptions {
            from: date(&arguments.from, "--from")?,
            until: date(&arguments.until, "--until")?,
            seed: arguments.seed,
            learner: arguments.learner,
            trees: arguments.trees.max(1),
            depth: arguments.depth.max(2),
            min_leaf: arguments.min_leaf.max(1),
            candidates: arguments.candidates,
            most_good: arguments.most_good.max(1),
            memory: DEFAULT_LIMIT,
        })
    }
}

/// Where rows come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Files.
    Files,
    /// The ledger: orders with these features recorded, those whose features were computed anew,
    /// and those that had none.
    Ledger {
        /// Recorded.
        recorded: u64,
        /// Computed anew.
        replayed: u64,
        /// Passed over.
        passed: u64,
    },
}

/// Writes what was trained, and says so.
pub(super) fn finish(
    arguments: &Train,
    source: Source,
    (schema, layout): (&Schema, &Layout),
    options: &TrainOptions,
    trained: &Trained,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    if let Some(path) = &arguments.features_to {
        write_features(path, layout, &trained.samples)?;
    }
    write_model(arguments, source, (schema, layout), options, trained)?;
    let (model, tally) = (&trained.model, trained.samples.tally);
    if let Some(validation) = &trained.validation {
        writeln!(out, "{}", compared(trained.learner, validation))?;
    }
    writeln!(
        out,
        "trained on {} good orders of {} and {} frauds; {} trees, {} nodes",
        tally.drawn,
        tally.good,
        tally.frauds,
        model.forest.trees(),
        model.forest.nodes()
    )?;
    writeln!(out, "model {} in {}", model.fingerprint(), arguments.out.display())?;
    Ok(())
}

/// Why the model was grown as it was.
fn compared(learner: Learner, validation: &Validation) -> String {
    let Validation { forest, boosting, rounds, rows, frauds } = validation;
    let beside = forest.map_or(String::new(), |forest| format!(", forest {forest:.3}"));
    format!(
        "grown by {learner}; average precision on the last {rows} rows with {frauds} frauds: \
         boosting {boosting:.3} after {rounds} trees{beside}"
    )
}

/// Model, reference, schema and manifest. Nothing in them tells the time: the same training gives
/// the same files.
fn write_model(
    arguments: &Train,
    source: Source,
    (schema, layout): (&Schema, &Layout),
    options: &TrainOptions,
    trained: &Trained,
) -> anyhow::Result<()> {
    let folder = &arguments.out;
    let (model, tally) = (&trained.model, trained.samples.tally);
    let time = |at: Option<crate::base::Timestamp>| at.map(|at| at.to_string());
    let reference = trained.reference.to_text();
    let mut manifest = json!({
        "model_sha256": model.fingerprint(),
        "reference_sha256": hexadecimal(&Sha256::digest(&reference)),
        "features_sha256": hexadecimal(&layout.hash()),
        "features": layout.names(),
        "label_delay": schema.label_delay,
        "learner": {
            "asked": options.learner,
            "grown": trained.learner,
            "validation": trained.validation,
        },
        "seed": options.seed,
        "from": time(options.from),
        "until": time(options.until),
        "trees": model.forest.trees(),
        "depth": options.depth,
        "min_leaf": options.min_leaf,
        "candidates": options.candidates_of(layout.read_count()),
        "most_good": options.most_good,
        "rows": tally.rows,
        "good": tally.good,
        "good_drawn": tally.drawn,
        "frauds": tally.frauds,
        "entities_forgotten": tally.forgotten,
        "doorbuster": env!("CARGO_PKG_VERSION"),
    });
    if let Source::Ledger { recorded, replayed, passed } = source {
        manifest["source"] = json!({ "ledger": {
            "attempts_recorded": recorded, "attempts_replayed": replayed, "passed_over": passed,
        } });
    }
    let manifest = serde_json::to_string_pretty(&manifest)? + "\n";
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write_file(&folder.join("model"), &model.to_bytes())?;
    write_file(&folder.join("reference.json"), reference.as_bytes())?;
    write_file(&folder.join("schema"), toml::to_string(schema)?.as_bytes())?;
    write_file(&folder.join("manifest"), manifest.as_bytes())
}

fn write_features(path: &Path, layout: &Layout, samples: &Samples) -> anyhow::Result<()> {
    let name = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(name)?);
    writeln!(file, "fraud,{}", layout.names().join(",")).with_context(name)?;
    for place in 0..samples.len() {
        write!(file, "{}", u8::from(samples.frauds[place])).with_context(name)?;
        for value in samples.row(place) {
            write!(file, ",{value}").with_context(name)?;
        }
        writeln!(file).with_context(name)?;
    }
    file.flush().with_context(name)
}

pub(super) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

pub(super) fn read_text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Rows of several files as one, in the order of time.
pub(super) fn read_files(
    schema: &Schema,
    group_by: Option<&str>,
    files: &[String],
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    progress.stage("files", files.len() as u64);
    for path in files {
        let name = || format!("cannot read {path}");
        let file = File::open(path).with_context(name)?;
        let input = unpacked(BufReader::with_capacity(1 << 16, file), STREAM_BYTES_MAX);
        let input = input.with_context(name)?;
        rows.append(&mut read_rows(schema, group_by, input).with_context(name)?);
        progress.advance(1);
    }
    sort(&mut rows);
    Ok(rows)
}
