//! `/v1/products`, `/v1/stock`, and the tariff.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{
    fields::{Field, flag, list, may, needs, object, of, one_of, said, text, whole, words},
    operation::{Operation, delete, get, post, put},
};
use crate::{
    base::Timestamp,
    catalog::{Group, Product, price_list::PriceList},
    http::{
        kinds::Kind,
        v1::{
            movements::{Bulk, MovementView},
            product_removal::References,
            stock::StockView,
        },
    },
    ledger::store::MovementRow,
    pricing::{Discount, PickupLocation, ShippingRate, TaxRate},
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![
        list_products(),
        get("get_product", "/v1/products/{sku}", "Shows a product")
            .answers::<Product>(200, "The product."),
        get("get_references", "/v1/products/{sku}/references", "Tells what refers to a product")
            .answers::<References>(200, "Orders, stock, discounts and price lists."),
        remove_product(),
        save_product(),
        save_products(),
        get("list_stock", "/v1/stock", "Lists stock by SKU").paged::<StockView>(),
        get("get_stock", "/v1/stock/{sku}", "Shows one SKU's stock")
            .answers::<StockView>(200, "Its units."),
        get("list_movements", "/v1/stock/{sku}/movements", "Lists a SKU's movements, newest first")
            .paged::<MovementRow>(),
        move_stock(),
    ];
    all.extend(groups());
    all.extend(price_lists());
    all.extend(files());
    all.extend(tariff::<Discount>("discounts", "discount", discount()));
    all.extend(tariff::<ShippingRate>("shipping-rates", "shipping_rate", rate()));
    all.extend(tariff::<PickupLocation>("pickup-locations", "pickup_location", place()));
    all.extend(tariff::<TaxRate>("tax-rates", "tax_rate", tax()));
    all
}

/// The fields of a product, but for its SKU.
fn product() -> [Field; 12] {
    let price =
        object([needs("minor", whole(0, "In minor units.")), needs("currency", text("ISO 4217."))]);
    let names = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let policies = ["tracked", "backorder", "untracked"];
    [
        needs("title", text("Its name for people.")),
        needs("price", said("What one unit costs.", price)),
        may("tax_category", text("Which tax rule applies; `standard` unless said.")),
        may("image_url", text("Address of a picture.")),
        may("attributes", said("Color, size and whatever else sets it apart.", names)),
        may("stock_policy", one_of(policies, "How its units are counted.")),
        may(
            "max_per_order",
            whole(1, "Units that one order may have; a line with more is cut, and says so."),
        ),
        may("active", flag("Whether it may be bought now.")),
        may("group", text("The group it is a variant of.")),
        may("options", list(choice(), "Which variant it is, in the order of choosing.")),
        may("description", text("What it is, in some sentences.")),
        may("categories", list(text("A category."), "Where a shop has it.")),
    ]
}

fn choice() -> Value {
    object([needs("name", words("What can be chosen.")), needs("value", words("What this is."))])
}

fn list_products() -> Operation {
    let minor = || json!({ "type": "integer", "minimum": 0 });
    get("list_products", "/v1/products", "Lists products by SKU, or finds them")
        .query("q", text(""), "Words to look for.")
        .query("category", text(""), "Only what stands there.")
        .query("min_minor", minor(), "Only from this price on; say the `currency` too.")
        .query("max_minor", minor(), "Only up to this price; say the `currency` too.")
        .query("currency", text(""), "The currency of the prices.")
        .query("archived", flag(""), "Only what was removed while orders name it.")
        .paged::<Product>()
}

fn groups() -> Vec<Operation> {
    let (all, one) = ("/v1/product-groups", "/v1/product-groups/{id}");
    let removed = object([needs("removed", text("Its name."))]);
    vec![
        get("list_product_groups", all, "Lists groups of variants").paged::<Group>(),
        get("get_product_group", one, "Shows what is said of a group")
            .answers::<Group>(200, "The group.")
            .or(&[Kind::Invalid]),
        put("save_product_group", one, "Describes a group")
            .takes(
                [
                    needs("title", words("Its name for people.")),
                    may("description", text("What it is, in some sentences.")),
                    may("image_url", text("Address of a picture.")),
                    may("categories", list(text("A category."), "Where a shop has it.")),
                ],
                json!({ "title": "Harbor tee", "description": "Heavy cotton." }),
            )
            .answers::<Group>(200, "The group."),
        delete("remove_product_group", one, "Forgets what was said of a group").answers_schema(
            200,
            "It is forgotten; its products stay together.",
            removed,
        ),
    ]
}

fn price_lists() -> Vec<Operation> {
    let (all, one) = ("/v1/price-lists", "/v1/price-lists/{currency}");
    let listed = object([needs("items", list(of::<PriceList>(), "The lists, by currency."))]);
    let price = || [needs("sku", words("Of what.")), needs("minor", whole(0, "In minor units."))];
    let saved = object([needs("saved", whole(0, "How many."))]);
    let removed = object([needs("removed", text("Its SKU."))]);
    let minor = needs("minor", whole(0, "What one unit costs, in minor units of the list."));
    let named = object(price().into_iter().chain([needs("currency", text("The list."))]));
    vec![
        get("list_price_lists", all, "Lists the price lists").answers_schema(
            200,
            "One for each further currency.",
            listed,
        ),
        get("list_prices", one, "Lists the prices of a list by SKU").paged::<Price>(),
        put("save_price", "/v1/price-lists/{currency}/{sku}", "Puts a price on a list")
            .takes([minor], json!({ "minor": 2190 }))
            .answers_schema(200, "The price.", named),
        post("save_prices", "/v1/price-lists/{currency}/bulk", "Puts many prices on a list")
            .says("All of them, or none.")
            .takes(
                [needs("prices", list(object(price()), "The prices."))],
                json!({ "prices": [{ "sku": "TEE-RED-M", "minor": 2190 }] }),
            )
            .answers_schema(200, "They are saved.", saved)
            .or(&[Kind::NotFound]),
        delete("remove_price", "/v1/price-lists/{currency}/{sku}", "Takes a price off a list")
            .answers_schema(200, "It is gone, or was not there.", removed),
    ]
}

/// A price of a list.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Price {
    sku: String,
    minor: i64,
}

fn files() -> Vec<Operation> {
    let format = || json!({ "type": "string", "enum": ["csv", "jsonl"], "default": "csv" });
    let done = object(
        [
            needs("read", whole(0, "Rows of the file.")),
            needs("saved", whole(0, "Rows that count now.")),
            may("stock_set", whole(0, "Counts that were recorded.")),
            may("refused", list(json!({ "type": "object" }), "Rows that were not, and why.")),
        ]
        .into_iter()
        .chain(changes()),
    );
    vec![
        get("export_file", "/v1/exports/{kind}", "Gives everything of a kind, as a file")
            .query("format", format(), "How it is written.")
            .answers_other("text/csv", "The file; JSON lines when asked for."),
        post("import_file", "/v1/imports/{kind}", "Takes a file in, all of it or nothing")
            .says(
                "A column that the file does not have leaves what it is about as it is, an empty \
                 cell clears it; of JSON lines, a member that is not there and `null`. The answer, \
                 also of a dry run, tells what is created, changed (and in which fields) and left \
                 as it was.",
            )
            .query("format", format(), "How it is written.")
            .query("dry_run", flag("Whether it is only looked at."), "Saves nothing.")
            .takes_file("text/csv", "currency,sku,price\nUSD,TEE-RED-M,21.90\n")
            .answers_schema(200, "What was done.", done)
            .or(&[Kind::NotFound]),
    ]
}

/// What became of many things.
fn changes() -> [Field; 6] {
    let change = object([
        needs("name", words("Which.")),
        needs("change", one_of(["created", "changed"], "What became of it.")),
        may("fields", list(words("A field."), "What is another.")),
    ]);
    [
        needs("created", whole(0, "Things that were not there.")),
        needs("changed", whole(0, "Things that are others.")),
        needs("unchanged", whole(0, "Things that were so already.")),
        needs("changes", list(change, "The first of what is created or changed.")),
        needs("changes_left_out", whole(0, "How many more there are.")),
        may("warnings", list(words("What can do nothing, or is easily mistaken."), "Warnings.")),
    ]
}

fn save_product() -> Operation {
    put("save_product", "/v1/products/{sku}", "Inserts or replaces a product")
        .takes(
            product(),
            json!({ "title": "Harbor tee, red, M", "price": { "minor": 1990, "currency": "EUR" },
                    "tax_category": "standard", "stock_policy": "tracked", "active": true,
                    "attributes": { "color": "red", "size": "M" } }),
        )
        .answers::<Product>(200, "The product.")
}

fn remove_product() -> Operation {
    let removed = object([
        needs("removed", words("Its code.")),
        needs("archived", flag("Whether it is kept for the orders that name it.")),
        needs("references", of::<References>()),
    ]);
    delete("remove_product", "/v1/products/{sku}", "Removes a product")
        .says(
            "One that orders name, or that checkouts hold, is archived: it is neither sold nor \
             listed, and `GET /v1/products?archived=true` shows it. Putting it, or an import that \
             makes it active, brings it back. Any other is deleted, with its prices in other \
             currencies. Stock and discounts stay as they are.",
        )
        .answers_schema(200, "It is gone, or was not there, and what refers to it.", removed)
}

fn save_products() -> Operation {
    // What a new product needs, one that is there may leave as it is.
    let fields = product().into_iter().map(Field::optional);
    let one = object([needs("sku", words("Its code."))].into_iter().chain(fields));
    let saved = object([needs("saved", whole(0, "How many."))].into_iter().chain(changes()));
    post("save_products", "/v1/products/bulk", "Makes or changes many products, all or none")
        .says(
            "A field that is not mentioned stays as it is, `null` clears it; a new product needs \
             `title` and `price`. To replace a product whole, put it.",
        )
        .takes(
            [needs("products", list(one, "The products."))],
            json!({ "products": [{ "sku": "MUG-BLUE", "title": "Blue mug",
                                   "price": { "minor": 1250, "currency": "EUR" } }] }),
        )
        .answers_schema(200, "They are saved.", saved)
}

/// The fields of a movement.
fn movement() -> [Field; 4] {
    let kinds = ["receive", "write_off", "count"];
    [
        needs("sku", words("Of what.")),
        needs("kind", one_of(kinds, "Units come in, go out, or are counted anew.")),
        needs("quantity", whole(0, "How many; none only when counted.")),
        needs("reason", words("Why, for the books.")),
    ]
}

fn move_stock() -> Operation {
    let many = list(object(movement()), "Many movements; each stands for itself.");
    let one = object(movement());
    let several = object([needs("movements", many)]);
    post("move_stock", "/v1/stock/movements", "Receives, writes off or counts stock")
        .says("One movement, or many under `movements`; of many each is made or refused alone.")
        .takes_schema(
            json!({ "type": "object", "anyOf": [one, several] }),
            json!({ "sku": "TEE-RED-M", "kind": "receive", "quantity": 5, "reason": "delivery" }),
        )
        .answers::<MovementView<'_>>(201, "The movement, when one was sent.")
        .answers::<Bulk<'_>>(200, "What became of each, when many were sent.")
        .or(&[Kind::StockPromised])
}

/// An item of the tariff as it is kept: what was sent, and so without what was not.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is the schema of what `tariff.rs` writes from a document")]
struct Kept<T> {
    #[schemars(flatten)]
    item: T,
    /// Grows with each change of the tariff.
    version: u64,
    /// When it changed last.
    updated_at: Timestamp,
    /// Uses of a discount that nobody holds or has had; only where they are limited.
    uses_left: Option<i64>,
    /// What of it can do nothing, as things stand: told when it is saved.
    warnings: Option<Vec<String>>,
}

/// All items of a kind.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "as above")]
struct All<T> {
    items: Vec<Kept<T>>,
}

/// List, look at, save and remove one kind of item.
fn tariff<T: JsonSchema>(kind: &str, one: &str, example: Value) -> Vec<Operation> {
    let (path, words) = (format!("/v1/{kind}"), one.replace('_', " "));
    let item = format!("{path}/{{id}}");
    let many = kind.replace('-', "_");
    let mut schema = of::<T>();
    if let Some(needed) = schema["required"].as_array_mut() {
        // The address says it.
        needed.retain(|name| name != "id");
    }
    let removed = object([needs("removed", text("Its name."))]);
    vec![
        get(format!("list_{many}"), path, format!("Lists every {words}")).answers_schema(
            200,
            "All of them.",
            of::<All<T>>(),
        ),
        get(format!("get_{one}"), item.clone(), format!("Shows a {words}")).answers_schema(
            200,
            "It.",
            of::<Kept<T>>(),
        ),
        put(format!("save_{one}"), item.clone(), format!("Keeps a {words}"))
            .says(
                "New, or in the place of the one with this id. It counts at once. What has ended \
                 or can never match is kept, and answered with `warnings`.",
            )
            .takes_schema(schema, example)
            .answers_schema(200, "It, as it is kept.", of::<Kept<T>>()),
        delete(format!("remove_{one}"), item, format!("Removes a {words}")).answers_schema(
            200,
            "It is gone, or was not there.",
            removed,
        ),
    ]
}

fn discount() -> Value {
    json!({ "title": "Welcome: 10% off", "code": "WELCOME10", "usage_limit": 1000,
            "benefit": { "kind": "percent", "basis_points": 1000 } })
}

fn rate() -> Value {
    json!({ "title": "Standard shipping", "service": "standard", "carrier": "Demo Post",
            "amount_minor": 490, "currency": "EUR", "min_days": 2, "max_days": 4 })
}

fn place() -> Value {
    json!({ "title": "Demo shop Berlin", "address": {
        "street_address": "1 Demo Street", "address_locality": "Berlin",
        "postal_code": "10115", "address_country": "DE" } })
}

fn tax() -> Value {
    json!({ "title": "VAT 19%", "countries": ["DE"], "basis_points": 1900, "inclusive": true })
}
