//! Rows of the tariff: checked against what stands, and saved one by one.

use serde_json::Value;
use std::collections::{HashMap, HashSet};

use super::{
    Kind, Shop, columns,
    plan::{Done, ImportRefused, Outlook, WARNINGS_SHOWN},
    read::TariffPatch,
};
use crate::{
    base::MovementId,
    catalog::Change,
    checkout::{UsesRefused, count_uses, warnings},
    files::FileError,
    pricing::{ITEMS_MAX, Invalid, Item, ItemKind, TariffRow, TariffsRefused},
};

/// Checks rows against what stands, and tells what would become of each.
pub(super) async fn check(
    shop: &Shop<'_>,
    kind: ItemKind,
    rows: &[TariffPatch],
) -> Result<Outlook, ImportRefused> {
    let (mut outlook, mut errors) = (Outlook::default(), Vec::new());
    let named: HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let (standing, others): (Vec<TariffRow>, Vec<TariffRow>) =
        shop.tariffs.list(kind).into_iter().partition(|row| named.contains(&*row.id));
    if others.len() + named.len() > ITEMS_MAX {
        let expected = format!("there would be more than {ITEMS_MAX} of them; remove some first");
        let line = rows.last().map_or(1, |row| row.line);
        errors.push(FileError { line, column: "id".to_owned(), expected });
    }
    let lower = |code: &str| code.to_ascii_lowercase();
    let mut codes: HashMap<String, String> = others
        .iter()
        .filter_map(|row| Some((lower(row.body["code"].as_str()?), row.id.clone())))
        .collect();
    for row in rows {
        let was = standing.iter().find(|was| was.id == row.id).map(|was| &was.body);
        let mut body = row.over(was);
        let item = match kind.read_new(&mut body) {
            Ok(item) => item,
            Err(invalid) => {
                errors.push(misread(row.line, &invalid));
                continue;
            }
        };
        let change = Change::of(was.is_none(), changed_fields(was, &body));
        outlook.changes.push((row.id.clone(), change));
        if outlook.warnings.len() < WARNINGS_SHOWN {
            let warnings = warnings(shop.catalog, &item, shop.clock.now()).await?;
            let named = warnings.into_iter().map(|text| format!("`{}`: {text}", row.id));
            outlook.warnings.extend(named);
        }
        let Item::Discount(discount) = item else { continue };
        let Some(code) = &discount.code else { continue };
        if let Some(taken) = codes.insert(lower(code), discount.id.clone()) {
            let expected = format!("the code `{code}` belongs to `{taken}` already");
            errors.push(FileError { line: row.line, column: "code".to_owned(), expected });
        }
    }
    if errors.is_empty() { Ok(outlook) } else { Err(ImportRefused::Wrong(errors)) }
}

fn misread(line: u64, invalid: &Invalid) -> FileError {
    let column = invalid.pointer.split('/').nth(1).unwrap_or_default().to_owned();
    let at = if invalid.pointer.is_empty() { "the row" } else { &invalid.pointer };
    FileError { line, column, expected: format!("{} (at {at})", invalid.text) }
}

/// The fields in which an item is another.
fn changed_fields(was: Option<&Value>, is: &Value) -> Vec<&'static str> {
    let Some(was) = was else { return Vec::new() };
    let kinds = ItemKind::ALL.map(|kind| columns::of(Kind::Tariff(kind)).columns);
    let mut fields: Vec<&'static str> = Vec::new();
    for column in kinds.into_iter().flatten() {
        if was[column.name] != is[column.name] && !fields.contains(&column.name) {
            fields.push(column.name);
        }
    }
    fields
}

/// Saves rows; what is refused is told, and the others count.
pub(super) async fn apply(
    shop: &Shop<'_>,
    kind: ItemKind,
    rows: Vec<TariffPatch>,
    author: &str,
) -> Result<Done, ImportRefused> {
    let mut done = Done::default();
    for row in rows {
        match save_item(shop, kind, &row, author).await? {
            Ok(change) => {
                done.saved += 1;
                done.changes.push((row.id, change));
            }
            Err(why) => done.refused.push((row.id, why)),
        }
    }
    Ok(done)
}

/// How often an item that others change is made again.
const AGAIN_MAX: u32 = 16;

/// Saves one item over the one that stands now.
async fn save_item(
    shop: &Shop<'_>,
    kind: ItemKind,
    row: &TariffPatch,
    author: &str,
) -> Result<Result<Change, String>, ImportRefused> {
    for _ in 0..AGAIN_MAX {
        let now = shop.clock.now();
        let was = shop.tariffs.find(kind, &row.id);
        let mut body = row.over(was.as_ref().map(|was| &was.body));
        let item = match kind.read_new(&mut body) {
            Ok(item) => item,
            Err(invalid) => return Ok(Err(misread(row.line, &invalid).to_string())),
        };
        let fields = changed_fields(was.as_ref().map(|was| &was.body), &body);
        if was.is_some() && fields.is_empty() {
            return Ok(Ok(Change::Unchanged));
        }
        if let Item::Discount(discount) = &item {
            let id = MovementId::new(now, shop.chance);
            match count_uses(shop.writer, discount, id, now).await? {
                Ok(()) => {}
                Err(UsesRefused::Busy(_)) => return Err(ImportRefused::Busy),
                Err(refused) => return Ok(Err(refused.to_string())),
            }
        }
        let seen = was.as_ref().map(|was| was.version);
        match shop.tariffs.save_over(&item, &body, author, now, seen).await {
            Ok(_) => return Ok(Ok(Change::of(was.is_none(), fields))),
            Err(TariffsRefused::Moved) => shop.tariffs.follow().await?,
            Err(TariffsRefused::Ledger(fault)) => return Err(fault.into()),
            Err(TariffsRefused::Busy) => return Err(ImportRefused::Busy),
            Err(refused) => return Ok(Err(refused.to_string())),
        }
    }
    Err(ImportRefused::Busy)
}
