//! Changes of what is mentioned alone, also when others change the rest at the same time: what was
//! seen is written over only as long as it stands, and looked at again otherwise.

use std::collections::{HashMap, HashSet};

use super::{
    Catalog, Change, Group, GroupPatch, Product, ProductPatch,
    find::nowhere,
    index,
    patch::{Missing, group_fields, product_fields},
    record, shelf,
};
use crate::{
    base::{Sku, Timestamp},
    ledger::LedgerFault,
};

/// How often a change that met another is made again.
const AGAIN_MAX: u32 = 16;

/// Rows per question.
const PER_QUESTION: usize = 1000;

/// A change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AmendRefused {
    /// Something needs more than was said, by its place among the patches.
    #[error("expected more of what is new")]
    Missing(Vec<(usize, Missing)>),
    /// Others change the same all the time.
    #[error("others are changing the same things; try again")]
    Busy,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

/// What comes of a patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Amended<T> {
    /// The thing.
    pub is: T,
    /// When the state changed last that it was made from; without one there was none.
    pub seen: Option<Timestamp>,
    /// What changes by it.
    pub change: Change,
}

impl Catalog {
    /// What would come of these patches now, in their order.
    ///
    /// # Errors
    /// When something is missing, or the database does not answer.
    pub async fn amended(
        &self,
        patches: &[ProductPatch],
        now: Timestamp,
    ) -> Result<Vec<Amended<Product>>, AmendRefused> {
        let mut stored: HashMap<Sku, Product> = HashMap::new();
        for page in patches.chunks(PER_QUESTION) {
            let skus: Vec<Sku> = page.iter().map(|patch| patch.sku.clone()).collect();
            let found = self.shelf.find(&skus).await?;
            stored.extend(found.into_iter().map(|product| (product.sku.clone(), product)));
        }
        let amend = |patch: &ProductPatch| {
            let was = stored.get(&patch.sku);
            let is = patch.over(was, now)?;
            let fields = was.map(|was| product_fields(was, &is)).unwrap_or_default();
            let change = Change::of(was.is_none(), fields);
            Ok(Amended { is, seen: was.map(|was| was.updated_at), change })
        };
        each(patches, amend)
    }

    /// Makes these changes of products, each all of it.
    ///
    /// # Errors
    /// See [`AmendRefused`]; what is wrong by itself is told before anything is changed.
    pub async fn amend(
        &self,
        patches: &[ProductPatch],
        now: Timestamp,
    ) -> Result<Vec<(Product, Change)>, AmendRefused> {
        let database = self.database.as_ref().ok_or_else(nowhere)?;
        let mut done: Vec<Option<(Product, Change)>> = vec![None; patches.len()];
        for _ in 0..AGAIN_MAX {
            let left: Vec<usize> = (0..patches.len()).filter(|at| done[*at].is_none()).collect();
            let said: Vec<ProductPatch> = left.iter().map(|at| patches[*at].clone()).collect();
            let amended =
                self.amended(&said, now).await.map_err(|refused| placed(refused, &left))?;
            let others = amended.iter().filter(|one| one.change != Change::Unchanged);
            let rows = record::to_json(others.map(|one| (&one.is, one.seen)));
            let written =
                if rows == "[]" { Vec::new() } else { shelf::save(database, rows, false).await? };
            let written: HashSet<&str> = written.iter().map(String::as_str).collect();
            for (at, one) in left.into_iter().zip(amended) {
                if one.change == Change::Unchanged || written.contains(one.is.sku.as_str()) {
                    done[at] = Some((one.is, one.change));
                }
            }
            self.forget(patches.iter().map(|patch| &patch.sku));
            if done.iter().all(Option::is_some) {
                return Ok(done.into_iter().flatten().collect());
            }
        }
        Err(AmendRefused::Busy)
    }

    /// What would come of these patches of groups now, in their order.
    ///
    /// # Errors
    /// When something is missing, or the database does not answer.
    pub async fn amended_groups(
        &self,
        patches: &[GroupPatch],
        now: Timestamp,
    ) -> Result<Vec<Amended<Group>>, AmendRefused> {
        let database = self.database.as_ref().ok_or_else(nowhere)?;
        let mut stored: HashMap<String, Group> = HashMap::new();
        for page in patches.chunks(PER_QUESTION) {
            let ids: Vec<String> = page.iter().map(|patch| patch.id.to_string()).collect();
            let found = index::find_groups(database, &ids).await?;
            stored.extend(found.into_iter().map(|group| (group.id.to_string(), group)));
        }
        let amend = |patch: &GroupPatch| {
            let was = stored.get(patch.id.as_str());
            let is = patch.over(was, now)?;
            let fields = was.map(|was| group_fields(was, &is)).unwrap_or_default();
            let change = Change::of(was.is_none(), fields);
            Ok(Amended { is, seen: was.map(|was| was.updated_at), change })
        };
        each(patches, amend)
    }

    /// Makes these changes of groups, each all of it.
    ///
    /// # Errors
    /// See [`AmendRefused`].
    pub async fn amend_groups(
        &self,
        patches: &[GroupPatch],
        now: Timestamp,
    ) -> Result<Vec<(Group, Change)>, AmendRefused> {
        let database = self.database.as_ref().ok_or_else(nowhere)?;
        let mut done: Vec<Option<(Group, Change)>> = vec![None; patches.len()];
        for _ in 0..AGAIN_MAX {
            let left: Vec<usize> = (0..patches.len()).filter(|at| done[*at].is_none()).collect();
            let said: Vec<GroupPatch> = left.iter().map(|at| patches[*at].clone()).collect();
            let amended = self.amended_groups(&said, now).await;
            let amended = amended.map_err(|refused| placed(refused, &left))?;
            let others = amended.iter().filter(|one| one.change != Change::Unchanged);
            let others = others.map(|one| (&one.is, one.seen));
            let written = index::save_groups(database, others, false).await?;
            let written: HashSet<&str> = written.iter().map(String::as_str).collect();
            for (at, one) in left.into_iter().zip(amended) {
                if one.change == Change::Unchanged || written.contains(one.is.id.as_str()) {
                    done[at] = Some((one.is, one.change));
                }
            }
            if done.iter().all(Option::is_some) {
                return Ok(done.into_iter().flatten().collect());
            }
        }
        Err(AmendRefused::Busy)
    }
}

/// What comes of each, or everything that is missing.
fn each<P, T>(
    patches: &[P],
    amend: impl Fn(&P) -> Result<T, Missing>,
) -> Result<Vec<T>, AmendRefused> {
    let (mut all, mut missing) = (Vec::with_capacity(patches.len()), Vec::new());
    for (at, patch) in patches.iter().enumerate() {
        match amend(patch) {
            Ok(one) => all.push(one),
            Err(wrong) => missing.push((at, wrong)),
        }
    }
    if missing.is_empty() { Ok(all) } else { Err(AmendRefused::Missing(missing)) }
}

/// A refusal by the places among all patches, of one by the places among those left.
fn placed(refused: AmendRefused, left: &[usize]) -> AmendRefused {
    match refused {
        AmendRefused::Missing(missing) => {
            let placed = missing.into_iter().map(|(at, wrong)| (left[at], wrong));
            AmendRefused::Missing(placed.collect())
        }
        other => other,
    }
}
