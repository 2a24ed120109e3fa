//! Product files of other shops, as they export them, read as groups and products of ours.
//!
//! Each vendor's columns are mapped by name; those that are mapped nowhere are listed, as is every
//! decision that leaves something out. What is wrong is told by the vendor's own column.

mod html;
mod made;
mod magento;
mod shopify;
mod vendor;
mod woocommerce;

use super::{
    Kind,
    plan::Plan,
    read::{Rows, read_rows},
};
use crate::{
    base::{Currency, Limits},
    files::FileError,
};
use made::Made;
use std::collections::HashMap;
use vendor::Sheet;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// A Shopify product CSV.
    Shopify,
    /// A WooCommerce product CSV.
    WooCommerce,
    /// A Magento (Adobe Commerce) `catalog_product` CSV.
    Magento,
}

impl Vendor {
    /// The vendor with this word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "shopify" => Some(Self::Shopify),
            "woocommerce" => Some(Self::WooCommerce),
            "magento" => Some(Self::Magento),
            _ => None,
        }
    }
}

/// What a vendor's file does not say.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The currency of its prices.
    pub currency: Currency,
    /// Where pictures are whose addresses are none, without a `/` at its end.
    pub images: Option<String>,
}

/// A vendor's file, as plans of ours.
#[derive(Debug)]
pub struct Converted {
    /// What is said of groups: taken in first.
    pub groups: Plan,
    /// The products with their stock.
    pub products: Plan,
    /// Columns that are mapped nowhere, though something stands in them.
    pub unmapped: Vec<String>,
    /// What was left out or decided, and how often.
    pub notes: Vec<(String, usize)>,
    /// What the vendor calls our columns.
    pub names: Names,
}

/// The vendor's names of columns by ours.
#[derive(Debug, Default)]
pub struct Names(HashMap<&'static str, String>);

impl Names {
    /// Errors by the vendor's own columns.
    pub fn theirs(&self, errors: Vec<FileError>) -> Vec<FileError> {
        let named = |error: FileError| {
            let column = self.0.get(error.column.as_str()).cloned().unwrap_or(error.column);
            FileError { column, ..error }
        };
        errors.into_iter().map(named).collect()
    }
}

/// Reads a vendor's file.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file, by its own columns.
pub fn convert(
    vendor: Vendor,
    text: &str,
    missing: &Missing,
    limits: &Limits,
) -> Result<Converted, Vec<FileError>> {
    let sheet = Sheet::read(text)?;
    let mut made = Made::new(missing, limits);
    match vendor {
        Vendor::Shopify => shopify::convert(&sheet, &mut made)?,
        Vendor::WooCommerce => woocommerce::convert(&sheet, &mut made)?,
        Vendor::Magento => magento::convert(&sheet, &mut made)?,
    }
    let Made { groups, products, notes, errors, names, .. } = made;
    let names = Names(names);
    let mut wrong = errors;
    let named = |errors| names.theirs(errors);
    let groups = read_rows(Kind::ProductGroups, &groups, limits).map_err(named);
    let products = read_rows(Kind::Products, &products, limits).map_err(named);
    let empty = |wrong: &mut Vec<FileError>, errors| {
        wrong.extend::<Vec<FileError>>(errors);
        Rows::Groups(Vec::new())
    };
    let groups = groups.unwrap_or_else(|errors| empty(&mut wrong, errors));
    let products = products.unwrap_or_else(|errors| empty(&mut wrong, errors));
    if !wrong.is_empty() {
        wrong.sort_by_key(|error| error.line);
        return Err(wrong);
    }
    Ok(Converted {
        groups: Plan::of(groups),
        products: Plan::of(products),
        unmapped: sheet.unmapped(),
        notes: notes.into_iter().collect(),
        names,
    })
}
