//! `doorbuster evaluate`: how good a fraud model is on orders it was not trained on.

use anyhow::Context;
use clap::Args;
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    bars::Bars,
    train::{read_files, read_text, write_file},
};
use crate::fraud::{
    evaluate::{Figures, Scored, metrics::Group, picture, score},
    features::{Layout, memory::DEFAULT_LIMIT},
    model::Model,
    schema::{Delay, Schema},
};

/// Scores orders with features of their past alone, and writes figures and two pictures.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Folder of the model
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// What the columns are (TOML)
    #[arg(long, value_name = "FILE")]
    pub schema: PathBuf,
    /// Orders that came before, for features alone; several files are read as one
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub history: Vec<String>,
    /// Orders to score; not among the history
    #[arg(long = "data", id = "data", value_name = "FILE", num_args = 1.., required = true)]
    pub files: Vec<String>,
    /// Columns to split recall by, with commas in between: the kind of attack, the country
    #[arg(long, value_name = "COLUMNS")]
    pub by: Option<String>,
    /// Where features and scores are written, too, for other tools (CSV)
    #[arg(long, value_name = "FILE")]
    pub features_to: Option<PathBuf>,
    /// Where the figures are written; the pictures go beside it
    #[arg(long, value_name = "OUT")]
    pub json: PathBuf,
}

/// Evaluates a model.
///
/// # Errors
/// When a file does not read, the model was trained on other features, or the orders do not have
/// both frauds and good ones among them.
pub fn run(arguments: &Evaluate, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let mut bars = Bars::default();
    let schema = Schema::parse(&read_text(&arguments.schema)?)?;
    let (model, delay) = load(&arguments.model)?;
    let layout = Arc::new(schema.layout(delay.0)?);
    model.check_features(layout.hash())?;
    let history = read_files(&schema, None, &arguments.history, &mut bars)?;
    let data = read_files(&schema, arguments.by.as_deref(), &arguments.files, &mut bars)?;
    let mut copy = arguments.features_to.as_deref().map(|to| Copy::to(to, &layout)).transpose()?;
    #[expect(clippy::disallowed_methods, reason = "a stopwatch measures the time that passes")]
    let began = Instant::now();
    let nanos = || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let mut failed = None;
    let scored = score(
        (&model, &layout),
        (&history, &data),
        DEFAULT_LIMIT,
        &nanos,
        &mut bars,
        |scored, features| {
            if let Some(copy) = &mut copy
                && let Err(fault) = copy.row(scored, features)
            {
                failed = Some(fault);
            }
        },
    );
    bars.end();
    if let Some(fault) = failed {
        return Err(fault).context("cannot write the features");
    }
    if let Some(copy) = copy {
        copy.end().context("cannot write the features")?;
    }
    let figures = Figures::of(&scored)
        .context("figures need frauds and good orders among the data; one of them is missing")?;
    write(&arguments.json, &figures, &scored)?;
    say(&figures, out)
}

/// A model from its folder, and the delay of labels it was trained with.
fn load(folder: &Path) -> anyhow::Result<(Model, Delay)> {
    let path = folder.join("model");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let model = Model::from_bytes(&bytes).with_context(|| path.display().to_string())?;
    let trained_on = Schema::parse(&read_text(&folder.join("schema"))?)?;
    Ok((model, trained_on.label_delay))
}

fn write(json: &Path, figures: &Figures, scored: &[Scored]) -> anyhow::Result<()> {
    let rows: Vec<(f64, bool)> =
        scored.iter().filter_map(|row| Some((row.probability, row.fraud?))).collect();
    write_file(json, (serde_json::to_string_pretty(figures)? + "\n").as_bytes())?;
    let beside = |name: &str| json.with_extension(name);
    let curve = picture::precision_recall(&rows, figures.average_precision);
    write_file(&beside("precision_recall.svg"), curve.as_bytes())?;
    let curve = picture::calibration(&rows, figures.brier);
    write_file(&beside("calibration.svg"), curve.as_bytes())
}

fn say(figures: &Figures, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    writeln!(out, "orders               {} with {} frauds", figures.n, figures.positives)?;
    writeln!(out, "ROC-AUC              {:.4}", figures.roc_auc)?;
    writeln!(out, "average precision    {:.4}", figures.average_precision)?;
    writeln!(out, "recall at 1% FPR     {:.4}", figures.recall_at_1pct_fpr)?;
    writeln!(out, "Brier score          {:.5}", figures.brier)?;
    let (score, loss) = (figures.money_caught_by_score, figures.money_caught_by_expected_loss);
    writeln!(out, "fraud money caught   {score:.3} at 0.5% reviewed; {loss:.3} by expected loss")?;
    let (p50, p99) = (figures.score_p50_us, figures.score_p99_us);
    writeln!(out, "model and reasons    {p50:.2} µs p50, {p99:.2} µs p99")?;
    for (name, Group { n, positives, flagged, reviewed, recall }) in &figures.groups {
        let recall = recall.map_or("-".to_owned(), |recall| format!("{recall:.3}"));
        let name = if name.is_empty() { "(none)" } else { name };
        writeln!(
            out,
            "  {name}: {n} orders, {positives} frauds, {flagged} flagged, {reviewed} \
             reviewed, recall {recall}"
        )?;
    }
    Ok(())
}

/// Features and scores for other tools.
struct Copy(BufWriter<File>);

impl Copy {
    fn to(path: &Path, layout: &Layout) -> anyhow::Result<Self> {
        let name = || format!("cannot write {}", path.display());
        let mut file = BufWriter::new(File::create(path).with_context(name)?);
        writeln!(file, "fraud,score,{}", layout.names().join(",")).with_context(name)?;
        Ok(Self(file))
    }

    fn row(&mut self, scored: &Scored, features: &[f32]) -> std::io::Result<()> {
        if let Some(fraud) = scored.fraud {
            write!(self.0, "{},{}", u8::from(fraud), scored.probability)?;
        }
        for value in features.iter().filter(|_| scored.fraud.is_some()) {
            write!(self.0, ",{value}")?;
        }
        if scored.fraud.is_some() { writeln!(self.0) } else { Ok(()) }
    }

    fn end(mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
