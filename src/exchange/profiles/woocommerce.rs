//! WooCommerce's product CSV: `simple` products, and `variable` ones followed by their `variation`
//! rows, which name them under `Parent` by SKU or by `id:`.

use std::collections::HashMap;

use super::{
    made::{Made, RowOf, grams, group_id, units},
    vendor::{Line, Sheet},
};
use crate::files::FileError;

const REGULAR: &[&str] = &["Regular price"];
const SALE: &[&str] = &["Sale price"];
const BARCODE: &[&str] = &["GTIN, UPC, EAN, or ISBN"];
const IMAGES: &[&str] = &["Images"];
const KILOGRAMS: &[&str] = &["Weight (kg)"];
const POUNDS: &[&str] = &["Weight (lbs)"];
const GRAMS: &[&str] = &["Weight (g)"];

/// Grams of an avoirdupois pound, by definition.
const POUND_GRAMS: f64 = 453.592_37;

/// Attributes that a row is looked through for.
const ATTRIBUTES_MAX: usize = 8;

pub(super) fn convert(sheet: &Sheet, made: &mut Made) -> Result<(), Vec<FileError>> {
    for needed in [&["Type"][..], &["SKU"], &["Name"], REGULAR] {
        sheet.needs(needed)?;
    }
    for (ours, theirs) in [
        ("sku", &["SKU"][..]),
        ("price", REGULAR),
        ("title", &["Name"]),
        ("stock", &["Stock"]),
        ("image_url", IMAGES),
        ("description", &["Description"]),
        ("categories", &["Categories"]),
        ("attribute:barcode", BARCODE),
    ] {
        made.names.extend(sheet.column(theirs).map(|name| (ours, name.to_owned())));
    }
    let parents = parents(sheet);
    for line in sheet.lines() {
        let kinds = line.get(&["Type"]).to_ascii_lowercase();
        let kind = kinds.split(',').map(str::trim).find(|kind| {
            matches!(*kind, "simple" | "variable" | "variation" | "grouped" | "external")
        });
        match kind {
            Some("simple") => product(line, None, made),
            Some("variable") => group(line, made),
            Some("variation") => match parents.get(line.get(&["Parent"])) {
                Some(parent) => product(line, Some(*parent), made),
                None => {
                    let text = "expected the SKU or `id:` of a `variable` row of this file";
                    made.wrong(line.number(), "Parent", text);
                }
            },
            Some("grouped" | "external") => {
                made.note("grouped and external products were left out: nobody stocks them");
            }
            _ => {
                let text = "expected `simple`, `variable`, `variation`, `grouped` or `external`";
                made.wrong(line.number(), "Type", text);
            }
        }
    }
    Ok(())
}

/// Variable products by what variations call them.
fn parents(sheet: &Sheet) -> HashMap<String, Line<'_>> {
    let mut parents = HashMap::new();
    let is_variable = |line: &Line<'_>| {
        let kinds = line.get(&["Type"]).to_ascii_lowercase();
        kinds.split(',').any(|kind| kind.trim() == "variable")
    };
    for line in sheet.lines().filter(is_variable) {
        for name in [line.get(&["SKU"]).to_owned(), format!("id:{}", line.get(&["ID"]))] {
            if !name.is_empty() && name != "id:" {
                parents.insert(name, line);
            }
        }
    }
    parents
}

/// The group that a variable product is.
fn group_of(parent: Line<'_>) -> String {
    let sku = parent.get(&["SKU"]);
    if sku.is_empty() {
        group_id(&format!("product-{}", parent.get(&["ID"])))
    } else {
        group_id(sku)
    }
}

fn group(line: Line<'_>, made: &mut Made) {
    let description = description(line, made);
    let categories = categories(line, made);
    let image = image(line, made);
    let mut row = RowOf::line(line.number());
    row.set("id", group_of(line)).set("title", line.get(&["Name"]));
    row.set("description", description).set("image_url", image).set("categories", categories);
    made.groups.push(row.done());
}

fn description(line: Line<'_>, made: &mut Made) -> String {
    let (long, short) = (line.get(&["Description"]), line.get(&["Short description"]));
    // Line breaks are written as `\n` in these files.
    let html = if long.is_empty() { short } else { long }.replace("\\n", "\n");
    made.description(&html)
}

fn categories(line: Line<'_>, made: &mut Made) -> String {
    made.categories(split(line.get(&["Categories"])).iter().map(String::as_str))
}

/// What stands between commas; one with a backslash before it belongs to a name.
fn split(list: &str) -> Vec<String> {
    let list = list.replace("\\,", "\u{0}");
    list.split(',').map(|one| one.trim().replace('\u{0}', ",")).collect()
}

fn image(line: Line<'_>, made: &mut Made) -> String {
    let mut images = line.get(IMAGES).split(", ").map(str::trim);
    let first = images.next().unwrap_or_default();
    for _ in images {
        made.note("further images were left out: a product of ours has one");
    }
    made.image(first)
}

fn product(line: Line<'_>, parent: Option<Line<'_>>, made: &mut Made) {
    if line.get(&["SKU"]).is_empty() {
        let text = "expected a SKU, found nothing; give each product one and export again";
        made.wrong(line.number(), "SKU", text);
    }
    let mut row = RowOf::line(line.number());
    row.set("sku", line.get(&["SKU"])).set("title", line.get(&["Name"]));
    prices(&mut row, line, made);
    let own = image(line, made);
    match parent {
        None => {
            let (description, categories) = (description(line, made), categories(line, made));
            let first = categories.split('|').next().unwrap_or_default().to_owned();
            row.set("group", "").set("description", description).set("image_url", own);
            row.set("categories", categories).maybe("attribute:category", &first);
        }
        Some(parent) => {
            let categories = categories(parent, made);
            let first = categories.split('|').next().unwrap_or_default().to_owned();
            row.set("group", group_of(parent)).set("description", "");
            row.set("categories", categories).maybe("attribute:category", &first);
            row.set("image_url", if own.is_empty() { image(parent, made) } else { own });
        }
    }
    for number in 1..=ATTRIBUTES_MAX {
        let (name, value) =
            (format!("Attribute {number} name"), format!("Attribute {number} value(s)"));
        for known in ["visible", "global", "default"] {
            line.get(&[&format!("Attribute {number} {known}")]);
        }
        let (name, value) = (line.get(&[&name]), line.get(&[&value]));
        if name.is_empty() || value.is_empty() {
            continue;
        }
        let which = if parent.is_some() { "option" } else { "attribute" };
        row.set(format!("{which}:{name}"), value);
    }
    row.maybe("attribute:barcode", line.get(BARCODE)).maybe("attribute:tags", line.get(&["Tags"]));
    for (column, per_unit) in [(KILOGRAMS, 1000.0), (POUNDS, POUND_GRAMS), (GRAMS, 1.0)] {
        row.maybe("attribute:weight_grams", &grams(line.get(column), per_unit));
    }
    let is_published = |line: Line<'_>| line.get(&["Published"]) == "1";
    let active = is_published(line) && parent.is_none_or(is_published);
    row.set("active", active.to_string()).set("tax_category", tax(line, parent));
    stock(&mut row, line, parent, made);
    made.products.push(row.done());
}

/// The price that counts: that of a sale without dates, else the regular one.
fn prices(row: &mut RowOf, line: Line<'_>, made: &mut Made) {
    let (regular, sale) = (line.get(REGULAR), line.get(SALE));
    let dates = [line.get(&["Date sale price starts"]), line.get(&["Date sale price ends"])];
    let is_dated = dates.iter().any(|date| !date.is_empty());
    let price = if sale.is_empty() || is_dated { regular } else { sale };
    if !sale.is_empty() && is_dated {
        made.note("sales with dates were left out: make a discount of them");
    }
    row.set("price", price).set("currency", made.missing.currency.code());
    row.maybe("attribute:compare_at_price", if price == regular { "" } else { regular });
}

fn tax(line: Line<'_>, parent: Option<Line<'_>>) -> &'static str {
    let class = match line.get(&["Tax class"]) {
        "parent" => parent.map_or("", |parent| parent.get(&["Tax class"])),
        class => class,
    };
    match (line.get(&["Tax status"]), class) {
        ("none", _) | (_, "zero-rate") => "zero",
        (_, "reduced-rate") => "reduced",
        _ => "standard",
    }
}

fn stock(row: &mut RowOf, line: Line<'_>, parent: Option<Line<'_>>, made: &mut Made) {
    let (own, backorders) = (line.get(&["Stock"]), line.get(&["Backorders allowed?"]));
    let quantity = match own {
        "parent" => parent.map_or("", |parent| parent.get(&["Stock"])),
        own => own,
    };
    if own == "parent" {
        made.note("stock that variations share was given to each of them: count them");
    }
    let in_stock = line.get(&["In stock?"]);
    if quantity.starts_with('-') {
        made.note("stock below zero was taken as none");
    }
    match (quantity, backorders) {
        (_, "1" | "notify") => row.set("stock_policy", "backorder"),
        ("", _) if in_stock == "0" => row.set("stock_policy", "tracked").set("stock", "0"),
        ("", _) => row.set("stock_policy", "untracked"),
        (counted, _) => row.set("stock_policy", "tracked").set("stock", units(counted)),
    };
}
