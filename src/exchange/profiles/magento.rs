//! Magento's `catalog_product` CSV: `simple` products, and `configurable` ones that list theirs
//! under `configurable_variations`. Rows of a store view translate others.

use std::collections::HashMap;

use super::{
    made::{Made, RowOf, grams, group_id, units},
    vendor::{Line, Sheet},
};
use crate::files::FileError;

const IMAGES: [&str; 4] = ["base_image", "small_image", "thumbnail_image", "swatch_image"];

/// Shops of Magento weigh in kilograms or pounds.
const WEIGHT_UNKNOWN: &str = "weights were kept as the attribute `weight`: the file does not say \
                              of what; set `weight_grams` for shipping by weight";

/// A variant's place: its group, and what was chosen, by the names for people.
type Variant<'a> = (Line<'a>, Vec<(String, String)>);

pub(super) fn convert(sheet: &Sheet, made: &mut Made) -> Result<(), Vec<FileError>> {
    for needed in [&["sku"][..], &["product_type"], &["name"], &["price"]] {
        sheet.needs(needed)?;
    }
    for (ours, theirs) in [("title", "name"), ("stock", "qty"), ("image_url", "base_image")] {
        made.names.insert(ours, theirs.to_owned());
    }
    let mut variants: HashMap<String, Variant<'_>> = HashMap::new();
    for line in sheet.lines().filter(|line| line.get(&["product_type"]) == "configurable") {
        if line.get(&["store_view_code"]).is_empty() {
            for (sku, chosen) in variations(line) {
                variants.insert(sku, (line, chosen));
            }
        }
    }
    for line in sheet.lines() {
        if !line.get(&["store_view_code"]).is_empty() {
            made.note("rows of a store view were left out: they translate others");
            continue;
        }
        match line.get(&["product_type"]) {
            "configurable" => group(line, made),
            "simple" | "virtual" | "downloadable" => {
                product(line, variants.get(line.get(&["sku"])), made);
            }
            "bundle" | "grouped" => {
                made.note("bundles and grouped products were left out: nobody stocks them");
            }
            _ => {
                let text = "expected `simple`, `virtual`, `downloadable`, `configurable`, \
                            `bundle` or `grouped`";
                made.wrong(line.number(), "product_type", text);
            }
        }
    }
    Ok(())
}

/// `sku=A,size=M,color=Red|sku=B,…`, under the labels that `size=Size,color=Color` gives.
fn variations(line: Line<'_>) -> Vec<(String, Vec<(String, String)>)> {
    let labels: HashMap<String, String> =
        pairs(line.get(&["configurable_variation_labels"])).into_iter().collect();
    let one = |variation: &str| {
        let mut sku = String::new();
        let mut chosen = Vec::new();
        for (name, value) in pairs(variation) {
            if name == "sku" {
                sku = value;
            } else {
                let label = labels.get(&name).cloned().unwrap_or(name);
                chosen.push((label, value));
            }
        }
        (sku, chosen)
    };
    line.get(&["configurable_variations"]).split('|').map(one).collect()
}

/// `color=Red,size=M`; a comma that no name and `=` follow belongs to the value.
fn pairs(list: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in list.split(',') {
        let named = part.split_once('=').filter(|(name, _)| is_code(name.trim()));
        match (named, pairs.last_mut()) {
            (Some((name, value)), _) => {
                let value = value.trim().trim_matches('"');
                pairs.push((name.trim().to_owned(), value.to_owned()));
            }
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            (None, None) => {}
        }
    }
    pairs
}

/// Whether a name is one of an attribute: small letters, digits and `_`.
fn is_code(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.bytes().all(plain)
}

fn description(line: Line<'_>, made: &mut Made) -> String {
    let (long, short) = (line.get(&["description"]), line.get(&["short_description"]));
    made.description(if long.is_empty() { short } else { long })
}

/// Paths without their root, as `Men > Tops`.
fn categories_of(line: Line<'_>, made: &mut Made) -> String {
    let paths = line.get(&["categories"]).split(',').map(|path| {
        let steps: Vec<&str> = path.trim().split('/').map(str::trim).collect();
        if steps.len() > 1 { steps[1..].join(" > ") } else { String::new() }
    });
    let paths: Vec<String> = paths.collect();
    made.categories(paths.iter().map(String::as_str))
}

fn image(line: Line<'_>, made: &mut Made) -> String {
    for _ in line.get(&["additional_images"]).split(',').filter(|path| !path.is_empty()) {
        made.note("further images were left out: a product of ours has one");
    }
    let paths = IMAGES.map(|column| line.get(&[column]));
    let path = paths.into_iter().find(|path| !path.is_empty() && *path != "no_selection");
    made.image(path.unwrap_or_default())
}

fn group(line: Line<'_>, made: &mut Made) {
    let (description, categories) = (description(line, made), categories_of(line, made));
    let image = image(line, made);
    let mut row = RowOf::line(line.number());
    row.set("id", group_id(line.get(&["sku"]))).set("title", line.get(&["name"]));
    row.set("description", description).set("image_url", image).set("categories", categories);
    made.groups.push(row.done());
}

fn product(line: Line<'_>, variant: Option<&Variant<'_>>, made: &mut Made) {
    let mut row = RowOf::line(line.number());
    row.set("sku", line.get(&["sku"])).set("title", line.get(&["name"]));
    prices(&mut row, line, made);
    let own = image(line, made);
    let parent = variant.map(|(parent, _)| *parent);
    let mut categories = categories_of(line, made);
    if categories.is_empty()
        && let Some(parent) = parent
    {
        categories = categories_of(parent, made);
    }
    let first = categories.split('|').next().unwrap_or_default().to_owned();
    row.set("categories", categories).maybe("attribute:category", &first);
    let picture = match parent {
        Some(parent) if own.is_empty() => image(parent, made),
        _ => own,
    };
    row.set("image_url", picture);
    let mut chosen_names = Vec::new();
    if let Some((parent, chosen)) = variant {
        row.set("group", group_id(parent.get(&["sku"]))).set("description", "");
        for (name, value) in chosen {
            chosen_names.push(name.to_lowercase());
            row.set(format!("option:{name}"), value);
        }
    } else {
        row.set("group", "").set("description", description(line, made));
    }
    for (name, value) in pairs(line.get(&["additional_attributes"])) {
        if !chosen_names.contains(&name) {
            row.maybe(&format!("attribute:{name}"), &value);
        }
    }
    if !grams(line.get(&["weight"]), 1.0).is_empty() {
        made.note(WEIGHT_UNKNOWN);
        row.set("attribute:weight", line.get(&["weight"]));
    }
    // A configurable product that is off takes its variants with it.
    let is_on = |line: Line<'_>| line.get(&["product_online"]) != "2";
    let active = is_on(line) && parent.is_none_or(is_on);
    row.set("active", active.to_string()).set("tax_category", tax(line));
    stock(&mut row, line, made);
    made.products.push(row.done());
}

fn prices(row: &mut RowOf, line: Line<'_>, made: &mut Made) {
    let (price, special) = (line.get(&["price"]), line.get(&["special_price"]));
    let dates = ["special_price_from_date", "special_price_to_date"].map(|date| line.get(&[date]));
    let is_dated = dates.iter().any(|date| !date.is_empty());
    let counts = !special.is_empty() && !is_dated;
    if !special.is_empty() && is_dated {
        made.note("sales with dates were left out: make a discount of them");
    }
    row.set("price", if counts { special } else { price });
    row.set("currency", made.missing.currency.code());
    row.maybe("attribute:compare_at_price", if counts { price } else { "" });
}

fn tax(line: Line<'_>) -> &'static str {
    let class = line.get(&["tax_class_name"]).to_ascii_lowercase();
    match class.as_str() {
        "none" | "tax exempt" | "zero rate" => "zero",
        class if class.contains("reduced") => "reduced",
        _ => "standard",
    }
}

fn stock(row: &mut RowOf, line: Line<'_>, made: &mut Made) {
    let quantity = line.get(&["qty"]);
    if quantity.starts_with('-') {
        made.note("stock below zero was taken as none");
    }
    let uses_own = line.get(&["use_config_manage_stock"]) == "0";
    if uses_own && line.get(&["manage_stock"]) == "0" {
        row.set("stock_policy", "untracked");
    } else if !matches!(line.get(&["allow_backorders"]), "" | "0") {
        row.set("stock_policy", "backorder");
    } else if line.get(&["is_in_stock"]) == "0" {
        row.set("stock_policy", "tracked").set("stock", "0");
    } else {
        row.set("stock_policy", "tracked").maybe("stock", &units(quantity));
    }
}
