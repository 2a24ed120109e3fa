//! Counted stock, set: what differs from what is on hand is received or written off.

use futures_util::{StreamExt, stream};
use std::collections::HashMap;

use crate::{
    base::{Chance, Clock, MovementId, Sku, Timestamp},
    catalog::{Catalog, ImportRow, Product},
    ledger::{
        Entry, EntryId, Fact, Outcome, Store, Writer,
        entry::{MoveKind, StockMove},
        store::LedgerFault,
    },
};

/// SKUs per question about stock.
const PER_QUESTION: usize = 1000;

/// Movements on their way at once; the ledger commits them in groups.
const MOVEMENTS_AT_ONCE: usize = 256;

/// What became of the stock.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// SKUs whose stock was changed.
    pub moved: usize,
    /// Movements the ledger refused, and why.
    pub refused: Vec<(Sku, String)>,
}

/// Saves products, then sets their stock. Doing it again changes nothing more, so an import that
/// was cut off is finished by repeating it.
///
/// # Errors
/// When the ledger does not answer.
pub async fn apply(
    rows: &[ImportRow],
    catalog: &Catalog,
    store: &dyn Store,
    writer: &Writer,
    (clock, chance): (&dyn Clock, &dyn Chance),
) -> Result<Applied, LedgerFault> {
    let products: Vec<Product> = rows.iter().map(|row| row.product.clone()).collect();
    catalog.save(&products).await?;
    let counts: Vec<(Sku, u32)> =
        rows.iter().filter_map(|row| Some((row.product.sku.clone(), row.stock?))).collect();
    set(&counts, store, writer, (clock, chance)).await
}

/// Sets the stock of SKUs to counts.
///
/// # Errors
/// When the ledger does not answer.
pub async fn set(
    counts: &[(Sku, u32)],
    store: &dyn Store,
    writer: &Writer,
    (clock, chance): (&dyn Clock, &dyn Chance),
) -> Result<Applied, LedgerFault> {
    let mut moves = Vec::new();
    for page in counts.chunks(PER_QUESTION) {
        let skus: Vec<Sku> = page.iter().map(|(sku, _)| sku.clone()).collect();
        let levels = store.find_stock(&skus).await?;
        let on_hand: HashMap<Sku, i64> =
            levels.into_iter().map(|level| (level.sku, level.on_hand)).collect();
        for (sku, count) in page {
            let known = on_hand.get(sku).copied();
            let id = MovementId::new(clock.now(), chance);
            moves.extend(movement(id, sku, *count, known, clock.now()));
        }
    }
    write_all(writer, moves).await
}

/// What sets a SKU's stock to a count; nothing when it stands there. No units of a SKU that was
/// never counted are as good as sold out, and need no movement.
fn movement(
    id: MovementId,
    sku: &Sku,
    count: u32,
    on_hand: Option<i64>,
    now: Timestamp,
) -> Option<StockMove> {
    let difference = i64::from(count) - on_hand.unwrap_or(0);
    let kind = if difference < 0 { MoveKind::WriteOff } else { MoveKind::Receive };
    if difference == 0 {
        return None;
    }
    let quantity = u32::try_from(difference.unsigned_abs()).unwrap_or(u32::MAX);
    let reason = "import".to_owned();
    Some(StockMove { id, sku: sku.clone(), kind, quantity, reason, key: None, now })
}

async fn write_all(writer: &Writer, moves: Vec<StockMove>) -> Result<Applied, LedgerFault> {
    let mut applied = Applied::default();
    let writes = moves.into_iter().map(|moved| {
        let sku = moved.sku.clone();
        let entry = Entry::new(EntryId::of(moved.id), Fact::Move(moved));
        async move { (sku, writer.write(entry).await) }
    });
    let mut writes = stream::iter(writes).buffered(MOVEMENTS_AT_ONCE);
    while let Some((sku, outcome)) = writes.next().await {
        let outcome: Outcome = outcome?;
        match outcome {
            Ok(_) => applied.moved += 1,
            Err(refused) => applied.refused.push((sku, refused.to_string())),
        }
    }
    Ok(applied)
}
