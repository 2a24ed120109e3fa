//! Finding products by what they are, and what is said of their groups.

use super::{
    Catalog, Group, GroupId, Listing, Search, index,
    search::{Found, Place, SEEN_MAX},
};
use crate::ledger::store::LedgerFault;

impl Catalog {
    /// Finds listings, at most so many, from this place on; straight from the database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn search(
        &self,
        search: &Search,
        place: Place,
        limit: u32,
    ) -> Result<Found, LedgerFault> {
        match &self.database {
            Some(database) => index::search(database, search, place, limit, SEEN_MAX).await,
            None => Ok(Found::default()),
        }
    }

    /// Listings by id, in the order of `ids`, with at most so many variants each; those that do not
    /// exist are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn listings(
        &self,
        ids: &[String],
        variants_max: u32,
    ) -> Result<Vec<Listing>, LedgerFault> {
        match &self.database {
            Some(database) if !ids.is_empty() => index::find(database, ids, variants_max).await,
            _ => Ok(Vec::new()),
        }
    }

    /// The ids of the listings that these ids name: each the id of one, or the SKU of a variant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn named(&self, ids: &[String]) -> Result<Vec<String>, LedgerFault> {
        match &self.database {
            Some(database) => index::named(database, ids).await,
            None => Ok(Vec::new()),
        }
    }

    /// Groups by id, after this one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_groups(
        &self,
        after: Option<&GroupId>,
        limit: u32,
    ) -> Result<Vec<Group>, LedgerFault> {
        match &self.database {
            Some(database) => index::list_groups(database, after, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// What is said of a group.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_group(&self, id: &GroupId) -> Result<Option<Group>, LedgerFault> {
        match &self.database {
            Some(database) => index::find_group(database, id).await,
            None => Ok(None),
        }
    }

    /// Inserts or replaces groups, all or none.
    ///
    /// # Errors
    /// When the database does not answer, or keeps none of them.
    pub async fn save_groups(&self, groups: &[Group]) -> Result<(), LedgerFault> {
        match &self.database {
            Some(database) => {
                let groups = groups.iter().map(|group| (group, None));
                index::save_groups(database, groups, true).await.map(drop)
            }
            None => Err(nowhere()),
        }
    }

    /// Forgets what was said of a group. Its products stay together.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_group(&self, id: &GroupId) -> Result<(), LedgerFault> {
        match &self.database {
            Some(database) => index::remove_group(database, id).await,
            None => Err(nowhere()),
        }
    }
}

pub(super) fn nowhere() -> LedgerFault {
    LedgerFault::Broken("this catalogue has no database".to_owned())
}
