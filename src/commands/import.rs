//! `doorbuster import`: a catalogue from a file, all of it or nothing.

use anyhow::Context;
use clap::Args;
use futures_util::{StreamExt, stream};
use std::{collections::HashMap, fs::File, io::BufReader, io::Write, path::PathBuf, sync::Arc};

use super::open_database;
use crate::{
    base::{AnchoredClock, Chance, Clock, MovementId, Sku, SystemChance, Timestamp},
    catalog::{
        Catalog, ImportRow, Product,
        import::{ImportError, parse_csv, unpacked},
    },
    config::Config,
    ledger::{
        Entry, EntryId, Fact, Outcome, Store, Writer,
        entry::{MoveKind, StockMove},
        store::LedgerFault,
    },
};

/// How many errors are shown: enough to correct a column, not to scroll for.
const SHOWN: usize = 20;

/// SKUs per question about stock.
const PER_QUESTION: usize = 1000;

/// Movements on their way at once; the ledger commits them in groups.
const MOVEMENTS_AT_ONCE: usize = 256;

/// Reads products and their stock from CSV, plain or gzip. Nothing is saved if any row is wrong.
///
/// Columns: sku, title, price, currency; and, where wanted: `tax_category`, `image_url`,
/// `stock_policy` (tracked, backorder, untracked), stock, active (true, false),
/// `attribute:<name>`. `stock` is the counted stock: a SKU new to the ledger receives so many
/// units; of one that is known, the difference to what is on hand is received or written off.
#[derive(Debug, Args)]
pub struct Import {
    /// The file
    pub file: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Imports a file into the configured database.
///
/// # Errors
/// When the file is wrong (then nothing is saved), the database does not answer, or a write-off
/// would take units that are promised to buyers (then everything else is saved).
pub async fn run(
    arguments: &Import,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::from_system());
    let name = || format!("cannot read {}", arguments.file.display());
    let file = File::open(&arguments.file).with_context(name)?;
    let input = unpacked(BufReader::new(file)).with_context(name)?;
    let rows = parse_csv(input, &config.limits, clock.now()).map_err(|errors| wrong(&errors))?;
    let counted = rows.iter().filter(|row| row.stock.is_some()).count();
    if arguments.dry_run {
        let products = rows.len();
        writeln!(out, "{products} products read, {counted} with stock; nothing was saved")?;
        return Ok(());
    }
    let database = open_database(config).await?;
    let store = database.store();
    let (writer, task) = Writer::new(store.clone(), clock.clone(), Arc::new(|_| {}));
    let catalog = Catalog::new(database);
    let import = async {
        let done = apply(&rows, &catalog, &*store, &writer, (&*clock, &SystemChance)).await;
        // The writer's task ends with its last handle.
        drop(writer);
        done
    };
    let (done, ()) = tokio::join!(import, task);
    let done = done?;
    store.close().await;
    let (saved, moved) = (rows.len(), done.moved);
    writeln!(out, "{saved} products saved, stock of {moved} SKUs set")?;
    for (sku, why) in &done.refused {
        writeln!(out, "stock of {sku} was not set: {why}")?;
    }
    let refused = done.refused.len();
    anyhow::ensure!(refused == 0, "the stock of {refused} SKUs was not set");
    Ok(())
}

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
    let counts: Vec<(&Sku, u32)> =
        rows.iter().filter_map(|row| Some((&row.product.sku, row.stock?))).collect();
    let mut moves = Vec::new();
    for page in counts.chunks(PER_QUESTION) {
        let skus: Vec<Sku> = page.iter().map(|(sku, _)| (*sku).clone()).collect();
        let levels = store.find_stock(&skus).await?;
        let on_hand: HashMap<Sku, i64> =
            levels.into_iter().map(|level| (level.sku, level.on_hand)).collect();
        for (sku, count) in page {
            let known = on_hand.get(*sku).copied();
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

/// The errors of a file as one message.
fn wrong(errors: &[ImportError]) -> anyhow::Error {
    let mut text = format!("the file has {} errors; nothing was saved", errors.len());
    for error in errors.iter().take(SHOWN) {
        text.push_str(&format!("\n  {error}"));
    }
    if let more @ 1.. = errors.len().saturating_sub(SHOWN) {
        text.push_str(&format!("\n  and {more} more"));
    }
    anyhow::anyhow!(text)
}
