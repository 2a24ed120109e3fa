//! What gateways have told, kept before they hear that we have it.
//!
//! **Owns:** one row for each notification, under the gateway's own name for it.
//! **Invariant:** a row is due until what it tells was looked into: that it is there says nothing
//! about that. Nothing personal is kept, and nothing of the gateway's own text but why it said no.
//! Where a gateway has no look-up, what it has told is what is known of a payment.
//! **Not here:** what is done about it (see `cart/notifications.rs`).

mod postgres;
mod sqlite;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::notification::{About, GatewayEvent};
use crate::{
    base::{AttemptId, Timestamp},
    ledger::{Database, LedgerFault},
};

/// A notification that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRow {
    /// The gateway it came from.
    pub gateway: String,
    /// The gateway's name for it.
    pub id: String,
    /// The gateway's word for it.
    pub kind: String,
    /// What it is about.
    pub about: About,
    /// How often it was looked into.
    pub tries: u32,
}

/// What gateways have told.
#[derive(Debug, Clone)]
pub struct Inbox {
    database: Database,
}

impl Inbox {
    /// The inbox in this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Keeps what was told. `false` where it is there already: it came twice.
    ///
    /// # Errors
    /// When the database cannot be reached; then nothing may be acknowledged.
    pub async fn keep(
        &self,
        gateway: &str,
        event: &GatewayEvent,
        now: Timestamp,
    ) -> Result<bool, LedgerFault> {
        let GatewayEvent { id, kind, about } = event;
        let reference = about.payment().and_then(|payment| payment.reference);
        let row = json!({ "gateway": gateway, "id": id, "kind": kind, "about": about, "at": now,
            "reference": reference });
        match &self.database {
            Database::Postgres(postgres) => postgres::insert(postgres, row.to_string()).await,
            Database::Sqlite(sqlite) => sqlite::insert(sqlite, row.to_string()).await,
        }
    }

    /// Everything that a gateway has told of a payment, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn told_of(
        &self,
        gateway: &str,
        reference: AttemptId,
    ) -> Result<Vec<About>, LedgerFault> {
        let ask = json!({ "gateway": gateway, "reference": reference }).to_string();
        let rows = match &self.database {
            Database::Postgres(postgres) => postgres::told_of(postgres, ask).await?,
            Database::Sqlite(sqlite) => sqlite::told_of(sqlite, ask).await?,
        };
        rows.iter().map(|row| read(row)).collect()
    }

    /// What is due, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn list_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, LedgerFault> {
        let ask = json!({ "now": now, "limit": limit }).to_string();
        let rows = match &self.database {
            Database::Postgres(postgres) => postgres::list_due(postgres, ask).await?,
            Database::Sqlite(sqlite) => sqlite::list_due(sqlite, ask).await?,
        };
        rows.iter().map(|row| read(row)).collect()
    }

    /// Records what came of looking into it, and when to look again, if ever.
    ///
    /// # Errors
    /// When the database cannot be reached; it is looked into again then.
    pub async fn settle(
        &self,
        row: &NotificationRow,
        outcome: &str,
        again: Option<Timestamp>,
    ) -> Result<(), LedgerFault> {
        let NotificationRow { gateway, id, .. } = row;
        let change = json!({ "gateway": gateway, "id": id, "outcome": outcome, "due_at": again })
            .to_string();
        match &self.database {
            Database::Postgres(postgres) => postgres::settle(postgres, change).await,
            Database::Sqlite(sqlite) => sqlite::settle(sqlite, change).await,
        }
    }
}

fn read<T: DeserializeOwned>(row: &str) -> Result<T, LedgerFault> {
    serde_json::from_str(row)
        .map_err(|error| LedgerFault::Broken(format!("a kept notification does not read: {error}")))
}
