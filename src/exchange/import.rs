//! What is in a file, into a shop: everything is read and checked before anything is changed.

use serde_json::{Map, Value};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    io::Read,
};

use super::{
    Format, Kind, Shop, columns,
    counts::{self, Applied},
    lines::{self, AsCsv},
    table::{self, Row},
};
use crate::{
    base::{Currency, Limits, Money, MovementId, Sku, Timestamp},
    catalog::{
        Group, GroupId, ImportRow,
        import::{ImportError, parse_csv},
        price_list::ListPrice,
        texts,
    },
    checkout::count_uses,
    ledger::LedgerFault,
    pricing::{ITEMS_MAX, Item, ItemKind, TariffsRefused},
};

/// A file that reads.
#[derive(Debug)]
pub struct Plan {
    rows: Rows,
    /// Where the rows stood, when they did not come as CSV.
    file: Option<AsCsv>,
}

#[derive(Debug)]
enum Rows {
    Groups(Vec<Group>),
    Products(Vec<ImportRow>),
    Stock(Vec<(Sku, u32)>),
    Prices(Vec<(u64, ListPrice)>),
    Tariff(ItemKind, Vec<(u64, Item, Value)>),
}

/// What an import came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows that count now.
    pub saved: usize,
    /// SKUs whose stock was changed.
    pub moved: usize,
    /// Rows that the ledger refused, by name, and why. All others count.
    pub refused: Vec<(String, String)>,
}

/// An import changed nothing, or not all that it was to.
#[derive(Debug, thiserror::Error)]
pub enum ImportRefused {
    /// The file is wrong, and nothing was changed.
    #[error("the file has errors")]
    Wrong(Vec<ImportError>),
    /// The ledger. What was saved before stays; the same file again finishes it.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// Others change the tariff all the time.
    #[error(transparent)]
    Tariff(TariffsRefused),
}

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it by itself, in the order of the file.
pub fn read(
    kind: Kind,
    format: Format,
    input: impl Read,
    limits: &Limits,
    now: Timestamp,
) -> Result<Plan, Vec<ImportError>> {
    if format == Format::Csv {
        return Ok(Plan { rows: rows(kind, input, limits, now)?, file: None });
    }
    let mut file = lines::as_csv(input)?;
    match rows(kind, &*file.csv, limits, now) {
        Ok(rows) => {
            file.csv = Vec::new();
            Ok(Plan { rows, file: Some(file) })
        }
        Err(errors) => Err(errors.into_iter().map(|error| file.placed(error)).collect()),
    }
}

fn rows(
    kind: Kind,
    input: impl Read,
    limits: &Limits,
    now: Timestamp,
) -> Result<Rows, Vec<ImportError>> {
    if kind == Kind::Products {
        return parse_csv(input, limits, now).map(Rows::Products);
    }
    let rows = table::read(input, columns::of(kind))?;
    match kind {
        Kind::Products | Kind::ProductGroups => {
            let groups = each(&rows, |row| group(row, limits, now))?;
            once(&rows, "id", groups.iter().map(|group| &group.id))?;
            Ok(Rows::Groups(groups))
        }
        Kind::Stock => {
            let counts = each(&rows, count)?;
            once(&rows, "sku", counts.iter().map(|(sku, _)| sku))?;
            Ok(Rows::Stock(counts))
        }
        Kind::PriceLists => {
            let prices = each(&rows, price)?;
            once(&rows, "sku", prices.iter().map(|one| (one.price.currency(), &one.sku)))?;
            Ok(Rows::Prices(rows.iter().map(|row| row.line).zip(prices).collect()))
        }
        Kind::Tariff(kind) => {
            let items = each(&rows, |row| item(row, kind))?;
            once(&rows, "id", items.iter().map(|(item, _)| item.id()))?;
            let placed = rows.iter().zip(items);
            let items = placed.map(|(row, (item, body))| (row.line, item, body)).collect();
            Ok(Rows::Tariff(kind, items))
        }
    }
}

/// Reads each row, and tells of all that do not read.
fn each<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, ImportError>,
) -> Result<Vec<T>, Vec<ImportError>> {
    let (mut all, mut errors) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match read(row) {
            Ok(one) => all.push(one),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

/// Tells of each row that has the name of an earlier one.
fn once<K: Eq + Hash>(
    rows: &[Row],
    column: &str,
    names: impl Iterator<Item = K>,
) -> Result<(), Vec<ImportError>> {
    let mut seen = HashMap::new();
    let mut errors = Vec::new();
    for (row, name) in rows.iter().zip(names) {
        match seen.get(&name) {
            Some(first) => {
                let found = row.get(column);
                let text = format!("expected each once; `{found}` stands on line {first} already");
                errors.push(row.wrong(column, text));
            }
            None => drop(seen.insert(name, row.line)),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn group(row: &Row, limits: &Limits, now: Timestamp) -> Result<Group, ImportError> {
    let line = |column: &str| {
        let text = row.get(column);
        let checked = texts::check_line(text, limits.text_bytes);
        checked.map_err(|wrong| row.wrong(column, wrong)).map(|()| text.to_owned())
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let id = GroupId::parse(row.get("id"));
    let id = id.map_err(|_| row.wrong("id", "expected lower-case letters, digits, `-` and `_`"))?;
    let description = row.get("description");
    texts::check_text(description, texts::DESCRIPTION_BYTES_MAX)
        .map_err(|wrong| row.wrong("description", wrong))?;
    let image_url = some(line("image_url")?);
    if let Some(url) = &image_url {
        texts::check_url(url).map_err(|wrong| row.wrong("image_url", wrong))?;
    }
    let categories = texts::categories(row.get("categories"));
    texts::check_categories(&categories).map_err(|wrong| row.wrong("categories", wrong))?;
    Ok(Group {
        id,
        title: line("title")?,
        description: some(description.to_owned()),
        image_url,
        categories,
        updated_at: now,
    })
}

fn sku(row: &Row) -> Result<Sku, ImportError> {
    Sku::parse_goods(row.get("sku")).map_err(|error| row.wrong("sku", format!("expected: {error}")))
}

fn count(row: &Row) -> Result<(Sku, u32), ImportError> {
    let count = row.get("on_hand").parse::<u32>().ok();
    let count = count.filter(|_| !row.get("on_hand").starts_with('+'));
    let wrong = || row.wrong("on_hand", "expected a whole number from 0 to 4294967295");
    Ok((sku(row)?, count.ok_or_else(wrong)?))
}

fn price(row: &Row) -> Result<ListPrice, ImportError> {
    let currency = row.get("currency").parse::<Currency>();
    let currency = currency.map_err(|error| row.wrong("currency", error.to_string()))?;
    let price = Money::parse_decimal(row.get("price"), currency).ok();
    let price = price.filter(|price| price.minor() >= 0).ok_or_else(|| {
        let decimals = currency.decimals();
        let text = format!("expected an amount of 0 or more with at most {decimals} decimals");
        row.wrong("price", text)
    })?;
    Ok(ListPrice { sku: sku(row)?, price })
}

fn item(row: &Row, kind: ItemKind) -> Result<(Item, Value), ImportError> {
    let mut body = Map::new();
    for column in columns::of(Kind::Tariff(kind)) {
        let Some(field) = row.fields.get(column.name) else { continue };
        let value = if column.is_json {
            serde_json::from_str(field)
                .map_err(|error| row.wrong(column.name, format!("expected JSON: {error}")))?
        } else {
            Value::String(field.clone())
        };
        body.insert(column.name.to_owned(), value);
    }
    let mut body = Value::Object(body);
    let item = kind.read_new(&mut body).map_err(|invalid| {
        let column = invalid.pointer.split('/').nth(1).unwrap_or_default();
        row.wrong(column, format!("{} (at {})", invalid.text, invalid.pointer))
    })?;
    Ok((item, body))
}

impl Plan {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Groups(rows) => rows.len(),
            Rows::Products(rows) => rows.len(),
            Rows::Stock(rows) => rows.len(),
            Rows::Prices(rows) => rows.len(),
            Rows::Tariff(_, rows) => rows.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that tell of counted units.
    pub fn counted(&self) -> usize {
        match &self.rows {
            Rows::Products(rows) => rows.iter().filter(|row| row.stock.is_some()).count(),
            Rows::Stock(rows) => rows.len(),
            _ => 0,
        }
    }

    fn wrong(&self, line: u64, column: &str, expected: String) -> ImportError {
        let error = ImportError { line, column: column.to_owned(), expected };
        self.file.as_ref().map_or_else(|| error.clone(), |file| file.placed(error.clone()))
    }

    /// Checks the rows against what the shop has.
    ///
    /// # Errors
    /// What does not fit, or that the ledger does not answer.
    pub async fn check(&self, shop: &Shop<'_>) -> Result<(), ImportRefused> {
        let mut errors = Vec::new();
        match &self.rows {
            Rows::Prices(rows) => {
                let prices: Vec<ListPrice> = rows.iter().map(|(_, price)| price.clone()).collect();
                for (at, refused) in shop.catalog.check_list_prices(&prices).await? {
                    errors.push(self.wrong(rows[at].0, "sku", refused.to_string()));
                }
            }
            Rows::Tariff(kind, rows) => {
                shop.tariffs.follow().await?;
                self.check_tariff(shop, *kind, rows, &mut errors);
            }
            Rows::Groups(_) | Rows::Products(_) | Rows::Stock(_) => {}
        }
        if errors.is_empty() { Ok(()) } else { Err(ImportRefused::Wrong(errors)) }
    }

    fn check_tariff(
        &self,
        shop: &Shop<'_>,
        kind: ItemKind,
        rows: &[(u64, Item, Value)],
        errors: &mut Vec<ImportError>,
    ) {
        let named: HashSet<&str> = rows.iter().map(|(_, item, _)| item.id()).collect();
        let mut others = shop.tariffs.list(kind);
        others.retain(|row| !named.contains(&*row.id));
        if others.len() + named.len() > ITEMS_MAX {
            let text = format!("there would be more than {ITEMS_MAX} of them; remove some first");
            errors.push(self.wrong(rows.last().map_or(1, |row| row.0), "id", text));
        }
        let lower = |code: &str| code.to_ascii_lowercase();
        let mut codes: HashMap<String, String> = others
            .iter()
            .filter_map(|row| Some((lower(row.body["code"].as_str()?), row.id.clone())))
            .collect();
        for (line, item, _) in rows {
            let Item::Discount(discount) = item else { continue };
            let Some(code) = &discount.code else { continue };
            if let Some(taken) = codes.insert(lower(code), discount.id.clone()) {
                let text = format!("the code `{code}` belongs to `{taken}` already");
                errors.push(self.wrong(*line, "code", text));
            }
        }
    }

    /// Takes everything in. The rows of one kind are saved at once, but for stock and tariffs,
    /// which are changed one by one.
    ///
    /// # Errors
    /// When the ledger does not answer; what was saved before stays, and the same file again
    /// finishes it.
    pub async fn apply(self, shop: &Shop<'_>, author: &str) -> Result<Done, ImportRefused> {
        let saved = self.len();
        let told = |applied: Applied| {
            let refused = applied.refused.into_iter().map(|(sku, why)| (sku.to_string(), why));
            Done { saved, moved: applied.moved, refused: refused.collect() }
        };
        let hands = (shop.clock, shop.chance);
        match self.rows {
            Rows::Groups(groups) => shop.catalog.save_groups(&groups).await?,
            Rows::Products(rows) => {
                let (store, writer) = (shop.store, shop.writer);
                return Ok(told(counts::apply(&rows, shop.catalog, store, writer, hands).await?));
            }
            Rows::Stock(rows) => {
                let applied = counts::set(&rows, shop.store, shop.writer, hands).await?;
                let done = told(applied);
                return Ok(Done { saved: saved - done.refused.len(), ..done });
            }
            Rows::Prices(rows) => {
                let prices: Vec<ListPrice> = rows.into_iter().map(|(_, price)| price).collect();
                shop.catalog.save_list_prices(&prices, shop.clock.now()).await?;
            }
            Rows::Tariff(_, rows) => return tariff(shop, rows, author).await,
        }
        Ok(Done { saved, ..Done::default() })
    }
}

async fn tariff(
    shop: &Shop<'_>,
    rows: Vec<(u64, Item, Value)>,
    author: &str,
) -> Result<Done, ImportRefused> {
    let mut done = Done::default();
    for (_, item, body) in rows {
        let now = shop.clock.now();
        if let Item::Discount(discount) = &item {
            let id = MovementId::new(now, shop.chance);
            if let Err(refused) = count_uses(shop.writer, discount, id, now).await? {
                done.refused.push((item.id().to_owned(), refused.to_string()));
                continue;
            }
        }
        match shop.tariffs.save(&item, &body, author, now).await {
            Ok(_) => done.saved += 1,
            Err(TariffsRefused::Ledger(fault)) => return Err(fault.into()),
            Err(refused @ TariffsRefused::Busy) => return Err(ImportRefused::Tariff(refused)),
            Err(refused) => done.refused.push((item.id().to_owned(), refused.to_string())),
        }
    }
    Ok(done)
}
