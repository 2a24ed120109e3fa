//! What stands in a shop, as a file: page by page, so that no export holds a whole shop in memory.

use csv::WriterBuilder;
use serde_json::Value;

use super::{
    Format, Kind, Shop,
    columns::{self, Column},
};
use crate::{
    base::{Money, Sku},
    catalog::{Group, GroupId, Product, StockPolicy, field, price_list::ListPrice},
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

/// Fields as they stand in CSV, in the order of the columns; an empty one is not there.
type Fields = Vec<String>;

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
    let columns = columns::of(kind);
    let mut bytes = Vec::new();
    match format {
        Format::Csv => {
            let mut writer = WriterBuilder::new().from_writer(&mut bytes);
            let header: Fields = columns.iter().map(|column| column.name.to_owned()).collect();
            for row in from.is_none().then_some(&header).into_iter().chain(&rows) {
                writer.write_record(row).expect("invariant: memory takes what is written");
            }
        }
        Format::JsonLines => {
            for row in &rows {
                bytes.extend_from_slice(line(columns, row).as_bytes());
            }
        }
    }
    Ok(Part { bytes, next })
}

fn line(columns: &[Column], row: &Fields) -> String {
    let fields = columns.iter().zip(row).filter(|(_, field)| !field.is_empty());
    let member = |(column, field): (&Column, &String)| {
        let text = || Value::String(field::decode(field).into_owned()).to_string();
        let value = if column.is_json { field.clone() } else { text() };
        format!("\"{}\":{value}", column.name)
    };
    format!("{{{}}}\n", fields.map(member).collect::<Vec<_>>().join(","))
}

async fn page(
    shop: &Shop<'_>,
    kind: Kind,
    from: Option<&str>,
) -> Result<(Vec<Fields>, Option<String>), LedgerFault> {
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
            let fields = |row: &crate::ledger::row::StockLevel| {
                vec![row.sku.to_string(), row.on_hand.to_string()]
            };
            Ok((goods.map(fields).collect(), next))
        }
        Kind::PriceLists => {
            let after = from.and_then(|from| from.split_once(' '));
            let rows = shop.catalog.list_prices(None, after, PAGE).await?;
            let place = |row: &ListPrice| format!("{} {}", row.price.currency(), row.sku);
            let fields = |row: &ListPrice| {
                vec![row.price.currency().to_string(), row.sku.to_string(), decimal(row.price)]
            };
            Ok((rows.iter().map(fields).collect(), next(&rows, place)))
        }
        Kind::Tariff(item) => {
            shop.tariffs.follow().await?;
            let rows = shop.tariffs.list(item);
            Ok((rows.iter().map(|row| fields_of(columns::of(kind), &row.body)).collect(), None))
        }
    }
}

/// Where the page after a full one begins.
fn next<T>(rows: &[T], place: impl Fn(&T) -> String) -> Option<String> {
    (rows.len() == PAGE as usize).then(|| rows.last().map(place)).flatten()
}

fn text(text: &str) -> String {
    field::encode(text).into_owned()
}

fn maybe(found: Option<&str>) -> String {
    found.map(text).unwrap_or_default()
}

/// `19.90`, as many decimals as the currency has.
fn decimal(price: Money) -> String {
    let shown = price.to_string();
    shown.split_once(' ').map_or_else(String::new, |(_, amount)| amount.to_owned())
}

fn json(value: &impl serde::Serialize, is_empty: bool) -> String {
    let write = || serde_json::to_string(value).expect("invariant: texts serialize");
    if is_empty { String::new() } else { write() }
}

fn group(group: &Group) -> Fields {
    vec![
        group.id.to_string(),
        text(&group.title),
        maybe(group.description.as_deref()),
        maybe(group.image_url.as_deref()),
        group.categories.join("|"),
    ]
}

fn product(product: &Product) -> Fields {
    let policy = match product.stock_policy {
        StockPolicy::Tracked => "tracked",
        StockPolicy::Backorder => "backorder",
        StockPolicy::Untracked => "untracked",
    };
    vec![
        text(product.sku.as_str()),
        text(&product.title),
        decimal(product.price),
        product.price.currency().to_string(),
        text(&product.tax_category),
        maybe(product.image_url.as_deref()),
        policy.to_owned(),
        product.active.to_string(),
        product.group.as_ref().map(GroupId::to_string).unwrap_or_default(),
        maybe(product.description.as_deref()),
        product.categories.join("|"),
        product.max_per_order.map(|most| most.to_string()).unwrap_or_default(),
        json(&product.options, product.options.is_empty()),
        json(&product.attributes, product.attributes.is_empty()),
    ]
}

/// The fields of an item as it was set. What was set to nothing is not there.
fn fields_of(columns: &[Column], body: &Value) -> Fields {
    let field = |column: &Column| match &body[column.name] {
        Value::Null => String::new(),
        Value::String(found) if !column.is_json => text(found),
        other => other.to_string(),
    };
    columns.iter().map(field).collect()
}
