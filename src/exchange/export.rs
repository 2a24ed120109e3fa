//! What stands in a shop, as a file: page by page, so that no export holds a whole shop in memory.

use serde_json::Value;

use super::{
    Format, Kind, Shop,
    columns::{self, READ_ONLY},
};
use crate::{
    base::{Money, Sku},
    catalog::{Group, GroupId, Product, StockPolicy, price_list::ListPrice},
    files::{Cell, write},
    ledger::LedgerFault,
};

/// Rows read at once.
const PAGE: u32 = 500;

/// A part of an export.
#[derive(Debug, Default)]
pub struct Part {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where the next part begins; none when this is the last.
    pub next: Option<String>,
}

/// The cells of a row, in the order of the columns.
type Cells = Vec<Cell>;

/// Writes the part that begins here; the first begins nowhere and has the header.
///
/// # Errors
/// When the database does not answer.
pub async fn part(
    shop: &Shop<'_>,
    kind: Kind,
    format: Format,
    from: Option<&str>,
) -> Result<Part, LedgerFault> {
    let (rows, next) = page(shop, kind, from).await?;
    let names = columns::of(kind).columns.iter().map(|column| column.name);
    let names: Vec<&str> = names.filter(|name| !READ_ONLY.contains(name)).collect();
    let mut bytes = Vec::new();
    if from.is_none() {
        write::header(format, &names, &mut bytes);
    }
    for row in &rows {
        write::row(format, &names, row, &mut bytes);
    }
    Ok(Part { bytes, next })
}

async fn page(
    shop: &Shop<'_>,
    kind: Kind,
    from: Option<&str>,
) -> Result<(Vec<Cells>, Option<String>), LedgerFault> {
    let broken = |_| LedgerFault::Broken("an export goes on nowhere".to_owned());
    match kind {
        Kind::ProductGroups => {
            let after = from.map(GroupId::parse).transpose();
            let after = after.map_err(|_| LedgerFault::Broken("no group".to_owned()))?;
            let rows = shop.catalog.list_groups(after.as_ref(), PAGE).await?;
            Ok((rows.iter().map(group).collect(), next(&rows, |row| row.id.to_string())))
        }
        Kind::Products => {
            let after = from.map(Sku::parse).transpose().map_err(broken)?;
            let rows = shop.catalog.list(after.as_ref(), PAGE).await?;
            Ok((rows.iter().map(product).collect(), next(&rows, |row| row.sku.to_string())))
        }
        Kind::Stock => {
            let after = from.map(Sku::parse).transpose().map_err(broken)?;
            let rows = shop.store.list_stock(after.as_ref(), PAGE).await?;
            let next = next(&rows, |row| row.sku.to_string());
            // Uses of discounts are no goods; nothing on hand is as good as never counted.
            let goods = rows.iter().filter(|row| !row.sku.is_of_uses() && row.on_hand != 0);
            let cells = |row: &crate::ledger::row::StockLevel| {
                vec![text(row.sku.as_str()), Cell::Json(row.on_hand.into())]
            };
            Ok((goods.map(cells).collect(), next))
        }
        Kind::PriceLists => {
            let after = from.and_then(|from| from.split_once(' '));
            let rows = shop.catalog.list_prices(None, after, PAGE).await?;
            let place = |row: &ListPrice| format!("{} {}", row.price.currency(), row.sku);
            let cells = |row: &ListPrice| {
                let currency = row.price.currency().code();
                vec![text(currency), text(row.sku.as_str()), text(&decimal(row.price))]
            };
            Ok((rows.iter().map(cells).collect(), next(&rows, place)))
        }
        Kind::Tariff(which) => {
            shop.tariffs.follow().await?;
            let rows = shop.tariffs.list(which);
            Ok((rows.iter().map(|row| item(kind, &row.body)).collect(), None))
        }
    }
}

/// Where the page after a full one begins.
fn next<T>(rows: &[T], place: impl Fn(&T) -> String) -> Option<String> {
    (rows.len() == PAGE as usize).then(|| rows.last().map(place)).flatten()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn maybe(found: Option<&str>) -> Cell {
    found.map_or(Cell::Empty, text)
}

/// `19.90`, as many decimals as the currency has.
fn decimal(price: Money) -> String {
    let shown = price.to_string();
    shown.split_once(' ').map_or_else(String::new, |(_, amount)| amount.to_owned())
}

fn json(value: &impl serde::Serialize, is_empty: bool) -> Cell {
    let write = || serde_json::to_value(value).expect("invariant: texts serialize");
    if is_empty { Cell::Empty } else { Cell::Json(write()) }
}

fn categories(names: &[String]) -> Cell {
    if names.is_empty() { Cell::Empty } else { Cell::Text(names.join("|")) }
}

fn group(group: &Group) -> Cells {
    vec![
        text(group.id.as_str()),
        text(&group.title),
        maybe(group.description.as_deref()),
        maybe(group.image_url.as_deref()),
        categories(&group.categories),
    ]
}

fn product(product: &Product) -> Cells {
    let policy = match product.stock_policy {
        StockPolicy::Tracked => "tracked",
        StockPolicy::Backorder => "backorder",
        StockPolicy::Untracked => "untracked",
    };
    vec![
        text(product.sku.as_str()),
        text(&product.title),
        text(&decimal(product.price)),
        text(product.price.currency().code()),
        text(&product.tax_category),
        maybe(product.image_url.as_deref()),
        text(policy),
        Cell::Json(product.active.into()),
        maybe(product.group.as_ref().map(GroupId::as_str)),
        maybe(product.description.as_deref()),
        categories(&product.categories),
        product.max_per_order.map_or(Cell::Empty, |most| Cell::Json(most.get().into())),
        json(&product.options, product.options.is_empty()),
        json(&product.attributes, product.attributes.is_empty()),
    ]
}

/// The fields of an item as it was set. What was set to nothing is not there.
fn item(kind: Kind, body: &Value) -> Cells {
    let cell = |name: &str| match &body[name] {
        Value::Null => Cell::Empty,
        Value::String(found) => text(found),
        other => Cell::Json(other.clone()),
    };
    columns::of(kind).columns.iter().map(|column| cell(column.name)).collect()
}
