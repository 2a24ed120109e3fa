//! The columns of a catalogue file: which there are, and what each expects.

use csv::ByteRecord;
use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroU32,
};

use super::{
    Choice, GroupId, Product, StockPolicy, field,
    import::{ImportError, ImportRow},
    texts::{self, NO_CARDS},
};
use crate::base::{
    Currency, Holds, Limits, Money, Sku, Timestamp, is_card_number_in, looks_like_card_number,
};

const NEEDED: [&str; 4] = ["sku", "title", "price", "currency"];
const KNOWN: [&str; 15] = [
    "sku",
    "title",
    "price",
    "currency",
    "tax_category",
    "image_url",
    "stock_policy",
    "stock",
    "active",
    "group",
    "description",
    "categories",
    "max_per_order",
    "options",
    "attributes",
];
const ATTRIBUTE: &str = "attribute:";
const OPTION: &str = "option:";

/// Between categories in one field; hence none holds it.
pub(super) const CATEGORIES_APART: char = '|';

/// Names closer than this to a known column are taken for a typing mistake (Jaro–Winkler, 0–1).
const LOOKS_ALIKE: f64 = 0.75;

/// How much of a wrong value an error shows: enough to find it, too little to flood a terminal.
const SHOWN_CHARS: usize = 40;

/// The header: what each field of a row is.
#[derive(Debug, Default)]
pub(super) struct Columns(Vec<String>);

/// What a column expected of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) column: String,
    pub(super) expected: String,
}

impl Columns {
    pub(super) fn read(header: &ByteRecord) -> Result<Self, Vec<ImportError>> {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').to_owned())
            .collect();
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        for name in &names {
            if let Some(problem) = wrong_column(name, seen.insert(name.as_str())) {
                problems.push((name.clone(), problem));
            }
        }
        for needed in NEEDED.iter().filter(|needed| !names.iter().any(|name| name == *needed)) {
            problems.push(((*needed).to_owned(), "this column is needed and missing".to_owned()));
        }
        if problems.is_empty() {
            return Ok(Self(names));
        }
        let error = |(column, expected)| ImportError { line: 1, column, expected };
        Err(problems.into_iter().map(error).collect())
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

fn wrong_column(name: &str, first: bool) -> Option<String> {
    if !first {
        return Some("each column may stand once".to_owned());
    }
    if KNOWN.contains(&name) {
        return None;
    }
    let prefix = [ATTRIBUTE, OPTION].into_iter().find(|prefix| name.starts_with(prefix));
    match prefix.map(|prefix| (prefix, &name[prefix.len()..])) {
        Some((prefix, "")) => Some(format!("expected a name after `{prefix}`")),
        Some((_, named)) if looks_like_card_number(named) => Some(NO_CARDS.to_owned()),
        Some(_) => None,
        None => Some(unknown_column(name)),
    }
}

fn unknown_column(name: &str) -> String {
    if name.contains([';', '\t']) {
        return "expected columns separated by commas".to_owned();
    }
    let likeness = |known: &&str| strsim::jaro_winkler(&name.to_ascii_lowercase(), known);
    let closest = KNOWN.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match closest.filter(|known| likeness(known) >= LOOKS_ALIKE) {
        Some(known) => format!("no such column; did you mean `{known}`?"),
        None => format!(
            "no such column; there are {}, `attribute:<name>` and `option:<name>`",
            KNOWN.map(|known| format!("`{known}`")).join(", ")
        ),
    }
}

/// The fields of one row by column, and what was wrong with them so far.
struct Fields<'a> {
    columns: &'a [String],
    texts: BTreeMap<&'a str, &'a str>,
    limits: &'a Limits,
    wrong: Vec<Expected>,
}

pub(super) fn read_row(
    columns: &Columns,
    record: &ByteRecord,
    limits: &Limits,
    now: Timestamp,
) -> Result<ImportRow, Vec<Expected>> {
    let decoded: Vec<Option<String>> = record.iter().map(decoded).collect();
    let mut fields =
        Fields { columns: &columns.0, texts: BTreeMap::new(), limits, wrong: Vec::new() };
    for (name, text) in columns.0.iter().zip(&decoded) {
        match text {
            Some(text) => drop(fields.texts.insert(name, text)),
            None => fields.reject(name, "expected UTF-8 text".to_owned()),
        }
    }
    let sku = fields.sku();
    let title = fields.free_text("title");
    let price = fields.price();
    let stock_policy = fields.stock_policy();
    let product = Product {
        // A row with anything wrong is dropped below; these stand in until then.
        sku: sku.unwrap_or_else(placeholder),
        title: fields.needed("title", title),
        price: price.unwrap_or_else(nothing),
        tax_category: fields.tax_category(),
        image_url: fields.image_url(),
        attributes: fields.attributes(),
        stock_policy,
        active: fields.active(),
        updated_at: now,
        group: fields.group(),
        options: fields.options(),
        description: fields.description(),
        categories: fields.categories(),
        max_per_order: fields.max_per_order(),
        list_prices: Vec::new(),
    };
    let stock = fields.stock(stock_policy);
    if fields.wrong.is_empty() { Ok(ImportRow { product, stock }) } else { Err(fields.wrong) }
}

/// The text in a field, unless it is none.
fn decoded(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(|text| field::decode(text).into_owned())
}

fn placeholder() -> Sku {
    Sku::parse("-").expect("invariant: a hyphen is a SKU")
}

fn nothing() -> Money {
    Money::from_minor(0, "EUR".parse().expect("invariant: the euro is a currency"))
}

impl<'a> Fields<'a> {
    fn text(&self, column: &str) -> &'a str {
        self.texts.get(column).copied().unwrap_or("")
    }

    fn reject(&mut self, column: &str, expected: String) {
        // A text that is no UTF-8 is reported once, not again as missing.
        if !self.wrong.iter().any(|wrong| wrong.column == column) {
            self.wrong.push(Expected { column: column.to_owned(), expected });
        }
    }

    fn reject_found(&mut self, column: &str, expected: &str) {
        let found = self.text(column);
        let shown: String = found.chars().take(SHOWN_CHARS).collect();
        let more = if shown.len() < found.len() { "…" } else { "" };
        let found = if found.is_empty() { "nothing".into() } else { format!("`{shown}{more}`") };
        self.reject(column, format!("expected {expected}, found {found}"));
    }

    fn sku(&mut self) -> Option<Sku> {
        let sku = Sku::parse_goods(self.text("sku")).ok();
        if sku.is_none() {
            self.reject_found("sku", "1 to 64 printable ASCII characters without spaces");
        }
        sku
    }

    fn needed(&mut self, column: &str, text: String) -> String {
        if text.is_empty() {
            self.reject_found(column, "a text");
        }
        text
    }

    /// Text in people's words: within its limit, and without card numbers.
    fn free_text(&mut self, column: &str) -> String {
        let text = self.text(column);
        let checked = texts::check_line_in(Holds::of(column), text, self.limits.text_bytes);
        checked.unwrap_or_else(|wrong| self.reject(column, wrong));
        text.to_owned()
    }

    fn price(&mut self) -> Option<Money> {
        let Ok(currency) = self.text("currency").parse::<Currency>() else {
            self.reject_found("currency", "a three-letter ISO 4217 currency code such as `EUR`");
            return None;
        };
        let price = Money::parse_decimal(self.text("price"), currency).ok();
        let price = price.filter(|price| price.minor() >= 0);
        if price.is_none() {
            let decimals = currency.decimals();
            let wanted = format!("an amount of 0 or more with at most {decimals} decimals");
            self.reject_found("price", &wanted);
        }
        price
    }

    fn tax_category(&mut self) -> String {
        let text = self.free_text("tax_category");
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if !text.bytes().all(plain) {
            self.reject_found("tax_category", "lower-case letters, digits, `-` and `_`");
        }
        if text.is_empty() { "standard".to_owned() } else { text }
    }

    fn image_url(&mut self) -> Option<String> {
        let text = self.free_text("image_url");
        let is_address = text.starts_with("https://") || text.starts_with("http://");
        if !text.is_empty() && (!is_address || text.contains(char::is_whitespace)) {
            self.reject_found("image_url", "an address that starts with `https://`");
        }
        (!text.is_empty()).then_some(text)
    }

    /// What stands in a field as JSON.
    fn json<T: serde::de::DeserializeOwned + Default>(&mut self, column: &str, like: &str) -> T {
        let text = self.text(column);
        if text.is_empty() {
            return T::default();
        }
        serde_json::from_str(text).unwrap_or_else(|_| {
            self.reject_found(column, like);
            T::default()
        })
    }

    fn attributes(&mut self) -> BTreeMap<String, String> {
        let like = "an object of texts such as `{\"color\": \"red\"}`";
        let mut attributes: BTreeMap<String, String> = self.json("attributes", like);
        if attributes.iter().any(|(name, value)| {
            looks_like_card_number(name) || is_card_number_in(Holds::of(name), value)
        }) {
            self.reject("attributes", NO_CARDS.to_owned());
        }
        for column in self.columns {
            let Some(name) = column.strip_prefix(ATTRIBUTE) else { continue };
            let value = self.free_text(column);
            if !value.is_empty() {
                attributes.insert(name.to_owned(), value);
            }
        }
        let bytes = serde_json::to_string(&attributes).map_or(0, |json| json.len());
        let most = self.limits.metadata_bytes;
        if bytes > most {
            let text = format!("expected attributes of at most {most} bytes in all, found {bytes}");
            self.reject("attribute:*", text);
        }
        attributes
    }

    fn group(&mut self) -> Option<GroupId> {
        let text = self.text("group");
        let group = GroupId::parse(text).ok();
        if group.is_none() && !text.is_empty() {
            self.reject_found("group", "1 to 64 lower-case letters, digits, `-` and `_`");
        }
        group
    }

    fn options(&mut self) -> Vec<Choice> {
        let like = "a list such as `[{\"name\": \"Size\", \"value\": \"M\"}]`";
        let mut options: Vec<Choice> = self.json("options", like);
        for column in self.columns {
            let Some(name) = column.strip_prefix(OPTION) else { continue };
            let value = self.free_text(column);
            if !value.is_empty() {
                options.push(Choice { name: name.to_owned(), value });
            }
        }
        if let Err(text) = texts::check_options(&options) {
            self.reject("options", text);
        }
        options
    }

    fn description(&mut self) -> Option<String> {
        let text = self.text("description");
        let checked = texts::check_text(text, texts::DESCRIPTION_BYTES_MAX);
        checked.unwrap_or_else(|wrong| self.reject("description", wrong));
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn categories(&mut self) -> Vec<String> {
        let text = self.free_text("categories");
        let categories = texts::categories(&text);
        if let Err(text) = texts::check_categories(&categories) {
            self.reject("categories", text);
        }
        categories
    }

    fn max_per_order(&mut self) -> Option<NonZeroU32> {
        let text = self.text("max_per_order");
        if text.is_empty() {
            return None;
        }
        let most = text.parse().ok().filter(|_| !text.starts_with('+'));
        if most.is_none() {
            self.reject_found("max_per_order", "a whole number from 1 to 4294967295, or nothing");
        }
        most
    }

    fn stock_policy(&mut self) -> StockPolicy {
        match self.text("stock_policy") {
            "" | "tracked" => StockPolicy::Tracked,
            "backorder" => StockPolicy::Backorder,
            "untracked" => StockPolicy::Untracked,
            _ => {
                self.reject_found("stock_policy", "`tracked`, `backorder` or `untracked`");
                StockPolicy::Tracked
            }
        }
    }

    fn stock(&mut self, policy: StockPolicy) -> Option<u32> {
        let text = self.text("stock");
        if text.is_empty() {
            return None;
        }
        if policy != StockPolicy::Tracked {
            self.reject_found("stock", "nothing, for only `tracked` units are counted");
            return None;
        }
        // `+5` parses as a number, but a count has no sign.
        let count = text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
        if count.is_none() {
            self.reject_found("stock", "a whole number from 0 to 4294967295");
        }
        count
    }

    fn active(&mut self) -> bool {
        match self.text("active") {
            "" | "true" => true,
            "false" => false,
            _ => {
                self.reject_found("active", "`true` or `false`");
                true
            }
        }
    }
}
