//! The small shop a first start opens with: invented goods, real-looking prices.

use super::{Group, GroupId, Product, import};
use crate::{
    base::{Limits, Timestamp},
    files::{Format, rows},
};

/// A product of the demo shop, with its opening stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoProduct {
    /// The product.
    pub product: Product,
    /// Its units, where they are counted.
    pub stock: Option<u32>,
}

/// In the format that `doorbuster import` reads, so that it is an example of it too.
pub const DEMO_CSV: &str = "\
sku,title,price,currency,tax_category,image_url,stock_policy,stock,active,group,categories,\
option:Color,option:Size,attribute:color,attribute:size
TEE-RED-S,\"Harbor tee, red, S\",19.90,EUR,standard,,tracked,40,true,harbor-tee,,Red,S,red,S
TEE-RED-M,\"Harbor tee, red, M\",19.90,EUR,standard,,tracked,60,true,harbor-tee,,Red,M,red,M
TEE-RED-L,\"Harbor tee, red, L\",19.90,EUR,standard,,tracked,35,true,harbor-tee,,Red,L,red,L
TEE-NAVY-M,\"Harbor tee, navy, M\",19.90,EUR,standard,,tracked,80,true,harbor-tee,,Navy,M,navy,M
HOODIE-GRAY-M,\"Lighthouse hoodie, gray, M\",54.00,EUR,standard,,tracked,25,true,,Apparel,,,gray,M
MUG-ENAMEL,Enamel mug with blue rim,12.50,EUR,standard,,tracked,120,true,,Kitchen,,,white,
MUG-TRAVEL,Travel mug with cork base,24.00,EUR,standard,,tracked,48,true,,Kitchen,,,black,
NOTEBOOK-A5,\"Dotted notebook, A5\",9.80,EUR,reduced,,tracked,200,true,,Paper,,,,A5
CANDLE-CEDAR,Cedar and salt candle,17.00,EUR,standard,,tracked,64,true,,Home,,,,
POSTER-TIDES,\"Tide table poster, printed on demand\",29.00,EUR,standard,,backorder,,true,\
,Paper|Home,,,,50x70
GIFT-CARD-25,Gift card by e-mail,25.00,EUR,zero,,untracked,,true,,Gift cards,,,,
FLASH-SNEAKER-42,\"Doorbuster sneaker, size 42\",39.00,EUR,standard,,tracked,100,true,\
doorbuster-sneaker,,White,42,white,42
FLASH-SNEAKER-43,\"Doorbuster sneaker, size 43\",39.00,EUR,standard,,tracked,0,true,\
doorbuster-sneaker,,White,43,white,43
";

/// What is said of the demo shop's groups.
pub fn demo_groups(now: Timestamp) -> Vec<Group> {
    let group = |id: &str, title: &str, description: &str, categories: &[&str]| Group {
        id: GroupId::parse(id).expect("invariant: the ids below are well formed"),
        title: title.to_owned(),
        description: Some(description.to_owned()),
        image_url: None,
        categories: categories.iter().map(|one| (*one).to_owned()).collect(),
        updated_at: now,
    };
    vec![
        group(
            "doorbuster-sneaker",
            "Doorbuster sneaker",
            "White canvas, made for running through doors.",
            &["Footwear"],
        ),
        group(
            "harbor-tee",
            "Harbor tee",
            "Heavy cotton with a small anchor on the chest.",
            &["Apparel", "Apparel > Shirts"],
        ),
    ]
}

/// The demo shop's products with their opening stock.
pub fn demo(now: Timestamp) -> Vec<DemoProduct> {
    const READS: &str = "invariant: the text above reads, as a test shows";
    let rows = rows(Format::Csv, DEMO_CSV, &import::PRODUCTS).expect(READS);
    let product = |row| {
        let row = import::read(row, &Limits::default()).expect(READS);
        DemoProduct { product: row.patch.over(None, now).expect(READS), stock: row.stock }
    };
    rows.iter().map(product).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::StockPolicy;

    #[test]
    fn the_demo_shop_opens_with_something_of_every_kind() {
        let rows = demo(Timestamp::from_micros(0));
        assert_eq!(rows.len(), 13);
        assert!(rows.iter().all(|row| row.product.price.currency().code() == "EUR"));
        for policy in [StockPolicy::Tracked, StockPolicy::Backorder, StockPolicy::Untracked] {
            assert!(rows.iter().any(|row| row.product.stock_policy == policy), "{policy:?}");
        }
        for group in demo_groups(Timestamp::from_micros(0)) {
            let has = |row: &DemoProduct| row.product.group.as_ref() == Some(&group.id);
            assert!(rows.iter().filter(|row| has(row)).count() > 1, "{}", group.id);
        }
        let flash = rows.iter().find(|row| row.product.sku.as_str() == "FLASH-SNEAKER-42");
        assert_eq!(flash.and_then(|row| row.stock), Some(100));
    }
}
