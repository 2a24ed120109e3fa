//! Uses of discounts: held, sold and given back as units of a SKU of their own.

use super::{answer::CheckoutRefused, desk::Checkout, session::Session};
use crate::{
    base::{MovementId, Sku, Timestamp},
    ledger::{
        Entry, EntryId, Fact, LedgerFault, LedgerRefused, Shortage, Writer,
        entry::{MoveKind, StockMove},
    },
    pricing::Discount,
};

/// Uses that there are none left of.
pub(super) fn gone(shortages: &[Shortage]) -> Vec<Sku> {
    let uses = shortages.iter().filter(|short| short.sku.is_of_uses());
    uses.map(|short| short.sku.clone()).collect()
}

/// The uses of a discount are not what its limit says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsesRefused {
    /// More are in use than the limit would allow.
    #[error(
        "open checkouts and orders have {used} uses of the discount `{discount}`, and its \
         `usage_limit` cannot be {limit}; set {used} or more"
    )]
    InUse {
        /// Which discount.
        discount: String,
        /// Uses that are held, or that orders have had.
        used: i64,
        /// What was wanted.
        limit: u32,
    },
    /// Something else changes them.
    #[error("the uses of the discount `{0}` are being changed; try again")]
    Busy(String),
}

/// Counts a discount's uses, as many as its limit says; see [`Checkout::count_uses`].
///
/// # Errors
/// When the ledger cannot be reached.
pub async fn count_uses(
    writer: &Writer,
    discount: &Discount,
    id: MovementId,
    now: Timestamp,
) -> Result<Result<(), UsesRefused>, LedgerFault> {
    let limit = discount.usage_limit.zip(discount.uses());
    let Some((quantity, sku)) = limit else { return Ok(Ok(())) };
    let (kind, reason) = (MoveKind::Count, "the limit of a discount".to_owned());
    let counted = StockMove { id, sku, kind, quantity, reason, key: None, now };
    let outcome = writer.write(Entry::new(EntryId::of(id), Fact::Move(counted))).await?;
    let discount = discount.id.clone();
    Ok(outcome.map(drop).map_err(|refused| match refused {
        LedgerRefused::WriteOffPromised { promised, .. } => {
            UsesRefused::InUse { discount, used: promised, limit: quantity }
        }
        _ => UsesRefused::Busy(discount),
    }))
}

impl Checkout {
    /// A buyer's one use of a discount comes into being when it is first wanted: of what is short,
    /// those are opened that this decision has not opened before, and the others come back.
    pub(super) async fn open_uses(
        &self,
        short: Vec<Shortage>,
        opened: &mut Vec<Sku>,
    ) -> Result<Vec<Shortage>, CheckoutRefused> {
        let is_new = |short: &Shortage| short.sku.is_of_one_buyer() && !opened.contains(&short.sku);
        let (new, short): (Vec<_>, Vec<_>) = short.into_iter().partition(is_new);
        for new in new {
            self.open_use(&new.sku).await?;
            opened.push(new.sku);
        }
        Ok(short)
    }

    /// Of the uses that a session wants those that orders have had. The uses of one buyer come into
    /// being before. One that another checkout holds is not among them: its time may be over.
    pub(super) async fn spent_uses_of(
        &self,
        session: &Session,
    ) -> Result<Vec<Sku>, CheckoutRefused> {
        let uses = session.uses();
        if uses.is_empty() {
            return Ok(Vec::new());
        }
        for sku in uses.iter().filter(|sku| sku.is_of_one_buyer()) {
            self.open_use(sku).await?;
        }
        let levels = self.store.find_stock(uses).await?;
        let spent = levels.into_iter().filter(|level| level.sold >= level.on_hand);
        Ok(spent.map(|level| level.sku).collect())
    }

    /// A discount's uses are counted like stock: as many as its limit says, those that orders have
    /// had among them. A limit below what is promised is refused.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn count_uses(
        &self,
        discount: &Discount,
    ) -> Result<Result<(), UsesRefused>, LedgerFault> {
        let now = self.now();
        count_uses(&self.writer, discount, MovementId::new(now, &*self.chance), now).await
    }

    /// One unit, once and for ever: the entry has the SKU's name, so that recording it again
    /// answers what it recorded.
    async fn open_use(&self, sku: &Sku) -> Result<(), CheckoutRefused> {
        let now = self.now();
        let fact = Fact::Move(StockMove {
            id: MovementId::new(now, &*self.chance),
            sku: sku.clone(),
            kind: MoveKind::Receive,
            quantity: 1,
            reason: "a discount counts once for each buyer".to_owned(),
            key: None,
            now,
        });
        let entry = Entry::new(EntryId::of(format_args!("opened/{sku}")), fact);
        self.writer.write(entry).await?.map_err(|refused| super::desk::unexpected(&refused))?;
        Ok(())
    }
}
