//! Counted stock, set: what differs from what is on hand is received or written off.

use futures_util::{StreamExt, stream};
use std::collections::{HashMap, HashSet};

use super::plan::Changes;
use crate::{
    base::{Chance, Clock, MovementId, Sku, Timestamp},
    catalog::{Catalog, Change, ImportRow, Product, ProductPatch, amend::AmendRefused},
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
    pub moved: Vec<Sku>,
    /// Movements the ledger refused, and why.
    pub refused: Vec<(Sku, String)>,
}

/// What rows count.
pub fn of(rows: &[ImportRow]) -> Vec<(Sku, u32)> {
    rows.iter().filter_map(|row| Some((row.patch.sku.clone(), row.stock?))).collect()
}

/// A change of a product, with one of its stock.
pub fn with_stock(change: Change, moved: bool) -> Change {
    match change {
        Change::Unchanged if moved => Change::Changed(vec!["stock"]),
        Change::Changed(mut fields) if moved => {
            fields.push("stock");
            Change::Changed(fields)
        }
        other => other,
    }
}

/// What counts would change, by SKU.
///
/// # Errors
/// When the ledger does not answer.
pub async fn compare(counts: &[(Sku, u32)], store: &dyn Store) -> Result<Changes, LedgerFault> {
    let mut changes = Vec::with_capacity(counts.len());
    for page in counts.chunks(PER_QUESTION) {
        let on_hand = on_hand(page, store).await?;
        for (sku, count) in page {
            let was = on_hand.get(sku).copied();
            let same = was.unwrap_or(0) == i64::from(*count);
            let fields = if same { Vec::new() } else { vec!["on_hand"] };
            // No units of what was never counted are as good as sold out.
            changes.push((sku.to_string(), Change::of(was.is_none() && !same, fields)));
        }
    }
    Ok(changes)
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
) -> Result<(Changes, Applied), AmendRefused> {
    let said: Vec<ProductPatch> = rows.iter().map(|row| row.patch.clone()).collect();
    let amended = catalog.amend(&said, clock.now()).await?;
    let applied = set(&of(rows), store, writer, (clock, chance)).await?;
    let moved: HashSet<&Sku> = applied.moved.iter().collect();
    let change = |(product, change): (Product, Change)| {
        (product.sku.to_string(), with_stock(change, moved.contains(&product.sku)))
    };
    let changes = amended.into_iter().map(change).collect();
    Ok((changes, applied))
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
        let on_hand = on_hand(page, store).await?;
        for (sku, count) in page {
            let known = on_hand.get(sku).copied();
            let id = MovementId::new(clock.now(), chance);
            moves.extend(movement(id, sku, *count, known, clock.now()));
        }
    }
    write_all(writer, moves).await
}

async fn on_hand(
    counts: &[(Sku, u32)],
    store: &dyn Store,
) -> Result<HashMap<Sku, i64>, LedgerFault> {
    let skus: Vec<Sku> = counts.iter().map(|(sku, _)| sku.clone()).collect();
    let levels = store.find_stock(&skus).await?;
    Ok(levels.into_iter().map(|level| (level.sku, level.on_hand)).collect())
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
            Ok(_) => applied.moved.push(sku),
            Err(refused) => applied.refused.push((sku, refused.to_string())),
        }
    }
    Ok(applied)
}
