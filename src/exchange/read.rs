//! A file, read by the rules of its kind: everything that is wrong with it by itself is told.

use serde_json::{Map, Value};
use std::{collections::HashMap, fmt::Display, hash::Hash};

use super::{Format, Kind, columns, plan::Plan};
use crate::{
    base::{Currency, Limits, Money, Sku},
    catalog::{
        GroupId, GroupPatch, ImportRow,
        import::{self, categories, description, line, needed_line},
        price_list::ListPrice,
        texts,
    },
    files::{self, Fields, FileError, Given, Row, row::Holds},
    pricing::ItemKind,
};

/// The rows of a file.
#[derive(Debug)]
pub(super) enum Rows {
    Groups(Vec<(u64, GroupPatch)>),
    Products(Vec<ImportRow>),
    Stock(Vec<(u64, Sku, u32)>),
    Prices(Vec<(u64, ListPrice)>),
    Tariff(ItemKind, Vec<TariffPatch>),
}

/// What is said of an item of the tariff.
#[derive(Debug, Clone)]
pub(super) struct TariffPatch {
    pub(super) line: u64,
    pub(super) id: String,
    fields: Vec<(&'static str, Given<Value>)>,
}

impl TariffPatch {
    /// What comes of the item there is, or of none.
    pub(super) fn over(&self, was: Option<&Value>) -> Value {
        let mut body = was.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
        for (name, given) in &self.fields {
            match given {
                Given::Absent => {}
                Given::Empty => drop(body.remove(*name)),
                Given::Value(value) => drop(body.insert((*name).to_owned(), value.clone())),
            }
        }
        Value::Object(body)
    }
}

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it by itself, in the order of the file.
pub fn read(
    kind: Kind,
    format: Format,
    text: &str,
    limits: &Limits,
) -> Result<Plan, Vec<FileError>> {
    let rows = files::rows(format, text, &columns::of(kind))?;
    Ok(Plan::of(read_rows(kind, &rows, limits)?))
}

pub(super) fn read_rows(kind: Kind, rows: &[Row], limits: &Limits) -> Result<Rows, Vec<FileError>> {
    match kind {
        Kind::Products => {
            let products = each(rows, |row| import::read(row, limits))?;
            once("sku", products.iter().map(|row| (row.line, &row.patch.sku)))?;
            Ok(Rows::Products(products))
        }
        Kind::ProductGroups => {
            let groups = each(rows, |row| group(row, limits))?;
            let named = groups.iter().map(|(line, group)| (*line, &group.id));
            once("id", named)?;
            Ok(Rows::Groups(groups))
        }
        Kind::Stock => {
            let counts = each(rows, count)?;
            once("sku", counts.iter().map(|(line, sku, _)| (*line, sku)))?;
            Ok(Rows::Stock(counts))
        }
        Kind::PriceLists => {
            let prices = each(rows, price)?;
            let named = prices
                .iter()
                .map(|(line, one)| (*line, format!("{} {}", one.price.currency(), one.sku)));
            once("sku", named)?;
            Ok(Rows::Prices(prices))
        }
        Kind::Tariff(kind) => {
            let items = each(rows, |row| item(row, kind))?;
            once("id", items.iter().map(|item| (item.line, &item.id)))?;
            Ok(Rows::Tariff(kind, items))
        }
    }
}

/// Reads each row, and tells of all that do not read.
fn each<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Vec<FileError>>,
) -> Result<Vec<T>, Vec<FileError>> {
    let (mut all, mut errors) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match read(row) {
            Ok(one) => all.push(one),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

/// Tells of each row that has the name of an earlier one.
fn once<K: Eq + Hash + Display>(
    column: &str,
    named: impl Iterator<Item = (u64, K)>,
) -> Result<(), Vec<FileError>> {
    let mut seen: HashMap<K, u64> = HashMap::new();
    let mut errors = Vec::new();
    for (line, name) in named {
        if let Some(first) = seen.get(&name) {
            let expected = format!("expected each once; `{name}` stands on line {first} already");
            errors.push(FileError { line, column: column.to_owned(), expected });
        } else {
            seen.insert(name, line);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn group(row: &Row, limits: &Limits) -> Result<(u64, GroupPatch), Vec<FileError>> {
    let mut fields = Fields::of(row);
    let like = "lower-case letters, digits, `-` and `_`";
    let id = fields.parse("id", like, |text| GroupId::parse(text).ok()).value();
    let title = needed_line(&mut fields, "title", limits.text_bytes);
    let image_url = line(&mut fields, "image_url", limits.text_bytes);
    if let Given::Value(url) = &image_url
        && let Err(wrong) = texts::check_url(url)
    {
        fields.reject("image_url", wrong);
    }
    let (description, categories) = (description(&mut fields), categories(&mut fields));
    // A row with anything wrong is dropped; this stands in until then.
    let id = id.unwrap_or_else(|| GroupId::parse("-").expect("invariant: a hyphen is an id"));
    fields.finish((row.line, GroupPatch { id, title, description, image_url, categories }))
}

fn sku(fields: &mut Fields<'_>) -> Option<Sku> {
    fields.parse("sku", Sku::LIKE, |text| Sku::parse_goods(text).ok()).value()
}

fn count(row: &Row) -> Result<(u64, Sku, u32), Vec<FileError>> {
    let mut fields = Fields::of(row);
    let read = sku(&mut fields).zip(fields.count("on_hand").value());
    let read = fields.finish(read)?;
    let (sku, count) = read.expect("invariant: what is needed and nothing wrong is there");
    Ok((row.line, sku, count))
}

fn price(row: &Row) -> Result<(u64, ListPrice), Vec<FileError>> {
    let mut fields = Fields::of(row);
    let like = "a three-letter ISO 4217 currency code such as `EUR`";
    let currency = fields.parse("currency", like, |text| text.parse::<Currency>().ok()).value();
    let sku = sku(&mut fields);
    let text = fields.text("price").value().unwrap_or_default();
    let price = currency.map(|currency| Money::parse_written(&text, currency));
    if let Some(Err(wrong)) = &price {
        fields.reject("price", wrong.as_str());
    }
    let price = price.and_then(Result::ok);
    let read = fields.finish(sku.zip(price))?;
    let (sku, price) = read.expect("invariant: what is needed and nothing wrong is there");
    Ok((row.line, ListPrice { sku, price }))
}

fn item(row: &Row, kind: ItemKind) -> Result<TariffPatch, Vec<FileError>> {
    let mut fields = Fields::of(row);
    let mut given = Vec::new();
    for column in columns::of(Kind::Tariff(kind)).columns {
        let value = match column.holds {
            Holds::Text => fields.text(column.name).map(Value::from),
            Holds::Truth => fields.truth(column.name).map(Value::from),
            Holds::Texts => fields.texts(column.name, None).map(Value::from),
            Holds::Json => fields.json(column.name, "JSON such as `10` or `{\"kind\": …}`"),
        };
        given.push((column.name, value));
    }
    let id = fields.text("id").value().unwrap_or_default();
    fields.finish(TariffPatch { line: row.line, id, fields: given })
}
