//! Shopify's product CSV: a row for each variant, under the handle of its product. Rows after the
//! first repeat the handle alone; such a row without a variant is one more picture. Both templates
//! are read: that of `Variant SKU` and the newer one of `SKU`.

use std::collections::BTreeMap;

use super::{
    made::{Made, RowOf, grams, group_id, is_yes, units},
    vendor::{Line, Sheet},
};
use crate::files::FileError;

const HANDLE: &[&str] = &["Handle", "URL handle"];
const SKU: &[&str] = &["Variant SKU", "SKU"];
const PRICE: &[&str] = &["Variant Price", "Price"];
const COMPARE_AT: &[&str] = &["Variant Compare At Price", "Compare-at price"];
const BARCODE: &[&str] = &["Variant Barcode", "Barcode"];
const BODY: &[&str] = &["Body (HTML)", "Description"];
const IMAGE: &[&str] = &["Image Src", "Product image URL"];
const VARIANT_IMAGE: &[&str] = &["Variant Image", "Variant image URL"];
const PUBLISHED: &[&str] = &["Published", "Published on online store"];
const TRACKER: &[&str] = &["Variant Inventory Tracker", "Inventory tracker"];
const QUANTITY: &[&str] = &["Variant Inventory Qty", "Inventory quantity"];
const POLICY: &[&str] = &["Variant Inventory Policy", "Continue selling when out of stock"];
const TAXABLE: &[&str] = &["Variant Taxable", "Charge tax"];
const GRAMS: &[&str] = &["Variant Grams", "Weight value (grams)"];
const CATEGORY: &[&str] = &["Product Category"];
const OPTIONS: [(&[&str], &[&str]); 3] = [
    (&["Option1 Name"], &["Option1 Value"]),
    (&["Option2 Name"], &["Option2 Value"]),
    (&["Option3 Name"], &["Option3 Value"]),
];

/// What Shopify calls the one variant of a product without options.
const NO_OPTION: (&str, &str) = ("Title", "Default Title");

/// A product with its rows.
struct Product<'a> {
    first: Line<'a>,
    variants: Vec<Line<'a>>,
    image: &'a str,
    images: usize,
}

pub(super) fn convert(sheet: &Sheet, made: &mut Made) -> Result<(), Vec<FileError>> {
    for needed in [HANDLE, SKU, PRICE, &["Title"][..]] {
        sheet.needs(needed)?;
    }
    for (ours, theirs) in [
        ("sku", SKU),
        ("price", PRICE),
        ("title", &["Title"][..]),
        ("stock", QUANTITY),
        ("image_url", IMAGE),
        ("description", BODY),
        ("categories", CATEGORY),
        ("attribute:barcode", BARCODE),
    ] {
        made.names.extend(sheet.column(theirs).map(|name| (ours, name.to_owned())));
    }
    for product in products(sheet, made).values() {
        one(product, made);
    }
    Ok(())
}

/// The products in the order of their first rows.
fn products<'a>(sheet: &'a Sheet, made: &mut Made) -> BTreeMap<u64, Product<'a>> {
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    let mut products: BTreeMap<u64, Product<'a>> = BTreeMap::new();
    for line in sheet.lines() {
        let handle = line.get(HANDLE);
        if handle.is_empty() {
            made.wrong(line.number(), HANDLE[0], "expected the handle of a product, found nothing");
            continue;
        }
        let first = *lines.entry(handle).or_insert_with(|| line.number());
        let product = products.entry(first).or_insert_with(|| Product {
            first: line,
            variants: Vec::new(),
            image: "",
            images: 0,
        });
        let image = line.get(IMAGE);
        if !image.is_empty() {
            product.images += 1;
            if product.image.is_empty() || line.get(&["Image Position"]) == "1" {
                product.image = image;
            }
        }
        // Looked at here too, so that columns of pictures alone count as known.
        line.get(&["Image Alt Text"]);
        let is_variant = !line.get(SKU).is_empty() || !line.get(PRICE).is_empty();
        if is_variant {
            product.variants.push(line);
        }
    }
    products
}

fn one(product: &Product<'_>, made: &mut Made) {
    let first = product.first;
    let names = OPTIONS.map(|(name, _)| first.get(name));
    let has_options = |variant: &Line<'_>| {
        let chosen = (names[0], variant.get(OPTIONS[0].1));
        chosen != NO_OPTION && !chosen.0.is_empty()
    };
    let is_group = product.variants.len() > 1 || product.variants.iter().any(has_options);
    let description = made.description(first.get(BODY));
    let kind = first.get(&["Type"]);
    let categories = made.categories([first.get(CATEGORY), kind].into_iter());
    let image = made.image(product.image);
    for _ in 1..product.images {
        made.note("further images were left out: a product of ours has one");
    }
    let id = if is_group { group_id(first.get(HANDLE)) } else { String::new() };
    if is_group {
        let mut group = RowOf::line(first.number());
        group.set("id", &id).set("title", first.get(&["Title"]));
        group.set("description", &description).set("image_url", &image);
        made.groups.push(group.set("categories", &categories).done());
    }
    if product.variants.is_empty() {
        made.wrong(first.number(), PRICE[0], "expected a price of the product, found nothing");
    }
    for variant in &product.variants {
        let mut row = RowOf::line(variant.number());
        variant_row(&mut row, *variant, first, names, made);
        row.set("group", &id).set("categories", &categories);
        let own = variant.get(VARIANT_IMAGE);
        let own = if own.is_empty() { image.clone() } else { made.image(own) };
        row.set("image_url", own);
        row.set("description", if is_group { "" } else { &description });
        row.maybe("attribute:category", kind);
        made.products.push(row.done());
    }
}

fn variant_row(
    row: &mut RowOf,
    variant: Line<'_>,
    first: Line<'_>,
    names: [&str; 3],
    made: &mut Made,
) {
    if variant.get(SKU).is_empty() {
        let text =
            "expected a SKU, found nothing; give each variant one in Shopify and export again";
        made.wrong(variant.number(), SKU[0], text);
    }
    let chosen = OPTIONS.iter().zip(names).map(|((_, value), name)| (name, variant.get(value)));
    let chosen: Vec<(&str, &str)> = chosen
        .filter(|chosen| !chosen.0.is_empty() && !chosen.1.is_empty() && *chosen != NO_OPTION)
        .collect();
    let values: Vec<&str> = chosen.iter().map(|(_, value)| *value).collect();
    let title = first.get(&["Title"]);
    let apart = if values.is_empty() { "" } else { ", " };
    row.set("sku", variant.get(SKU)).set("title", format!("{title}{apart}{}", values.join(", ")));
    row.set("price", variant.get(PRICE)).set("currency", made.missing.currency.code());
    for (name, value) in chosen {
        row.set(format!("option:{name}"), value);
    }
    row.maybe("attribute:compare_at_price", variant.get(COMPARE_AT));
    row.maybe("attribute:barcode", variant.get(BARCODE).trim_start_matches('\''));
    row.maybe("attribute:vendor", first.get(&["Vendor"]));
    row.maybe("attribute:tags", first.get(&["Tags"]));
    row.maybe("attribute:weight_grams", &grams(variant.get(GRAMS), 1.0));
    let (status, published) = (first.get(&["Status"]), first.get(PUBLISHED));
    let active =
        (status.is_empty() || is_yes(status)) && (published.is_empty() || is_yes(published));
    row.set("active", active.to_string());
    let taxable = variant.get(TAXABLE);
    let zero = !taxable.is_empty() && !is_yes(taxable);
    row.set("tax_category", if zero { "zero" } else { "standard" });
    stock(row, variant, made);
}

fn stock(row: &mut RowOf, variant: Line<'_>, made: &mut Made) {
    let (tracker, quantity) = (variant.get(TRACKER), variant.get(QUANTITY));
    let policy = variant.get(POLICY).to_ascii_lowercase();
    if tracker.is_empty() {
        row.set("stock_policy", "untracked");
    } else if policy == "continue" || is_yes(&policy) {
        row.set("stock_policy", "backorder");
    } else {
        row.set("stock_policy", "tracked").maybe("stock", &units(quantity));
        if quantity.starts_with('-') {
            made.note("stock below zero was taken as none");
        }
        if !variant.has(QUANTITY) {
            made.note("the file counts no stock; import it with --kind stock");
        }
    }
}
