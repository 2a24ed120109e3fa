//! Product files of other shops, as `doorbuster import --from` takes them, out again as ours.

use doorbuster::{
    commands::{
        export::{self, Export},
        import::{self, Import},
    },
    config::{Config, Storage},
    exchange::{Format, Kind, profiles::Vendor},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A shop on a database of its own.
struct Stand {
    config: Config,
    _folder: tempfile::TempDir,
}

impl Stand {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage { data: folder.path().join("data"), ..Storage::default() };
        Self { config: Config { storage, ..Config::default() }, _folder: folder }
    }

    async fn takes(&self, vendor: Vendor, file: &Path, dry_run: bool) -> anyhow::Result<String> {
        let arguments = Import {
            file: file.to_owned(),
            kind: Kind::Products,
            format: Format::Csv,
            from: Some(vendor),
            currency: "EUR".parse().ok(),
            images: Some("https://media.example/catalog/product/".into()),
            dry_run,
        };
        let mut out = Vec::new();
        import::run(&arguments, &self.config, &mut out).await?;
        Ok(String::from_utf8(out)?)
    }

    async fn has(&self, kind: Kind) -> Vec<Value> {
        let arguments = Export { kind, format: Format::JsonLines, out: None };
        let mut out = Vec::new();
        export::run(&arguments, &self.config, &mut out).await.expect("it exports");
        let text = String::from_utf8(out).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(name)
}

fn stock(rows: &[Value]) -> Vec<(&str, i64)> {
    let one = |row: &'_ Value| row["on_hand"].as_i64();
    rows.iter().filter_map(|row| Some((row["sku"].as_str()?, one(row)?))).collect()
}

// breaks: take each row of one handle for a product of its own in `shopify::products`
#[tokio::test]
async fn a_shopify_file_becomes_groups_products_and_stock() {
    let stand = Stand::open();
    let file = fixture("shopify_products.csv");
    let tried = stand.takes(Vendor::Shopify, &file, true).await.expect("it reads");
    assert!(tried.contains("would be created 5"), "{tried}");
    assert_eq!(stand.has(Kind::Products).await, [json!(null); 0], "a dry run saves nothing");
    let told = stand.takes(Vendor::Shopify, &file, false).await.expect("it is taken in");
    for part in [
        "columns that are mapped nowhere: Variant Fulfillment Service, Variant Requires Shipping, \
         Gift Card, SEO Title, Variant Weight Unit, Cost per item",
        "further images were left out: a product of ours has one (2)",
        "stock below zero was taken as none (1)",
        "1 product-groups saved",
        "5 products saved, stock of 2 SKUs set",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(
        stand.has(Kind::ProductGroups).await,
        [json!({"id": "harbor-tee", "title": "Harbor tee",
            "description": "Heavy cotton & a small anchor.\nWashes at 40 \u{b0}C",
            "image_url": "https://cdn.shop.example/files/tee-1.jpg?v=17",
            "categories": "Apparel & Accessories > Clothing > Shirts & Tops|Shirts"})]
    );
    let products = stand.has(Kind::Products).await;
    let skus: Vec<&str> = products.iter().filter_map(|one| one["sku"].as_str()).collect();
    assert_eq!(skus, ["BECHER-1", "HT NAVY M", "HT RED M", "HT RED S", "REPAIR"]);
    assert_eq!(
        products[3],
        json!({"sku": "HT RED S", "title": "Harbor tee, Red, S", "price": "19.90",
            "currency": "EUR", "tax_category": "standard",
            "image_url": "https://cdn.shop.example/files/tee-red.jpg", "stock_policy": "tracked",
            "active": true, "group": "harbor-tee",
            "categories": "Apparel & Accessories > Clothing > Shirts & Tops|Shirts",
            "options": [{"name": "Color", "value": "Red"}, {"name": "Size", "value": "S"}],
            "attributes": {"barcode": "4006381333931", "category": "Shirts",
                "compare_at_price": "24.90", "tags": "cotton, summer", "vendor": "Quay & Sons",
                "weight_grams": "180"}})
    );
    assert_eq!(
        (&products[1]["stock_policy"], &products[1]["price"]),
        (&json!("backorder"), &json!("21.00"))
    );
    let cup = &products[0];
    assert_eq!(
        (&cup["active"], &cup["tax_category"], &cup["group"]),
        (&json!(false), &json!("zero"), &Value::Null)
    );
    assert_eq!((&cup["options"], &cup["title"]), (&Value::Null, &json!("Becher")));
    assert_eq!(
        (&products[4]["stock_policy"], &products[4]["description"]),
        (&json!("untracked"), &json!("Sent back in a week."))
    );
    assert_eq!(stock(&stand.has(Kind::Stock).await), [("BECHER-1", 8), ("HT RED S", 12)]);
    let again = stand.takes(Vendor::Shopify, &file, false).await.expect("it is taken in");
    assert!(again.contains("created 0, changed 0, unchanged 5"), "{again}");
}

// breaks: look for a parent by its SKU alone in `woocommerce::parents`
#[tokio::test]
async fn a_woocommerce_file_becomes_groups_products_and_stock() {
    let stand = Stand::open();
    let file = fixture("woocommerce_products.csv");
    let told = stand.takes(Vendor::WooCommerce, &file, false).await.expect("it is taken in");
    for part in [
        "Meta: _custom_note",
        "grouped and external products were left out: nobody stocks them (1)",
        "sales with dates were left out: make a discount of them (1)",
        "5 products saved",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(
        stand.has(Kind::ProductGroups).await[0]["description"],
        "Brushed inside.\nRuns small."
    );
    let products = stand.has(Kind::Products).await;
    let skus: Vec<&str> = products.iter().filter_map(|one| one["sku"].as_str()).collect();
    assert_eq!(skus, ["HOODIE-BLUE", "HOODIE-GRAY", "OLD", "SONG", "caf\u{e9}-1"]);
    assert_eq!(
        products[0],
        json!({"sku": "HOODIE-BLUE", "title": "Lighthouse hoodie - Blue, Yes", "price": "45.00",
            "currency": "EUR", "tax_category": "standard",
            "image_url": "https://shop.example/wp-content/uploads/hoodie-blue.jpg",
            "stock_policy": "tracked", "active": true, "group": products[1]["group"],
            "categories": "Clothing > Hoodies|Clothing",
            "options": [{"name": "Color", "value": "Blue"}, {"name": "Logo", "value": "Yes"}],
            "attributes": {"category": "Clothing > Hoodies"}})
    );
    assert_eq!(products[1]["stock_policy"], "backorder");
    assert_eq!(products[1]["image_url"], "https://shop.example/wp-content/uploads/hoodie.jpg");
    let song = &products[3];
    assert_eq!(
        (&song["price"], &song["tax_category"], &song["stock_policy"]),
        (&json!("2.00"), &json!("zero"), &json!("untracked"))
    );
    assert_eq!(
        (&products[4]["price"], &products[4]["attributes"]),
        (
            &json!("8.50"),
            &json!({"barcode": "4006381333931", "category": "Food",
            "compare_at_price": "9.9", "Roast": "dark", "tags": "beans", "weight_grams": "250"})
        )
    );
    assert_eq!(
        (&products[2]["active"], &products[2]["stock_policy"]),
        (&json!(false), &json!("tracked"))
    );
    assert_eq!(stock(&stand.has(Kind::Stock).await), [("HOODIE-BLUE", 5), ("caf\u{e9}-1", 14)]);
}

// breaks: take the rows of a store view in `magento::convert`
#[tokio::test]
async fn a_magento_file_becomes_groups_products_and_stock() {
    let stand = Stand::open();
    let file = fixture("magento_products.csv");
    let told = stand.takes(Vendor::Magento, &file, false).await.expect("it is taken in");
    for part in [
        "rows of a store view were left out: they translate others (1)",
        "bundles and grouped products were left out: nobody stocks them (1)",
        "related_skus",
        "3 products saved",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let groups = stand.has(Kind::ProductGroups).await;
    assert_eq!(
        (&groups[0]["title"], &groups[0]["image_url"], &groups[0]["categories"]),
        (
            &json!("Radiant tee"),
            &json!("https://media.example/catalog/product/w/s/ws12.jpg"),
            &json!("Women > Tops > Tees|Collections > Eco")
        )
    );
    let products = stand.has(Kind::Products).await;
    let (bag, blue, red) = (&products[0], &products[1], &products[2]);
    assert_eq!(
        red,
        &json!({"sku": "WS12-M-Red", "title": "Radiant tee-M-Red", "price": "22.00",
            "currency": "EUR", "tax_category": "standard",
            "image_url": "https://media.example/catalog/product/w/s/ws12-red.jpg",
            "stock_policy": "tracked", "active": true, "group": groups[0]["id"],
            "categories": "Women > Tops > Tees|Collections > Eco",
            "options": [{"name": "Size", "value": "M"}, {"name": "Color", "value": "Red"}],
            "attributes": {"category": "Women > Tops > Tees", "climate": "Indoor, Mild",
                "weight": "1.000000"}})
    );
    assert_eq!(
        (&blue["price"], &blue["attributes"]["compare_at_price"]),
        (&json!("18.50"), &json!("22.000000"))
    );
    assert_eq!(blue["image_url"], "https://media.example/catalog/product/w/s/ws12.jpg");
    assert_eq!(
        (&bag["active"], &bag["tax_category"], &bag["attributes"]["material"]),
        (&json!(false), &json!("zero"), &json!("Nylon"))
    );
    assert_eq!(stock(&stand.has(Kind::Stock).await), [("24-MB01", 7), ("WS12-M-Red", 100)]);
}

// breaks: leave out the names of the vendor's columns in `profiles::convert`
#[tokio::test]
async fn what_is_wrong_is_told_by_the_vendors_own_columns_and_nothing_is_saved() {
    let stand = Stand::open();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("products.csv");
    let header = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src\r\n";
    for (rows, told) in [
        ("a,A,,,A,1.999,\r\n", "line 2, column `Variant Price`"),
        ("a,A,,,,5,\r\n", "line 2, column `Variant SKU`: expected a SKU"),
        ("a,A,,,A,5,ftp://x\r\nb,\"B\r\nb\",,,B,5,\r\n", "line 3, column `Title`"),
        ("a,A,,,A,5,\r\na,,,,A,5,\r\n", "line 3, column `Variant SKU`: expected each once"),
    ] {
        std::fs::write(&file, format!("{header}{rows}")).expect("the folder takes a file");
        let refused = stand.takes(Vendor::Shopify, &file, false).await.expect_err("it is wrong");
        assert!(refused.to_string().contains(told), "{refused} does not tell {told}");
    }
    std::fs::write(&file, "sku,title\n").expect("the folder takes a file");
    let refused = stand.takes(Vendor::Magento, &file, false).await.expect_err("another file");
    assert!(refused.to_string().contains("is the file of this shop?"), "{refused}");
    assert_eq!(stand.has(Kind::Products).await, [json!(null); 0]);
}
