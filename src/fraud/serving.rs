//! What scores a payment: the schema's features, the live model over them, and perhaps another one
//! that is watched beside it. Loaded once, shared, replaced as a whole.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use super::{
    assessment::ReasonGiven,
    columns::Reader,
    drift::{Counts, Reading, Reference},
    event::Event,
    feature_set::FeatureSet,
    features::{Layout, Recall},
    model::{Model, ModelFault, Reason, Score, reasons::strongest},
    rules::FeatureNames,
    schema::{Schema, SchemaFault},
};
use crate::base::Timestamp;

/// Reasons kept with a judgement. A person reads three or four; more only blur them.
const REASONS_MAX: usize = 4;

/// … and of those that speak for the buyer.
const REASONS_FOR_BUYER_MAX: usize = 2;

/// A model with the name it is known by.
#[derive(Debug, Clone)]
pub struct Versioned {
    /// Its version.
    pub version: String,
    /// The model.
    pub model: Arc<Model>,
    /// What its training saw, to tell drift from.
    pub reference: Option<Arc<Reference>>,
}

impl Versioned {
    /// A model of which nobody knows what its training saw.
    pub fn new(version: impl Into<String>, model: Model) -> Self {
        Self { version: version.into(), model: Arc::new(model), reference: None }
    }

    /// The same with its reference, as its folder has it. Without a good one drift is not told.
    #[must_use]
    pub fn trained_on(self, text: std::io::Result<String>, names: &[String]) -> Self {
        let read = text
            .map_err(|error| error.to_string())
            .and_then(|text| Reference::parse(&text, names).map_err(|fault| fault.to_string()));
        match read {
            Ok(reference) => Self { reference: Some(Arc::new(reference)), ..self },
            Err(fault) => {
                let version = &self.version;
                tracing::warn!(version, fault, "the training left no reference; drift is not told");
                self
            }
        }
    }
}

/// What serves.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The features.
    pub layout: Arc<Layout>,
    /// The first bytes of their hash, in hexadecimal.
    pub features_hash: String,
    /// Where each feature stands.
    pub names: FeatureNames,
    set: Arc<FeatureSet>,
    live: Option<Versioned>,
    challenger: Option<Watched>,
    drift: Option<Arc<Counts>>,
}

/// A model that is watched beside the live one, with the features it reads.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The model.
    pub versioned: Versioned,
    /// Its features, which need not be the live one's.
    pub set: Arc<FeatureSet>,
}

/// A schema or a model that cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServingFault {
    /// The schema.
    #[error(transparent)]
    Schema(#[from] SchemaFault),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelFault),
    /// The files.
    #[error("the model's files do not read: {0}")]
    Files(#[from] std::io::Error),
}

/// What was found about an event.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// Its features, in order.
    pub features: Vec<f32>,
    /// The live model's word. None without one, or when it broke.
    pub score: Option<Score>,
    /// Its version.
    pub version: Option<String>,
    /// What raised the score.
    pub reasons: Vec<ReasonGiven>,
    /// What lowered it.
    pub reasons_for_buyer: Vec<ReasonGiven>,
    /// The watched model's version and score.
    pub challenger: Option<(String, Score)>,
}

impl Serving {
    /// Serves a schema, without a model so far.
    ///
    /// # Errors
    /// When the schema does not hold.
    pub fn of(schema: &Schema) -> Result<Self, ServingFault> {
        let set = FeatureSet::of(schema)?;
        for column in set.unknown_columns() {
            tracing::warn!(column, "the fraud schema reads a column no checkout has");
        }
        Ok(Self::on(Arc::new(set)))
    }

    /// Serves these features, without a model so far.
    pub fn on(set: Arc<FeatureSet>) -> Self {
        Self {
            layout: set.layout.clone(),
            features_hash: set.hash.clone(),
            names: set.names.clone(),
            set,
            live: None,
            challenger: None,
            drift: None,
        }
    }

    /// The same with another live model, and drift told from what its training saw. The same model
    /// goes on with what was counted.
    ///
    /// # Errors
    /// When it was trained on other features.
    pub fn with_live(self, live: Option<Versioned>) -> Result<Self, ServingFault> {
        check(live.as_ref(), &self.layout)?;
        let same = match (&live, &self.live) {
            (Some(next), Some(now)) => next.version == now.version && next.model == now.model,
            _ => false,
        };
        if same && self.drift.is_some() {
            return Ok(Self { live, ..self });
        }
        let reference = live.as_ref().and_then(|live| live.reference.as_deref().cloned());
        Ok(Self { live, drift: reference.map(Counts::against).map(Arc::new), ..self })
    }

    /// The same with another model watched beside the live one, with features of its own.
    ///
    /// # Errors
    /// When it was trained on others than these.
    pub fn with_challenger(self, challenger: Option<Watched>) -> Result<Self, ServingFault> {
        if let Some(Watched { versioned, set }) = &challenger {
            check(Some(versioned), &set.layout)?;
        }
        Ok(Self { challenger, ..self })
    }

    /// The features, and what is remembered for them.
    pub const fn set(&self) -> &Arc<FeatureSet> {
        &self.set
    }

    /// Counts a judgement for the drift.
    pub fn note(&self, at: Timestamp, features: &[f32], points: Option<u16>) {
        if let (Some(drift), Some(points)) = (&self.drift, points) {
            drift.note(at, features, points);
        }
    }

    /// What is counted for the drift; none without a reference.
    pub fn counts(&self) -> Option<&Counts> {
        self.drift.as_deref()
    }

    /// How far orders have drifted from those the live model was trained on. None without a live
    /// model, or when its folder has no reference.
    pub fn drift(&self, now: Timestamp) -> Option<Reading> {
        self.drift.as_ref().map(|drift| drift.read(now))
    }

    /// The live model's version.
    pub fn version(&self) -> Option<&str> {
        self.live.as_ref().map(|live| live.version.as_str())
    }

    /// The live model.
    pub const fn live(&self) -> Option<&Versioned> {
        self.live.as_ref()
    }

    /// The version of the model that is watched.
    pub fn challenger(&self) -> Option<&str> {
        self.challenger.as_ref().map(|challenger| challenger.versioned.version.as_str())
    }

    /// The model that is watched, if it reads other features than the live one.
    pub fn watched_apart(&self) -> Option<&Watched> {
        self.challenger.as_ref().filter(|challenger| challenger.set.hash != self.features_hash)
    }

    /// What the configuration names: a folder's schema and model, else those that come with the
    /// program.
    ///
    /// # Errors
    /// When the files do not read, or do not belong together.
    pub fn configured(folder: Option<&Path>) -> Result<Self, ServingFault> {
        let (schema, bytes, version, reference) = match folder {
            None => (
                bundled::SCHEMA.to_owned(),
                bundled::MODEL.to_vec(),
                bundled::VERSION.to_owned(),
                Ok(bundled::REFERENCE.to_owned()),
            ),
            Some(folder) => {
                let name = folder.file_name().unwrap_or(folder.as_os_str());
                (
                    fs::read_to_string(folder.join("schema"))?,
                    fs::read(folder.join("model"))?,
                    name.to_string_lossy().into_owned(),
                    fs::read_to_string(folder.join("reference.json")),
                )
            }
        };
        let serving = Self::of(&Schema::parse(&schema)?)?;
        let live = Versioned::new(version, Model::from_bytes(&bytes)?);
        let live = live.trained_on(reference, &serving.layout.names());
        serving.with_live(Some(live))
    }

    /// Reads a checkout as an event.
    pub fn reader(&self) -> &Reader {
        self.set.reader()
    }

    /// Computes the features and asks the models. What breaks is missing: whoever decides is
    /// stricter for it.
    pub fn score(&self, event: &Event, memory: &impl Recall) -> Scored {
        let mut scored = Scored::default();
        let whole = catch_unwind(AssertUnwindSafe(|| self.fill(event, memory, &mut scored)));
        if whole.is_err() {
            tracing::error!("scoring a payment broke; it is judged without a score");
            scored.score = None;
        }
        scored
    }

    fn fill(&self, event: &Event, memory: &impl Recall, scored: &mut Scored) {
        let mut features = Vec::with_capacity(self.layout.features.len());
        self.layout.compute(event, memory, &mut features);
        scored.features = features;
        let Some(live) = &self.live else { return };
        let mut contributions = vec![0.0; scored.features.len()];
        let score = live.model.explain(&scored.features, &mut contributions);
        scored.version = Some(live.version.clone());
        let most = (REASONS_MAX, REASONS_FOR_BUYER_MAX);
        let told = strongest(&self.layout, (&scored.features, &contributions), most);
        let given = |reason: &Reason| ReasonGiven {
            code: self.set.codes[reason.feature].clone(),
            says: String::new(),
            value: reason.value,
            contribution: reason.contribution,
        };
        scored.reasons = told.0.iter().map(given).collect();
        scored.reasons_for_buyer = told.1.iter().map(given).collect();
        let same = |watched: &&Watched| watched.set.hash == self.features_hash;
        scored.challenger = self.challenger.as_ref().filter(same).map(|challenger| {
            let Versioned { version, model, .. } = &challenger.versioned;
            (version.clone(), model.score(&scored.features))
        });
        scored.score = Some(score);
    }
}

impl Watched {
    /// Its version and what it says of an event of its own features. Nothing when it breaks: it
    /// decides nothing.
    pub fn score(&self, event: &Event, memory: &impl Recall) -> Option<(String, Score)> {
        let Versioned { version, model, .. } = &self.versioned;
        let scores = || {
            let mut features = Vec::with_capacity(self.set.layout.features.len());
            self.set.layout.compute(event, memory, &mut features);
            model.score(&features)
        };
        let score = catch_unwind(AssertUnwindSafe(scores)).ok();
        if score.is_none() {
            tracing::error!(version, "the watched fraud model broke on a payment");
        }
        score.map(|score| (version.clone(), score))
    }
}

fn check(versioned: Option<&Versioned>, layout: &Layout) -> Result<(), ServingFault> {
    Ok(versioned.map_or(Ok(()), |versioned| versioned.model.check_features(layout.hash()))?)
}

/// The schema and the model that come with the program.
pub mod bundled {
    /// The version.
    pub const VERSION: &str = "bundled-2";
    /// The schema.
    pub const SCHEMA: &str = include_str!("../../models/fraud/2/schema");
    /// The model.
    pub const MODEL: &[u8] = include_bytes!("../../models/fraud/2/model");
    /// What its training saw.
    pub const REFERENCE: &str = include_str!("../../models/fraud/2/reference.json");
}

#[cfg(test)]
mod tests;
