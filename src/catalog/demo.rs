//! The small shop a first start opens with: invented goods, real-looking prices.

use super::import::{ImportRow, parse_csv};
use crate::base::{Limits, Timestamp};

/// In the format that `doorbuster import` reads, so that it is an example of it too.
pub const DEMO_CSV: &str = "\
sku,title,price,currency,tax_category,image_url,stock_policy,stock,active,\
attribute:color,attribute:size
TEE-RED-S,\"Harbor tee, red, S\",19.90,EUR,standard,,tracked,40,true,red,S
TEE-RED-M,\"Harbor tee, red, M\",19.90,EUR,standard,,tracked,60,true,red,M
TEE-RED-L,\"Harbor tee, red, L\",19.90,EUR,standard,,tracked,35,true,red,L
TEE-NAVY-M,\"Harbor tee, navy, M\",19.90,EUR,standard,,tracked,80,true,navy,M
HOODIE-GRAY-M,\"Lighthouse hoodie, gray, M\",54.00,EUR,standard,,tracked,25,true,gray,M
MUG-ENAMEL,Enamel mug with blue rim,12.50,EUR,standard,,tracked,120,true,white,
MUG-TRAVEL,Travel mug with cork base,24.00,EUR,standard,,tracked,48,true,black,
NOTEBOOK-A5,\"Dotted notebook, A5\",9.80,EUR,reduced,,tracked,200,true,,A5
CANDLE-CEDAR,Cedar and salt candle,17.00,EUR,standard,,tracked,64,true,,
POSTER-TIDES,\"Tide table poster, printed on demand\",29.00,EUR,standard,,backorder,,true,,50x70
GIFT-CARD-25,Gift card by e-mail,25.00,EUR,zero,,untracked,,true,,
FLASH-SNEAKER-42,\"Doorbuster sneaker, size 42\",39.00,EUR,standard,,tracked,100,true,white,42
";

/// The demo shop's products with their opening stock.
pub fn demo(now: Timestamp) -> Vec<ImportRow> {
    parse_csv(DEMO_CSV.as_bytes(), &Limits::default(), now)
        .expect("invariant: the text above reads, as a test shows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::StockPolicy;

    #[test]
    fn the_demo_shop_opens_with_something_of_every_kind() {
        let rows = demo(Timestamp::from_micros(0));
        assert_eq!(rows.len(), 12);
        assert!(rows.iter().all(|row| row.product.price.currency().code() == "EUR"));
        for policy in [StockPolicy::Tracked, StockPolicy::Backorder, StockPolicy::Untracked] {
            assert!(rows.iter().any(|row| row.product.stock_policy == policy), "{policy:?}");
        }
        let flash = rows.iter().find(|row| row.product.sku.as_str() == "FLASH-SNEAKER-42");
        assert_eq!(flash.and_then(|row| row.stock), Some(100));
    }
}
