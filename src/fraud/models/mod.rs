//! The models of a shop: which scores, which is watched beside it, which did and may again.
//!
//! ```text
//!  add ─► candidate ─watch─► shadow ─promote, gate, approve─► live ─► retired
//!             ▲                │                               └─rollback─► retired, and the one
//!             └────unwatch─────┘                                             before is live
//! ```
//! **Owns:** the registry's rows and files, the gate before a model's score decides, and following
//! both while serving. **Invariant:** one model is live and one is watched at most; every change is
//! numbered, and says who made it, why, and what was known; a model is asked about the features
//! that its schema declares, over a memory that has them. Going back waits for nobody.
//! **Not here:** training (see [`train`](super::train)), scoring (see [`serving`](super::serving)).

mod bundle;
mod follow;
mod gate;
mod moves;
mod postgres;
mod refused;
mod sqlite;
mod store;

pub use bundle::Bundle;
pub use follow::{Follower, OpenMemory};
pub use gate::{Gate, GateTerms};
pub use refused::ModelsRefused;
pub use store::{ModelChange, ModelRow, ModelState, Move, Request};

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    history::History,
    model::file::hexadecimal,
    serving::{Serving, Versioned, Watched},
};
use crate::{
    base::Clock,
    ledger::{Database, LedgerFault},
};
use moves::{check_name, going_live, unwatching, watching, way_back};
use store::{Change, Store};

/// How often a change is tried again that met another one.
const TRIES: usize = 5;

/// Bytes of a reason.
pub const REASON_BYTES_MAX: usize = 500;

/// What somebody asked for a week ago was asked about other figures.
const REQUEST_LIVES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Who asks where nobody has a key: it may be anybody.
const NOBODY: &str = "anonymous";

/// The models of a shop.
pub struct Models {
    store: Store,
    history: History,
    /// Where models are that were registered before the ledger kept their files.
    folder: PathBuf,
    terms: GateTerms,
    clock: Arc<dyn Clock>,
}

/// What a promotion came to.
#[derive(Debug, Clone)]
pub enum Promoted {
    /// The model is live.
    Live(ModelRow),
    /// A second person has to agree.
    Asked(Request, Gate),
}

/// Who wants a model to go live, and why.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Whether the gate's figures are waived. A second person has to agree all the same.
    pub waived: bool,
}

impl Models {
    /// The models of this database; those of before the ledger kept them, in this folder.
    pub fn new(database: Database, folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let (store, history) = (Store::new(database.clone()), History::new(database));
        Self { store, history, folder, terms: GateTerms::default(), clock }
    }

    /// The same with another gate.
    #[must_use]
    pub fn with_gate(self, terms: GateTerms) -> Self {
        Self { terms, ..self }
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

    /// Takes a trained model in and registers it as a candidate. The same one again changes
    /// nothing.
    ///
    /// # Errors
    /// When its files do not do, or the name is another model's.
    pub async fn add(
        &self,
        bundle: &Bundle,
        version: &str,
        author: &str,
    ) -> Result<ModelRow, ModelsRefused> {
        check_name(version)?;
        let model = bundle.read(version).map_err(|why| files(version, why))?.versioned.model;
        let row = ModelRow {
            version: version.to_owned(),
            state: ModelState::Candidate,
            folder: version.to_owned(),
            sha256: model.fingerprint(),
            features: hexadecimal(&model.features_hash),
            metrics: bundle.manifest().clone(),
            created_at: self.clock.now(),
            changed_at: self.clock.now(),
            changed_by: author.to_owned(),
        };
        for _ in 0..TRIES {
            let number = self.store.number().await?;
            if let Some(found) = self.find(version).await? {
                let same = found.sha256 == row.sha256;
                return if same {
                    Ok(found)
                } else {
                    Err(ModelsRefused::Taken(version.to_owned()))
                };
            }
            if self.store.add(number, &row, &bundle.files()).await? {
                return Ok(row);
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

    /// What happened to a model, the last change first.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn changes(&self, version: &str) -> Result<Vec<ModelChange>, LedgerFault> {
        self.store.changes(version).await
    }

    /// Who asked that this model goes live, as long as that may be agreed to.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn request(&self, version: &str) -> Result<Option<Request>, LedgerFault> {
        let request = self.store.request(version).await?;
        let now = self.clock.now();
        Ok(request.filter(|request| now.since(request.asked_at) <= REQUEST_LIVES))
    }

    /// A model's files, ready to score what these features say.
    ///
    /// # Errors
    /// When there is none, its files do not do, or its features are others.
    pub async fn load(&self, version: &str, serving: &Serving) -> Result<Versioned, ModelsRefused> {
        let Watched { versioned, set } = self.read(&self.get(version).await?).await?;
        match set.hash == serving.features_hash {
            true => Ok(versioned),
            false => Err(ModelsRefused::OtherFeatures(version.to_owned())),
        }
    }

    async fn get(&self, version: &str) -> Result<ModelRow, ModelsRefused> {
        let row = self.find(version).await?;
        row.ok_or_else(|| ModelsRefused::NoSuchModel(version.to_owned()))
    }

    /// A model's files, read and checked, with the features that it reads.
    async fn read(&self, row: &ModelRow) -> Result<Watched, ModelsRefused> {
        let version = &row.version;
        let stored = self.store.files(version).await?;
        let bundle = match stored.is_empty() {
            true => Bundle::of_folder(&self.folder.join(&row.folder)),
            false => Bundle::of_stored(&stored),
        };
        let model = bundle.and_then(|bundle| bundle.read(version));
        let model = model.map_err(|why| files(version, why))?;
        if model.versioned.model.fingerprint() != row.sha256 {
            return Err(files(version, "the file is not the one that was registered".to_owned()));
        }
        Ok(model)
    }

    /// From now on a model is watched beside the live one. Whoever was watched steps back.
    ///
    /// # Errors
    /// When there is none, it is live, or cannot score.
    pub async fn watch(
        &self,
        version: &str,
        (by, reason): (&str, &str),
    ) -> Result<ModelRow, ModelsRefused> {
        self.read(&self.get(version).await?).await?;
        let change = Change { by, reason, ..Change::default() };
        self.change(change, |rows| watching(rows, version)).await?;
        self.get(version).await
    }

    /// From now on a model is no longer watched.
    ///
    /// # Errors
    /// When there is none, or it is not watched.
    pub async fn unwatch(
        &self,
        version: &str,
        (by, reason): (&str, &str),
    ) -> Result<ModelRow, ModelsRefused> {
        let change = Change { by, reason, ..Change::default() };
        self.change(change, |rows| unwatching(rows, version)).await?;
        self.get(version).await
    }

    /// What is known of a model that may go live one day.
    ///
    /// # Errors
    /// When there is none, or its files do not do.
    pub async fn gate(&self, version: &str) -> Result<Gate, ModelsRefused> {
        let row = self.get(version).await?;
        let model = self.read(&row).await?.versioned;
        let since = (row.state == ModelState::Shadow).then_some(row.changed_at);
        let terms = (self.terms, &model);
        Ok(Gate::of(terms, since, &self.history, self.clock.now()).await?)
    }

    /// Somebody wants a model's score to decide. It does where one person is enough; else it is
    /// written down, for a second one to agree.
    ///
    /// # Errors
    /// When it is live, something is lacking, or nobody knows who asks.
    pub async fn promote(&self, version: &str, wish: Wish<'_>) -> Result<Promoted, ModelsRefused> {
        if wish.reason.trim().is_empty() || wish.reason.len() > REASON_BYTES_MAX {
            return Err(ModelsRefused::NoReason);
        }
        let gate = self.open_gate(version, wish.waived).await?;
        if self.terms.people < 2 {
            let change = Change { by: wish.by, reason: wish.reason, ..Change::default() };
            return Ok(Promoted::Live(self.go_live(version, change, &gate, wish.waived).await?));
        }
        if wish.by == NOBODY {
            return Err(ModelsRefused::Nobody);
        }
        let request = Request {
            version: version.to_owned(),
            asked_by: wish.by.to_owned(),
            reason: wish.reason.to_owned(),
            waived: wish.waived,
            asked_at: self.clock.now(),
        };
        self.store.ask_for(&request).await?;
        Ok(Promoted::Asked(request, gate))
    }

    /// A second person agrees that a model goes live.
    ///
    /// # Errors
    /// When nobody asked for it, the same person did, or something is lacking by now.
    pub async fn approve(&self, version: &str, by: &str) -> Result<ModelRow, ModelsRefused> {
        self.get(version).await?;
        let request = self.request(version).await?;
        let request = request.ok_or_else(|| ModelsRefused::NotAsked(version.to_owned()))?;
        if by == NOBODY {
            return Err(ModelsRefused::Nobody);
        }
        if by == request.asked_by {
            return Err(ModelsRefused::SamePerson);
        }
        let gate = self.open_gate(version, request.waived).await?;
        let Request { asked_by, reason, waived, .. } = &request;
        let change = Change { by: asked_by, reason, approved_by: Some(by), evidence: None };
        self.go_live(version, change, &gate, *waived).await
    }

    /// What is known of a model, which is enough, or is waived.
    async fn open_gate(&self, version: &str, waived: bool) -> Result<Gate, ModelsRefused> {
        let row = self.get(version).await?;
        if row.state == ModelState::Live {
            return Err(ModelsRefused::IsLive(version.to_owned()));
        }
        let gate = self.gate(version).await?;
        if !waived && !gate.is_open() {
            return Err(ModelsRefused::Lacking {
                version: version.to_owned(),
                lacking: gate.lacking.join("; "),
            });
        }
        Ok(gate)
    }

    async fn go_live(
        &self,
        version: &str,
        change: Change<'_>,
        gate: &Gate,
        waived: bool,
    ) -> Result<ModelRow, ModelsRefused> {
        let evidence = serde_json::json!({ "gate": gate, "override": waived });
        let change = Change { evidence: Some(evidence), ..change };
        self.change(change, |rows| going_live(rows, version)).await?;
        self.get(version).await
    }

    /// The live model steps back, and the one before it is live again; without one, the model that
    /// the configuration names. It needs nobody's agreement. Returns what is live then.
    ///
    /// # Errors
    /// When none is live, or the files of the one before do not do.
    pub async fn rollback(
        &self,
        (by, reason): (&str, &str),
    ) -> Result<Option<ModelRow>, ModelsRefused> {
        let former = self.store.former().await?;
        if let Some(version) = &former {
            self.read(&self.get(version).await?).await?;
        }
        let change = Change { by, reason, ..Change::default() };
        self.change(change, |rows| way_back(rows, former.as_deref())).await?;
        let rows = self.store.list().await?;
        Ok(rows.into_iter().find(|row| row.state == ModelState::Live))
    }

    async fn change(
        &self,
        change: Change<'_>,
        decide: impl Fn(&[ModelRow]) -> Result<Vec<Move>, ModelsRefused>,
    ) -> Result<(), ModelsRefused> {
        for _ in 0..TRIES {
            let number = self.store.number().await?;
            let moves = decide(&self.store.list().await?)?;
            if self.store.change(number, &moves, &change, self.clock.now()).await? {
                return Ok(());
            }
        }
        Err(ModelsRefused::Raced)
    }
}

fn files(version: &str, why: String) -> ModelsRefused {
    ModelsRefused::Files { version: version.to_owned(), why }
}
