//! What platforms ask of the catalogue.

use crate::{
    base::{Currency, Limits},
    catalog::{
        Choice, Search,
        listing::PriceRange,
        search::Place,
        texts::{CATEGORY_BYTES_MAX, OPTIONS_MAX},
    },
    http::{kinds::Kind, problem::Problem, reading::At},
};

/// Products on a page when nothing is said; the protocol's own default.
const LIMIT_DEFAULT: u32 = 10;

/// Products on a page: each comes with its variants and their stock.
const LIMIT_MAX: u32 = 50;

/// Ids in one look-up.
const IDS_MAX: usize = 100;

/// Categories in one filter.
const CATEGORIES_MAX: usize = 20;

/// What has to hold of what is shown.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Any of these categories.
    pub categories: Vec<String>,
    /// A price in this range.
    pub price: Option<PriceRange>,
    /// The currency that prices are wanted in, and the range is in.
    pub currency: Option<Currency>,
    /// Filters that mean nothing here.
    pub ignored: Vec<String>,
}

/// A search.
#[derive(Debug)]
pub struct AskedSearch {
    /// What for.
    pub search: Search,
    /// From where on.
    pub place: Place,
    /// How many.
    pub limit: u32,
    /// Filters that mean nothing here.
    pub ignored: Vec<String>,
}

impl AskedSearch {
    /// What has to hold of each product's variants.
    pub fn wanted(&self) -> Wanted {
        let Search { price, currency, .. } = self.search;
        Wanted { price, currency, ..Wanted::default() }
    }
}

/// A look-up.
#[derive(Debug)]
pub struct Lookup {
    /// Ids of products and variants, each once.
    pub ids: Vec<String>,
    /// What has to hold.
    pub wanted: Wanted,
}

/// A look at one product.
#[derive(Debug)]
pub struct AskedProduct {
    /// The id of a product or a variant.
    pub id: String,
    /// What was chosen so far.
    pub selected: Vec<Choice>,
    /// Names of options, those that matter most first.
    pub preferences: Vec<String>,
    /// What has to hold.
    pub wanted: Wanted,
}

/// Reads a search.
pub fn search(body: &At<'_>, limits: &Limits) -> Result<AskedSearch, Problem> {
    let wanted = wanted(body, limits)?;
    let text = body.text_in("query", limits.text_bytes)?;
    let text = text.filter(|text| !text.trim().is_empty());
    if text.is_none() && body.find("filters").is_none() {
        let problem = Problem::new(Kind::Invalid, "Nothing is searched for.").at("/query");
        return Err(problem.suggest("Send a `query`, `filters`, or both; `{}` filters nothing."));
    }
    let pagination = body.find("pagination");
    let (mut place, mut limit) = (Place::default(), LIMIT_DEFAULT);
    if let Some(pagination) = &pagination {
        let pagination = pagination.object()?;
        if let Some(cursor) = pagination.find("cursor") {
            place = cursor.text(limits.text_bytes)?.parse().map_err(|_| {
                cursor
                    .problem(Kind::Invalid, "The cursor is none of ours.".to_owned())
                    .suggest("Send the cursor of the page before as it came, or none to start.")
            })?;
        }
        if let Some(wanted) = pagination.find("limit") {
            let number = wanted.integer()?;
            if number < 1 {
                let text = "A page has at least 1 product.".to_owned();
                return Err(wanted.problem(Kind::Invalid, text));
            }
            limit = u32::try_from(number).unwrap_or(u32::MAX);
        }
    }
    let Wanted { categories, price, currency, ignored } = wanted;
    let search = Search { text, categories, price, currency, all: false };
    Ok(AskedSearch { search, place, limit: limit.min(LIMIT_MAX).min(limits.page_size), ignored })
}

/// Reads a look-up.
pub fn lookup(body: &At<'_>, limits: &Limits) -> Result<Lookup, Problem> {
    let list = body.get("ids")?;
    if let Some(count) = list.value().as_array().map(Vec::len).filter(|count| *count > IDS_MAX) {
        let text = format!("One request looks up at most {IDS_MAX} ids; {count} stand here.");
        return Err(list.problem(Kind::BatchTooLarge, text).limit(IDS_MAX as u64));
    }
    let mut ids: Vec<String> = Vec::new();
    for id in list.items(IDS_MAX)? {
        let id = id.text(limits.text_bytes)?;
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    if ids.is_empty() {
        return Err(list.problem(Kind::Invalid, "Name at least one id.".to_owned()));
    }
    Ok(Lookup { ids, wanted: wanted(body, limits)? })
}

/// Reads a look at one product.
pub fn product(body: &At<'_>, limits: &Limits) -> Result<AskedProduct, Problem> {
    let id = body.get("id")?.text(limits.text_bytes)?.to_owned();
    let mut selected: Vec<Choice> = Vec::new();
    if let Some(list) = body.find("selected") {
        for choice in list.items(OPTIONS_MAX)? {
            let text = |name| choice.get(name)?.text(CATEGORY_BYTES_MAX).map(str::to_owned);
            let (name, value) = (text("name")?, text("label")?);
            if selected.iter().any(|known| known.name.eq_ignore_ascii_case(&name)) {
                let text = format!("The option `{name}` stands here twice.");
                return Err(choice.problem(Kind::Invalid, text));
            }
            selected.push(Choice { name, value });
        }
    }
    let preferences = match body.find("preferences") {
        Some(list) => list
            .items(OPTIONS_MAX)?
            .map(|name| name.text(CATEGORY_BYTES_MAX).map(str::to_owned))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(AskedProduct { id, selected, preferences, wanted: wanted(body, limits)? })
}

fn wanted(body: &At<'_>, limits: &Limits) -> Result<Wanted, Problem> {
    let mut wanted = Wanted { currency: currency(body)?, ..Wanted::default() };
    let Some(filters) = body.find("filters") else { return Ok(wanted) };
    let filters = filters.object()?;
    if let Some(list) = filters.find("categories") {
        let text = |one: At<'_>| one.text(limits.text_bytes).map(str::to_owned);
        wanted.categories = list.items(CATEGORIES_MAX)?.map(text).collect::<Result<_, _>>()?;
    }
    if let Some(price) = filters.find("price") {
        let price = price.object()?;
        let amount = |name: &'static str| {
            let Some(field) = price.find(name) else { return Ok(None) };
            let amount = field.integer()?;
            if amount >= 0 { Ok(Some(amount)) } else { Err(negative(&field)) }
        };
        let (min, max) = (amount("min")?, amount("max")?);
        if min.is_some() || max.is_some() {
            let (min, max) = (min.unwrap_or(0), max.unwrap_or(i64::MAX));
            wanted.price = Some(PriceRange { min, max });
        }
    }
    let known = ["categories", "price"];
    let names = filters.value().as_object().into_iter().flat_map(serde_json::Map::keys);
    let ignored = names.filter(|name| !known.contains(&name.as_str()));
    wanted.ignored = ignored.take(CATEGORIES_MAX).cloned().collect();
    Ok(wanted)
}

fn negative(at: &At<'_>) -> Problem {
    at.problem(Kind::Invalid, "An amount is 0 or more minor units.".to_owned())
}

/// `context.currency` is a hint: one we do not know is none.
pub fn currency(body: &At<'_>) -> Result<Option<Currency>, Problem> {
    let Some(context) = body.find("context") else { return Ok(None) };
    let named = context.object()?.text_in("currency", 16)?;
    Ok(named.and_then(|code| code.parse().ok()))
}
