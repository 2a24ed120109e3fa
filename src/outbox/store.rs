//! Deliveries, wherever they are kept.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    delivery::{Delivery, DeliveryState, NewDelivery, Outcome, UnsentEvent},
    postgres,
    retry::Settlement,
    sqlite,
};
use crate::{
    base::{DeliveryId, OrderId, Timestamp},
    ledger::{Database, LedgerFault},
};

/// How long an attempt belongs to who has begun it: longer than any call may take, and what a
/// delivery waits after the death of its sender.
pub const LEASE: Duration = Duration::from_secs(20);

/// The table `deliveries`, and the marks on the table `events`.
#[derive(Clone)]
pub struct Deliveries {
    database: Database,
}

/// The same work for both databases.
macro_rules! run {
    ($database:expr, $work:ident, $parameter:expr) => {
        match $database {
            Database::Postgres(database) => {
                postgres::run(database, postgres::$work, $parameter.to_string()).await
            }
            Database::Sqlite(database) => {
                sqlite::run(database, sqlite::$work, $parameter.to_string()).await
            }
        }
    };
}

/// Where a settlement leaves a delivery: its state, when it is tried next, when it ended.
fn stands(
    settlement: Settlement,
    now: Timestamp,
) -> (DeliveryState, Option<Timestamp>, Option<Timestamp>) {
    match settlement {
        Settlement::Again(at) => (DeliveryState::Due, Some(at), None),
        Settlement::Ended(state) => (state, None, Some(now)),
    }
}

impl Deliveries {
    /// Those of this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The oldest events that are not marked sent.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn unsent(&self, limit: u32) -> Result<Vec<UnsentEvent>, LedgerFault> {
        read(run!(&self.database, UNSENT, json!({ "limit": limit }))?)
    }

    /// Keeps the deliveries of these events and marks the events sent, in one commit. Named by
    /// their numbers, they are what [`unsent`](Self::unsent) gave, from the oldest and without a
    /// gap. How many were marked here; fewer when another replica was faster.
    ///
    /// # Errors
    /// When the ledger cannot be reached; asking again is safe.
    pub async fn hand_on(
        &self,
        events: &[i64],
        deliveries: &[NewDelivery],
        now: Timestamp,
    ) -> Result<usize, LedgerFault> {
        let rows: Vec<Value> = deliveries.iter().map(row).collect();
        let parameter = json!({ "events": events, "deliveries": rows, "at": now });
        Ok(run!(&self.database, HAND_ON, parameter)?.len())
    }

    /// Platforms to which something is due, so many at most.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn platforms_due(
        &self,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, LedgerFault> {
        run!(&self.database, PLATFORMS_DUE, json!({ "limit": limit, "now": now }))
    }

    /// Notes that this address wants no more, and gives up what is due to this receiver. What was
    /// noted before `since` counts no more and is forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn gone(
        &self,
        receiver: &str,
        url: &str,
        (since, now): (Timestamp, Timestamp),
    ) -> Result<(), LedgerFault> {
        let parameter = json!({ "receiver": receiver, "url": url, "at": now, "since": since });
        run!(&self.database, GONE, parameter).map(drop)
    }

    /// Whether this address said after `since` that it wants no more.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn is_gone(&self, url: &str, since: Timestamp) -> Result<bool, LedgerFault> {
        let parameter = json!({ "url": url, "since": since });
        Ok(!run!(&self.database, IS_GONE, parameter)?.is_empty())
    }

    /// Forgets the oldest events while nobody wants to hear of any. Of orders that a platform
    /// placed, the platform does. How many there were.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn pass_over(&self, limit: u32) -> Result<usize, LedgerFault> {
        Ok(run!(&self.database, PASS_OVER, json!({ "limit": limit }))?.len())
    }

    /// Begins attempts at what is due for this receiver: of each order its oldest, and none that
    /// someone else has begun. They are the caller's for [`LEASE`].
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn claim(
        &self,
        receiver: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, LedgerFault> {
        let until = now.plus(LEASE);
        let parameter = json!({ "receiver": receiver, "limit": limit, "now": now, "until": until });
        read(run!(&self.database, CLAIM, parameter)?)
    }

    /// Ends an attempt. `false` when it was no longer the caller's: its lease had ended and someone
    /// else has begun the next.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the delivery is then tried again after its lease.
    pub async fn settle(
        &self,
        attempt: &Delivery,
        outcome: &Outcome,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<bool, LedgerFault> {
        let (state, next_at, settled_at) = stands(settlement, now);
        let (status, fault) = match outcome {
            Outcome::Answered(status) => (Some(status), None),
            Outcome::Failed(fault) | Outcome::Unwanted(fault) => (None, Some(fault)),
        };
        let parameter = json!({
            "id": attempt.id.uuid().to_string(), "attempts": attempt.attempts, "state": state,
            "next_at": next_at, "settled_at": settled_at, "last_status": status,
            "last_fault": fault,
        });
        Ok(run!(&self.database, SETTLE, parameter)?.len() == 1)
    }

    /// Counts an attempt for what is due to a receiver that cannot be asked, as if each had failed
    /// so. `plan` says what becomes of the attempt with each number (from 1). Returns where they
    /// stand then, of so many at most.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn put_off(
        &self,
        (receiver, fault): (&str, &str),
        plan: &[Settlement],
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<DeliveryState>, LedgerFault> {
        let step = |(begun, settlement): (usize, &Settlement)| {
            let (state, next_at, settled_at) = stands(*settlement, now);
            json!({ "attempts": begun, "state": state, "next_at": next_at,
                    "settled_at": settled_at })
        };
        let parameter = json!({
            "receiver": receiver, "fault": fault, "limit": limit, "now": now,
            "plan": plan.iter().enumerate().map(step).collect::<Vec<_>>(),
            "most": plan.len().saturating_sub(1),
        });
        read(run!(&self.database, PUT_OFF, parameter)?)
    }

    /// Deliveries of these, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn list(&self, of: &DeliveryFilter, most: u32) -> Result<Vec<Delivery>, LedgerFault> {
        let parameter = json!({
            "delivery": of.delivery.map(|id| id.uuid().to_string()),
            "order": of.order.map(|id| id.uuid().to_string()),
            "receiver": of.receiver,
            "standing": of.state,
            "cursor": of.cursor.map(|id| id.uuid().to_string()),
            "most": most,
        });
        read(run!(&self.database, LIST, parameter)?)
    }

    /// Has a delivery tried again at once, whatever came of it. `false` when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn send_again(&self, id: DeliveryId, now: Timestamp) -> Result<bool, LedgerFault> {
        let parameter = json!({ "id": id.uuid().to_string(), "now": now });
        Ok(run!(&self.database, SEND_AGAIN, parameter)?.len() == 1)
    }

    /// What has not arrived.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn backlog(&self) -> Result<Backlog, LedgerFault> {
        let mut rows = read(run!(&self.database, BACKLOG, json!({}))?)?;
        Ok(rows.pop().unwrap_or_default())
    }

    /// Forgets some of the deliveries that ended before then. Parked ones stay.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn purge(&self, before: Timestamp, limit: u32) -> Result<usize, LedgerFault> {
        Ok(run!(&self.database, PURGE, json!({ "before": before, "limit": limit }))?.len())
    }
}

/// Which deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// This one.
    pub delivery: Option<DeliveryId>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// To this receiver.
    pub receiver: Option<String>,
    /// Standing like this.
    pub state: Option<DeliveryState>,
    /// Older than this one.
    pub cursor: Option<DeliveryId>,
}

/// What has not arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Backlog {
    /// Deliveries that will be tried.
    pub due: u64,
    /// Deliveries that were given up.
    pub parked: u64,
    /// Since when the oldest that is due waits.
    pub oldest: Option<Timestamp>,
}

fn row(new: &NewDelivery) -> Value {
    json!({
        "id": new.id.uuid().to_string(), "event_id": new.event_id.uuid().to_string(),
        "seq": new.seq, "order_id": new.order_id.uuid().to_string(), "receiver": new.receiver,
        "kind": new.kind, "body": new.body, "stamped_at": new.stamped_at,
        "is_kept_only": new.is_kept_only,
    })
}

pub(super) use run;

pub(super) fn read<T: DeserializeOwned>(rows: Vec<String>) -> Result<Vec<T>, LedgerFault> {
    let read = |row: String| {
        serde_json::from_str(&row)
            .map_err(|error| LedgerFault::Broken(format!("a delivery is damaged: {error}")))
    };
    rows.into_iter().map(read).collect()
}
