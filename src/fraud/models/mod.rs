//! The models of a shop: which scores, which is watched beside it, which did and may again.
//!
//! ```text
//!  add ─► candidate ─promote─► shadow ─promote─► live ─► retired
//!                                                 └─rollback─► retired, and the one before is live
//! ```
//! **Owns:** the registry's rows, the folder that models are copied into, and following both while
//! serving. **Invariant:** one model is live and one is watched at most; every change is numbered;
//! a model is asked about the features that its schema declares, over a memory that has them.
//! **Not here:** training
//! (see [`train`](super::train)), scoring (see [`serving`](super::serving)).

mod follow;
mod postgres;
mod sqlite;
mod store;

pub use follow::{Follower, OpenMemory};
pub use store::{ModelRow, ModelState, Move};

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    feature_set::FeatureSet,
    model::{Model, file::hexadecimal},
    schema::Schema,
    serving::{Serving, Versioned, Watched},
};
use crate::{
    base::Clock,
    ledger::{Database, LedgerFault},
};
use store::Store;

/// Bytes of a version's name.
const NAME_BYTES_MAX: usize = 64;

/// What a model's training saw, beside it.
const REFERENCE: &str = "reference.json";

/// How often a change is tried again that met another one.
const TRIES: usize = 5;

/// A change that is not made.
#[derive(Debug, thiserror::Error)]
pub enum ModelsRefused {
    /// There is no such model.
    #[error("there is no model `{0}`")]
    NoSuchModel(String),
    /// The name is taken, by another model.
    #[error("there is another model `{0}`; give this one a name of its own")]
    Taken(String),
    /// It cannot be a name.
    #[error(
        "a model's name has 1 to {NAME_BYTES_MAX} letters, digits, points, hyphens and \
         underscores, and begins with a letter or digit"
    )]
    BadName,
    /// It is live already.
    #[error("the model `{0}` is live")]
    IsLive(String),
    /// There is none to go back from.
    #[error("no registered model is live: there is nothing to go back from")]
    NothingLive,
    /// It cannot be asked about what was recorded for another.
    #[error("the model `{0}` reads other features than those that were recorded")]
    OtherFeatures(String),
    /// What it has to remember cannot be opened.
    #[error("what the model has to remember cannot be opened: {0}")]
    Memory(String),
    /// The folder's files do not read, or are not those that were registered.
    #[error("the files of the model `{version}` do not do: {why}")]
    Files {
        /// Which.
        version: String,
        /// Why.
        why: String,
    },
    /// Others changed the registry again and again.
    #[error("the models were changed by somebody else at the same time; try again")]
    Raced,
    /// The ledger cannot be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

/// The models of a shop.
pub struct Models {
    store: Store,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Models {
    /// The models of this database, their files in this folder.
    pub fn new(database: Database, folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { store: Store::new(database), folder, clock }
    }

    /// All of them, the newest first.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn list(&self) -> Result<Vec<ModelRow>, LedgerFault> {
        self.store.list().await
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn number(&self) -> Result<u64, LedgerFault> {
        self.store.number().await
    }

    /// Copies a trained model in and registers it as a candidate. The same one again changes
    /// nothing.
    ///
    /// # Errors
    /// When its files do not do, or the name is another model's.
    pub async fn add(
        &self,
        from: &Path,
        version: &str,
        author: &str,
    ) -> Result<ModelRow, ModelsRefused> {
        check_name(version)?;
        let bad = |why: String| ModelsRefused::Files { version: version.to_owned(), why };
        let read = |name: &str| {
            std::fs::read(from.join(name)).map_err(|error| bad(format!("{name}: {error}")))
        };
        let (bytes, schema, manifest) = (read("model")?, read("schema")?, read("manifest")?);
        let model = Model::from_bytes(&bytes).map_err(|error| bad(error.to_string()))?;
        let metrics =
            serde_json::from_slice(&manifest).map_err(|error| bad(format!("manifest: {error}")))?;
        let row = ModelRow {
            version: version.to_owned(),
            state: ModelState::Candidate,
            folder: version.to_owned(),
            sha256: model.fingerprint(),
            features: hexadecimal(&model.features_hash),
            metrics,
            created_at: self.clock.now(),
            changed_at: self.clock.now(),
            changed_by: author.to_owned(),
        };
        if let Some(found) = self.find(version).await? {
            let same = found.sha256 == row.sha256;
            return if same { Ok(found) } else { Err(ModelsRefused::Taken(version.to_owned())) };
        }
        let folder = self.folder.join(version);
        std::fs::create_dir_all(&folder).map_err(|error| bad(error.to_string()))?;
        // Models trained before there was one have no reference; drift is then not told.
        let reference = std::fs::read(from.join(REFERENCE)).ok();
        let reference = reference.iter().map(|bytes| (REFERENCE, bytes));
        let files = [("schema", &schema), ("manifest", &manifest), ("model", &bytes)];
        for (name, bytes) in files.into_iter().chain(reference) {
            std::fs::write(folder.join(name), bytes).map_err(|error| bad(error.to_string()))?;
        }
        for _ in 0..TRIES {
            let number = self.store.number().await?;
            if self.store.add(number, &row).await? {
                return Ok(row);
            }
            if self.find(version).await?.is_some() {
                return Err(ModelsRefused::Taken(version.to_owned()));
            }
        }
        Err(ModelsRefused::Raced)
    }

    /// One model.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn find(&self, version: &str) -> Result<Option<ModelRow>, LedgerFault> {
        Ok(self.store.list().await?.into_iter().find(|row| row.version == version))
    }

    /// A model's files, ready to score what these features say.
    ///
    /// # Errors
    /// When there is none, its files do not do, or its features are others.
    pub async fn load(&self, version: &str, serving: &Serving) -> Result<Versioned, ModelsRefused> {
        let row = self.find(version).await?;
        let row = row.ok_or_else(|| ModelsRefused::NoSuchModel(version.to_owned()))?;
        let Watched { versioned, set } = self.read(&row).await?;
        match set.hash == serving.features_hash {
            true => Ok(versioned),
            false => Err(ModelsRefused::OtherFeatures(version.to_owned())),
        }
    }

    /// Reads a model, so that none is put in force that cannot be.
    async fn probe(&self, version: &str) -> Result<(), ModelsRefused> {
        let row = self.find(version).await?;
        let row = row.ok_or_else(|| ModelsRefused::NoSuchModel(version.to_owned()))?;
        self.read(&row).await.map(drop)
    }

    /// A model's files, read and checked, with the features that it reads.
    async fn read(&self, row: &ModelRow) -> Result<Watched, ModelsRefused> {
        let version = row.version.clone();
        let bad = |why: String| ModelsRefused::Files { version: row.version.clone(), why };
        let path = self.folder.join(&row.folder).join("model");
        let bytes =
            std::fs::read(&path).map_err(|error| bad(format!("{}: {error}", path.display())))?;
        let model = Model::from_bytes(&bytes).map_err(|error| bad(error.to_string()))?;
        if model.fingerprint() != row.sha256 {
            return Err(bad("the file is not the one that was registered".to_owned()));
        }
        let schema = std::fs::read_to_string(path.with_file_name("schema"));
        let schema = schema.map_err(|error| bad(format!("schema: {error}")))?;
        let schema = Schema::parse(&schema).map_err(|error| bad(error.to_string()))?;
        let set = FeatureSet::of(&schema).map_err(|error| bad(error.to_string()))?;
        model.check_features(set.layout.hash()).map_err(|error| bad(error.to_string()))?;
        let reference = std::fs::read_to_string(path.with_file_name(REFERENCE));
        let versioned = Versioned::new(version, model).trained_on(reference, &set.layout.names());
        Ok(Watched { versioned, set: Arc::new(set) })
    }

    /// The next step for a model: watched, then live. Whoever stood there makes room.
    ///
    /// # Errors
    /// When there is none, it is live, or cannot score what is served.
    pub async fn promote(&self, version: &str, author: &str) -> Result<ModelRow, ModelsRefused> {
        self.probe(version).await?;
        self.change(author, |rows| promotion(rows, version)).await?;
        let found = self.find(version).await?;
        found.ok_or_else(|| ModelsRefused::NoSuchModel(version.to_owned()))
    }

    /// The live model steps back, and the one before it is live again; without one, the model that
    /// the configuration names. Returns what is live then.
    ///
    /// # Errors
    /// When none is live, or the one before cannot score what is served.
    pub async fn rollback(&self, author: &str) -> Result<Option<ModelRow>, ModelsRefused> {
        let former = self.store.former().await?;
        if let Some(version) = &former {
            self.probe(version).await?;
        }
        self.change(author, |rows| way_back(rows, former.as_deref())).await?;
        let rows = self.store.list().await?;
        Ok(rows.into_iter().find(|row| row.state == ModelState::Live))
    }

    async fn change(
        &self,
        author: &str,
        decide: impl Fn(&[ModelRow]) -> Result<Vec<Move>, ModelsRefused>,
    ) -> Result<(), ModelsRefused> {
        for _ in 0..TRIES {
            let number = self.store.number().await?;
            let moves = decide(&self.store.list().await?)?;
            if self.store.change(number, &moves, author, self.clock.now()).await? {
                return Ok(());
            }
        }
        Err(ModelsRefused::Raced)
    }
}

fn check_name(version: &str) -> Result<(), ModelsRefused> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let well_formed = (1..=NAME_BYTES_MAX).contains(&version.len())
        && version.bytes().all(plain)
        && version.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !["comparison", "rollback"].contains(&version);
    if well_formed { Ok(()) } else { Err(ModelsRefused::BadName) }
}

/// What a promotion moves: those that make room first, so that no place is ever taken twice.
fn promotion(rows: &[ModelRow], version: &str) -> Result<Vec<Move>, ModelsRefused> {
    let found = rows.iter().find(|row| row.version == version);
    let found = found.ok_or_else(|| ModelsRefused::NoSuchModel(version.to_owned()))?;
    let to = match found.state {
        ModelState::Candidate | ModelState::Retired => ModelState::Shadow,
        ModelState::Shadow => ModelState::Live,
        ModelState::Live => return Err(ModelsRefused::IsLive(version.to_owned())),
    };
    let room = match to {
        ModelState::Live => ModelState::Retired,
        _ => ModelState::Candidate,
    };
    let stands = rows.iter().filter(|row| row.state == to);
    let mut moves: Vec<Move> = stands.map(|row| row.moved(room)).collect();
    moves.push(found.moved(to));
    Ok(moves)
}

/// What a rollback moves. The former model may be watched by now, or a candidate again.
fn way_back(rows: &[ModelRow], former: Option<&str>) -> Result<Vec<Move>, ModelsRefused> {
    let live = rows.iter().find(|row| row.state == ModelState::Live);
    let mut moves = vec![live.ok_or(ModelsRefused::NothingLive)?.moved(ModelState::Retired)];
    let former = former.and_then(|former| rows.iter().find(|row| row.version == former));
    moves.extend(former.map(|row| row.moved(ModelState::Live)));
    Ok(moves)
}
