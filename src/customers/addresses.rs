//! The addresses kept under a customer.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, time::Duration};

use super::{postgres, sqlite};
use crate::{
    base::{Address, Destination, Email, Sealed, Timestamp},
    ledger::{Database, LedgerFault},
};

/// Addresses kept of one customer, the latest: more than a buyer chooses from, and one answer.
pub const ADDRESSES_MAX: usize = 20;

/// How old the note may grow that a customer was seen: one write a day of each who comes often.
const SEEN_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Addresses forgotten at once: some milliseconds' work.
const FORGET_MAX: u32 = 500;

/// A customer of a storefront, by a digest that nobody reads an e-mail address from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Customer(String);

impl Customer {
    /// The customer of this storefront (its API key's id) with this e-mail address; case does not
    /// tell two apart.
    pub fn of(storefront: &str, email: &Email) -> Self {
        let email = email.expose().to_lowercase();
        Self(digest(&[storefront, &email]))
    }

    /// The id that an address gets by itself: the same one each time, so that a request sent again
    /// finds the id it was told.
    pub fn id_of(&self, address: &Address) -> String {
        let text = serde_json::to_string(address).expect("invariant: an address is texts");
        let mut id = digest(&[&self.0, &text]);
        id.truncate(24);
        format!("addr_{id}")
    }
}

/// The parts, each with its length in front so that no two lists read the same.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("invariant: a string takes what is written to it");
        hex
    })
}

/// An address as it is kept.
#[derive(Serialize)]
struct Keeping<'a> {
    customer: &'a Customer,
    id: &'a str,
    address: Sealed,
    at: Timestamp,
}

#[derive(Deserialize)]
struct Kept {
    id: String,
    address: Sealed,
    used_at: Timestamp,
}

/// What is kept of a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The addresses, the first told first.
    pub destinations: Vec<Destination>,
    /// When the customer was last seen, within a day.
    pub seen_at: Option<Timestamp>,
}

/// The addresses in the ledger's database.
#[derive(Debug, Clone)]
pub struct Addresses {
    database: Database,
}

impl Addresses {
    /// Those in this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// What is kept of a customer.
    ///
    /// # Errors
    /// When the database does not answer, or a row does not read.
    pub async fn list(&self, customer: &Customer) -> Result<Known, LedgerFault> {
        let customer = customer.0.clone();
        let rows = match &self.database {
            Database::Postgres(database) => postgres::list(database, customer).await?,
            Database::Sqlite(database) => sqlite::list(database, customer).await?,
        };
        let damaged = |error: String| LedgerFault::Broken(format!("an address: {error}"));
        let mut known = Known::default();
        for row in &rows {
            let kept: Kept =
                serde_json::from_str(row).map_err(|error| damaged(error.to_string()))?;
            let address = kept.address.open_json().map_err(|error| damaged(error.to_string()))?;
            known.destinations.push(Destination { id: kept.id, address });
            known.seen_at = known.seen_at.max(Some(kept.used_at));
        }
        Ok(known)
    }

    /// Keeps addresses under their ids; an id that stands stays what it is. Beyond
    /// [`ADDRESSES_MAX`] the oldest go. What is [known](Self::list) of the customer tells whether
    /// there is anything to write.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep(
        &self,
        customer: &Customer,
        fresh: &[Destination],
        seen_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), LedgerFault> {
        let is_noted = seen_at.is_none_or(|seen_at| now.since(seen_at) < SEEN_WITHIN);
        if fresh.is_empty() && is_noted {
            return Ok(());
        }
        let keeping = |(at, one): (u64, &Destination)| {
            let document = Keeping {
                customer,
                id: &one.id,
                address: Sealed::seal_json(&one.address),
                // Told at once, they stand in the order in which they were told.
                at: now.plus(Duration::from_micros(at)),
            };
            serde_json::to_string(&document).expect("invariant: texts and a time")
        };
        let rows = (0..).zip(fresh).map(keeping).collect();
        let (customer, most) = (customer.0.clone(), ADDRESSES_MAX);
        match &self.database {
            Database::Postgres(database) => {
                postgres::keep(database, rows, customer, most, now).await
            }
            Database::Sqlite(database) => sqlite::keep(database, rows, customer, most, now).await,
        }
    }

    /// Forgets addresses of customers who were not seen since then. Returns how many went.
    ///
    /// # Errors
    /// When the database does not answer; the next round goes on.
    pub async fn forget_unused(&self, since: Timestamp) -> Result<u64, LedgerFault> {
        let mut gone = 0;
        loop {
            let page = match &self.database {
                Database::Postgres(database) => {
                    postgres::forget_unused(database, since, FORGET_MAX).await
                }
                Database::Sqlite(database) => {
                    sqlite::forget_unused(database, since, FORGET_MAX).await
                }
            }?;
            gone += page;
            if page < u64::from(FORGET_MAX) {
                return Ok(gone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(raw: &str) -> Email {
        Email::parse(raw).expect("well formed")
    }

    #[test]
    fn a_customer_is_one_storefronts_and_cannot_be_read() {
        let ada = Customer::of("key_1", &email("Ada@example.com"));
        assert_eq!(ada, Customer::of("key_1", &email("ada@EXAMPLE.com")));
        assert_ne!(ada, Customer::of("key_2", &email("ada@example.com")));
        assert!(!format!("{ada:?}").contains("ada"));
    }

    #[test]
    fn an_address_has_one_id_with_each_customer() {
        let street = |street: &str| Address {
            street_address: Some(street.to_owned()),
            ..Address::default()
        };
        let (ada, bob) = ("ada@example.com", "bob@example.com");
        let [ada, bob] = [ada, bob].map(|raw| Customer::of("key_1", &email(raw)));
        assert_eq!(ada.id_of(&street("1 Main St")), ada.id_of(&street("1 Main St")));
        assert_ne!(ada.id_of(&street("1 Main St")), ada.id_of(&street("2 Main St")));
        assert_ne!(ada.id_of(&street("1 Main St")), bob.id_of(&street("1 Main St")));
    }
}
