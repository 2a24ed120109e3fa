//! Endpoints, wherever they are kept. There are few: they are read as a whole.

use serde_json::{Value, json};

use super::{endpoint::Endpoint, postgres, sqlite, store::run};
use crate::{
    base::{EndpointId, Sealed, Timestamp},
    ledger::{Database, LedgerFault},
};

/// Endpoints of one shop: each event is rendered once, and sent to each.
pub const ENDPOINTS_MAX: usize = 16;

/// The table `webhook_endpoints`.
#[derive(Clone)]
pub struct Endpoints {
    database: Database,
}

/// Why an endpoint was not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EndpointsRefused {
    /// There are enough.
    #[error("there are {ENDPOINTS_MAX} endpoints, and no more may be added")]
    TooMany,
    /// Somebody changed it meanwhile.
    #[error("somebody changed this endpoint at the same time")]
    Changed,
    /// The ledger cannot be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Endpoints {
    /// Those of this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Every endpoint, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn list(&self) -> Result<Vec<Endpoint>, LedgerFault> {
        let rows = run!(&self.database, ENDPOINTS, json!({}))?;
        rows.iter().map(|row| read(row)).collect()
    }

    /// The endpoint of this id.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn find(&self, id: EndpointId) -> Result<Option<Endpoint>, LedgerFault> {
        Ok(self.list().await?.into_iter().find(|endpoint| endpoint.id == id))
    }

    /// Keeps a new endpoint. One with its id that is there already stays, and is given back.
    ///
    /// # Errors
    /// When there are too many, or the ledger cannot be reached.
    pub async fn add(&self, endpoint: Endpoint) -> Result<Endpoint, EndpointsRefused> {
        let known = self.list().await?;
        if let Some(same) = known.iter().find(|known| known.id == endpoint.id) {
            return Ok(same.clone());
        }
        if known.len() >= ENDPOINTS_MAX {
            return Err(EndpointsRefused::TooMany);
        }
        let mut parameter = row(&endpoint);
        parameter["created_at"] = json!(endpoint.created_at);
        let added = run!(&self.database, ADD_ENDPOINT, parameter)?;
        match added.len() {
            1 => Ok(endpoint),
            _ => self.find(endpoint.id).await?.ok_or(EndpointsRefused::Changed),
        }
    }

    /// Puts an endpoint in the place of what it was.
    ///
    /// # Errors
    /// When it is no longer what it was, or the ledger cannot be reached.
    pub async fn change(
        &self,
        before: &Endpoint,
        after: &Endpoint,
    ) -> Result<(), EndpointsRefused> {
        let mut parameter = row(after);
        parameter["before"] = json!(sealed(before));
        match run!(&self.database, CHANGE_ENDPOINT, parameter)?.len() {
            1 => Ok(()),
            _ => Err(EndpointsRefused::Changed),
        }
    }

    /// Removes an endpoint; what is due to it is given up. `false` when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn remove(&self, id: EndpointId, now: Timestamp) -> Result<bool, LedgerFault> {
        let parameter =
            json!({ "id": id.uuid().to_string(), "receiver": id.to_string(), "at": now });
        Ok(run!(&self.database, REMOVE_ENDPOINT, parameter)?.len() == 1)
    }
}

fn row(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id.uuid().to_string(), "active": endpoint.active, "body": sealed(endpoint),
    })
}

fn sealed(endpoint: &Endpoint) -> String {
    Sealed::seal_json(endpoint).stored().to_owned()
}

fn read(stored: &str) -> Result<Endpoint, LedgerFault> {
    let read = Sealed::from_stored(stored.to_owned()).open_json();
    read.map_err(|_| LedgerFault::Broken("a webhook endpoint does not read".to_owned()))
}
