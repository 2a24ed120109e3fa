//! What a row of a file says of a product.
//!
//! `sku` is needed, and of a new product `title`, `price` and `currency`; `tax_category` (else
//! `standard`), `image_url`, `stock_policy` (`tracked`, `backorder`, `untracked`; else `tracked`),
//! `stock`, `active` (`true` or `false`; else `true`), `group`, `description` and `categories`
//! (with `|` between them) and `max_per_order` (units one order may have) may be left out: then
//! they stay as they are. An empty cell clears them. Each `attribute:<name>` column is an attribute
//! of that name; each `option:<name>` column says which variant of its group a product is;
//! `attributes` and `options` say all of them as JSON.

use super::{
    Choice, GroupId, Product, StockPolicy,
    patch::{Amount, ProductPatch},
    texts,
};
use crate::{
    base::{Currency, Holds, Limits, Sku},
    files::{
        Column, Fields, FileError, Given, Known, Row,
        row::Holds::{Json, Text, Texts},
    },
};

const ATTRIBUTE: &str = "attribute:";
const OPTION: &str = "option:";

/// What a file of products may have.
pub const PRODUCTS: Known = Known {
    columns: &[
        Column { name: "sku", holds: Text, is_needed: true },
        Column { name: "title", holds: Text, is_needed: false },
        Column { name: "price", holds: Text, is_needed: false },
        Column { name: "currency", holds: Text, is_needed: false },
        Column { name: "tax_category", holds: Text, is_needed: false },
        Column { name: "image_url", holds: Text, is_needed: false },
        Column { name: "stock_policy", holds: Text, is_needed: false },
        Column { name: "stock", holds: Json, is_needed: false },
        Column { name: "active", holds: Json, is_needed: false },
        Column { name: "group", holds: Text, is_needed: false },
        Column { name: "description", holds: Text, is_needed: false },
        Column { name: "categories", holds: Texts, is_needed: false },
        Column { name: "max_per_order", holds: Json, is_needed: false },
        Column { name: "options", holds: Json, is_needed: false },
        Column { name: "attributes", holds: Json, is_needed: false },
    ],
    prefixes: &[ATTRIBUTE, OPTION],
};

/// One good row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// The line where it stands.
    pub line: u64,
    /// What it says about the product.
    pub patch: ProductPatch,
    /// Counted units, when the row tells.
    pub stock: Option<u32>,
}

/// Reads a row.
///
/// # Errors
/// Everything that is wrong with it by itself.
pub fn read(row: &Row, limits: &Limits) -> Result<ImportRow, Vec<FileError>> {
    let mut reader = Reader { fields: Fields::of(row), limits };
    let sku = reader.fields.parse("sku", Sku::LIKE, |text| Sku::parse_goods(text).ok()).value();
    let patch = ProductPatch {
        // A row with anything wrong is dropped below; this stands in until then.
        sku: sku.unwrap_or_else(placeholder),
        title: reader.needed("title"),
        price: reader.price(),
        currency: reader.currency(),
        tax_category: reader.checked("tax_category", texts::check_tax_category),
        image_url: reader.checked("image_url", texts::check_url),
        stock_policy: reader.stock_policy(),
        active: reader.fields.truth("active"),
        group: reader.fields.parse(
            "group",
            "1 to 64 lower-case letters, digits, `-` and `_`",
            |text| GroupId::parse(text).ok(),
        ),
        description: description(&mut reader.fields),
        categories: categories(&mut reader.fields),
        max_per_order: reader.fields.parse(
            "max_per_order",
            "a whole number from 1 to 4294967295, or nothing",
            |text| text.parse().ok().filter(|_| !text.starts_with('+')),
        ),
        options: reader.options(),
        option: reader.single(OPTION),
        attributes: reader
            .fields
            .json("attributes", "an object of texts such as `{\"color\": \"red\"}`"),
        attribute: reader.single(ATTRIBUTE),
    };
    let stock = reader.fields.count("stock").value();
    reader.fields.finish(ImportRow { line: row.line, patch, stock })
}

/// What stands in the way of a product that a row makes: what needs all of it to be seen.
pub fn misfit(product: &Product, stock: Option<u32>, limits: &Limits) -> Option<FileError> {
    let wrong = |column: &str, expected: String| {
        Some(FileError { line: 0, column: column.to_owned(), expected })
    };
    if let Err(text) = texts::check_options(&product.options) {
        return wrong("options", text);
    }
    let bytes = serde_json::to_string(&product.attributes).map_or(0, |json| json.len());
    let most = limits.metadata_bytes;
    if bytes > most {
        let text = format!("expected attributes of at most {most} bytes in all, found {bytes}");
        return wrong("attributes", text);
    }
    match stock {
        Some(found) if product.stock_policy != StockPolicy::Tracked => {
            let like = "expected nothing, for only `tracked` units are counted";
            wrong("stock", format!("{like}, found `{found}`"))
        }
        _ => None,
    }
}

fn placeholder() -> Sku {
    Sku::parse("-").expect("invariant: a hyphen is a SKU")
}

/// Some sentences.
pub fn description(fields: &mut Fields<'_>) -> Given<String> {
    let text = fields.text("description");
    if let Given::Value(text) = &text
        && let Err(wrong) = texts::check_text(text, texts::DESCRIPTION_BYTES_MAX)
    {
        fields.reject("description", wrong);
    }
    text
}

/// Where a shop has it.
pub fn categories(fields: &mut Fields<'_>) -> Given<Vec<String>> {
    let categories = fields.texts("categories", Some(texts::CATEGORIES_APART));
    if let Given::Value(categories) = &categories
        && let Err(wrong) = texts::check_categories(categories)
    {
        fields.reject("categories", wrong);
    }
    categories
}

/// One line in people's words, that cannot be cleared.
pub fn needed_line(fields: &mut Fields<'_>, column: &str, most: usize) -> Option<String> {
    match line(fields, column, most) {
        Given::Absent => None,
        Given::Empty => {
            fields.reject_found(column, "a text");
            None
        }
        Given::Value(text) => Some(text),
    }
}

/// What a column is about, whatever stands before the name that a file gives it.
fn named(column: &str) -> &str {
    column.split_once(':').map_or(column, |(_, name)| name)
}

/// One line in people's words.
pub fn line(fields: &mut Fields<'_>, column: &str, most: usize) -> Given<String> {
    let text = fields.text(column);
    if let Given::Value(text) = &text
        && let Err(wrong) = texts::check_line_in(Holds::of(named(column)), text, most)
    {
        fields.reject(column, wrong);
    }
    text
}

struct Reader<'a> {
    fields: Fields<'a>,
    limits: &'a Limits,
}

impl Reader<'_> {
    fn needed(&mut self, column: &str) -> Option<String> {
        needed_line(&mut self.fields, column, self.limits.text_bytes)
    }

    fn checked(
        &mut self,
        column: &str,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Given<String> {
        let text = line(&mut self.fields, column, self.limits.text_bytes);
        if let Given::Value(text) = &text
            && check(text).is_err()
        {
            let like = check_like(column);
            self.fields.reject_found(column, like);
        }
        text
    }

    fn price(&mut self) -> Option<Amount> {
        match self.fields.text("price") {
            Given::Absent => None,
            Given::Value(text) => Some(Amount::Decimal(text)),
            Given::Empty => {
                self.fields.reject_found("price", "an amount such as `19.90`");
                None
            }
        }
    }

    fn currency(&mut self) -> Option<Currency> {
        let like = "a three-letter ISO 4217 currency code such as `EUR`";
        let currency = self.fields.parse("currency", like, |text| text.parse().ok());
        if currency == Given::Empty {
            self.fields.reject_found("currency", like);
        }
        currency.value()
    }

    fn stock_policy(&mut self) -> Given<StockPolicy> {
        self.fields.parse(
            "stock_policy",
            "`tracked`, `backorder` or `untracked`",
            |text| match text {
                "tracked" => Some(StockPolicy::Tracked),
                "backorder" => Some(StockPolicy::Backorder),
                "untracked" => Some(StockPolicy::Untracked),
                _ => None,
            },
        )
    }

    fn options(&mut self) -> Given<Vec<Choice>> {
        let like = "a list such as `[{\"name\": \"Size\", \"value\": \"M\"}]`";
        let options: Given<Vec<Choice>> = self.fields.json("options", like);
        if let Given::Value(options) = &options
            && let Err(wrong) = texts::check_options(options)
        {
            self.fields.reject("options", wrong);
        }
        options
    }

    /// What columns say that the file names itself.
    fn single(&mut self, prefix: &str) -> Vec<(String, Given<String>)> {
        let cells = &self.fields.row().cells;
        let columns = cells.iter().map(|(name, _)| name).filter(|name| name.starts_with(prefix));
        let named = |column: &String| {
            let value = line(&mut self.fields, column, self.limits.text_bytes);
            (column[prefix.len()..].to_owned(), value)
        };
        columns.map(named).collect()
    }
}

fn check_like(column: &str) -> &'static str {
    match column {
        "image_url" => "an address that starts with `https://`",
        _ => "lower-case letters, digits, `-` and `_`",
    }
}
