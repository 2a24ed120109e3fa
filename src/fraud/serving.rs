//! What scores a payment: the schema's features, the live model over them, and perhaps another one
//! that is watched beside it. Loaded once, shared, replaced as a whole.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    assessment::ReasonGiven,
    columns::Reader,
    drift::{Counts, Reading, Reference},
    event::Event,
    features::{Layout, Recall},
    model::{Model, ModelFault, Score, file::hexadecimal, reasons::strongest},
    rules::FeatureNames,
    schema::{Schema, SchemaFault},
};
use crate::base::Timestamp;

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
#[derive(Debug)]
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
    drift: Option<Counts>,
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
        Ok(Self { layout, features_hash, names, reader, live: None, challenger: None, drift: None })
    }

    /// The same with another live model; the drift from what its training saw is not known yet.
    ///
    /// # Errors
    /// When it was trained on other features.
    pub fn with_live(self, live: Option<Versioned>) -> Result<Self, ServingFault> {
        self.check(live.as_ref())?;
        Ok(Self { live, drift: None, ..self })
    }

    /// The same with another model watched beside the live one.
    ///
    /// # Errors
    /// When it was trained on other features.
    pub fn with_challenger(self, challenger: Option<Versioned>) -> Result<Self, ServingFault> {
        self.check(challenger.as_ref())?;
        Ok(Self { challenger, ..self })
    }

    /// The same, with drift told from what the live model's training saw.
    #[must_use]
    pub fn with_reference(self, reference: Reference) -> Self {
        Self { drift: Some(Counts::against(reference)), ..self }
    }

    /// Counts a judgement for the drift.
    pub fn note(&self, at: Timestamp, features: &[f32], points: Option<u16>) {
        if let (Some(drift), Some(points)) = (&self.drift, points) {
            drift.note(at, features, points);
        }
    }

    /// How far orders have drifted from those the live model was trained on. None without a live
    /// model, or when its folder has no reference.
    pub fn drift(&self, now: Timestamp) -> Option<Reading> {
        self.drift.as_ref().map(|drift| drift.read(now))
    }

    fn check(&self, versioned: Option<&Versioned>) -> Result<(), ServingFault> {
        let hash = self.layout.hash();
        Ok(versioned.map_or(Ok(()), |versioned| versioned.model.check_features(hash))?)
    }

    /// The live model's version.
    pub fn version(&self) -> Option<&str> {
        self.live.as_ref().map(|live| live.version.as_str())
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
    /// What its training saw.
    pub const REFERENCE: &str = include_str!("../../models/fraud/1/reference.json");
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
