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
    event::Event,
    features::{Layout, Recall},
    model::{Model, ModelFault, Score, file::hexadecimal, reasons::strongest},
    rules::FeatureNames,
    schema::{Schema, SchemaFault},
};

/// Reasons kept with a judgement. A person reads three or four; more only blur them.
const REASONS_MAX: usize = 4;

/// A model with the name it is known by.
#[derive(Debug, Clone)]
pub struct Versioned {
    /// Its version.
    pub version: String,
    /// The model.
    pub model: Arc<Model>,
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
    reader: Reader,
    live: Option<Versioned>,
    challenger: Option<Versioned>,
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
    /// The watched model's version and score.
    pub challenger: Option<(String, Score)>,
}

impl Serving {
    /// Serves a schema, without a model so far.
    ///
    /// # Errors
    /// When the schema does not hold.
    pub fn of(schema: &Schema) -> Result<Self, ServingFault> {
        let layout = Arc::new(schema.layout(schema.label_delay.0)?);
        let features_hash = hexadecimal(&layout.hash()[..8]);
        let reader = Reader::of(schema);
        for column in reader.unknown() {
            tracing::warn!(column, "the fraud schema reads a column no checkout has");
        }
        let names = FeatureNames::of(&layout);
        Ok(Self { layout, features_hash, names, reader, live: None, challenger: None })
    }

    /// The same with another live model.
    ///
    /// # Errors
    /// When it was trained on other features.
    pub fn with_live(self, live: Option<Versioned>) -> Result<Self, ServingFault> {
        self.check(live.as_ref())?;
        Ok(Self { live, ..self })
    }

    /// The same with another model watched beside the live one.
    ///
    /// # Errors
    /// When it was trained on other features.
    pub fn with_challenger(self, challenger: Option<Versioned>) -> Result<Self, ServingFault> {
        self.check(challenger.as_ref())?;
        Ok(Self { challenger, ..self })
    }

    fn check(&self, versioned: Option<&Versioned>) -> Result<(), ServingFault> {
        let hash = self.layout.hash();
        Ok(versioned.map_or(Ok(()), |versioned| versioned.model.check_features(hash))?)
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
        self.challenger.as_ref().map(|challenger| challenger.version.as_str())
    }

    /// What the configuration names: a folder's schema and model, else those that come with the
    /// program.
    ///
    /// # Errors
    /// When the files do not read, or do not belong together.
    pub fn configured(folder: Option<&Path>) -> Result<Self, ServingFault> {
        let (schema, bytes, version) = match folder {
            None => (bundled::SCHEMA.to_owned(), bundled::MODEL.to_vec(), bundled::VERSION.into()),
            Some(folder) => {
                let name = folder.file_name().unwrap_or(folder.as_os_str());
                let (schema, bytes) =
                    (fs::read_to_string(folder.join("schema"))?, fs::read(folder.join("model"))?);
                (schema, bytes, name.to_string_lossy().into_owned())
            }
        };
        let model = Arc::new(Model::from_bytes(&bytes)?);
        Self::of(&Schema::parse(&schema)?)?.with_live(Some(Versioned { version, model }))
    }

    /// Reads a checkout as an event.
    pub const fn reader(&self) -> &Reader {
        &self.reader
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
        let reasons = strongest(&scored.features, &contributions, REASONS_MAX);
        let given = reasons.iter().map(|reason| ReasonGiven {
            code: self.layout.name(self.layout.features[reason.feature]),
            says: self.layout.sentence(reason),
            value: reason.value,
            contribution: reason.contribution,
        });
        scored.reasons = given.collect();
        scored.challenger = self.challenger.as_ref().map(|challenger| {
            (challenger.version.clone(), challenger.model.score(&scored.features))
        });
        scored.score = Some(score);
    }
}

/// The schema and the model that come with the program.
pub mod bundled {
    /// The version.
    pub const VERSION: &str = "bundled-1";
    /// The schema.
    pub const SCHEMA: &str = include_str!("../../models/fraud/1/schema");
    /// The model.
    pub const MODEL: &[u8] = include_bytes!("../../models/fraud/1/model");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{features::InProcess, signals::tests::bare};

    fn serving() -> Serving {
        let schema = Schema::parse(bundled::SCHEMA).expect("a schema");
        let model = Arc::new(Model::from_bytes(bundled::MODEL).expect("a model"));
        let live = Versioned { version: bundled::VERSION.into(), model };
        Serving::of(&schema).expect("it holds").with_live(Some(live)).expect("its features")
    }

    #[test]
    fn the_bundled_model_serves_and_gives_reasons() {
        let serving = serving();
        let event = serving.reader().event(&bare());
        let scored = serving.score(&event, &InProcess::new(100));
        let score = scored.score.expect("a score");
        assert_eq!(scored.features.len(), serving.layout.features.len());
        assert!(score.points < 900, "a plain order of an unknown buyer scores {score:?}");
        assert!(scored.reasons.len() <= REASONS_MAX);
        assert_eq!(scored.version.as_deref(), Some(bundled::VERSION));
    }

    #[test]
    fn a_model_of_other_features_does_not_serve() {
        let schema = Schema::parse("[columns]\ntime = \"t\"").expect("a schema");
        let model = Arc::new(Model::from_bytes(bundled::MODEL).expect("a model"));
        let other = Versioned { version: "x".into(), model };
        let serving = Serving::of(&schema).expect("it holds");
        assert!(matches!(serving.with_live(Some(other)), Err(ServingFault::Model(_))));
    }

    #[test]
    fn a_model_that_breaks_leaves_no_score() {
        let serving = serving();
        let mut event = serving.reader().event(&bare());
        event.keys = Box::default();
        let scored = serving.score(&event, &InProcess::new(100));
        assert!(scored.score.is_none());
    }
}
