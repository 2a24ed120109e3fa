//! What the replay will do: the catalogue, the buyers and the returns that the rows add up to.

use std::collections::{BTreeMap, HashMap};

use super::{
    returns::{self, Comeback, Return},
    row::{Kind, Row, Tally, Wants, sku_of},
};
use crate::base::{Sku, Timestamp};

/// Everything to be done, in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The catalogue with its opening stock.
    pub products: Vec<PlannedProduct>,
    /// Buyers.
    pub sales: Vec<Sale>,
    /// Returns that belong to at least one sale.
    pub returns: Vec<Return>,
    /// What the rows were.
    pub tally: Tally,
    /// Units of returns that belong to no sale.
    pub unmatched_units: u64,
}

/// One SKU of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedProduct {
    /// Its code.
    pub sku: Sku,
    /// Its most frequent description.
    pub title: String,
    /// Its median price in pence: most products change price over the year, a product has one.
    pub price_minor: i64,
    /// As many as are sold in all.
    pub stock: u64,
}

/// One invoice: a buyer who opens a checkout and completes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Its number in the file.
    pub invoice: String,
    /// When it was written.
    pub at: Timestamp,
    /// Who bought, when known.
    pub customer: Option<String>,
    /// What, one line per SKU.
    pub lines: Vec<SaleLine>,
}

/// One SKU of one invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaleLine {
    /// Which product of the plan.
    pub product: usize,
    /// Units of all its rows.
    pub quantity: u64,
    /// How many rows of the file it stands for.
    pub rows: u32,
}

impl Plan {
    /// Units that buyers want.
    pub fn units(&self) -> u64 {
        self.sales.iter().flat_map(|sale| &sale.lines).map(|line| line.quantity).sum()
    }
}

/// Takes rows one by one.
#[derive(Debug, Default)]
pub struct Planner {
    skus: HashMap<Sku, usize>,
    goods: Vec<Goods>,
    invoices: HashMap<String, usize>,
    sales: Vec<Sale>,
    /// Returns, with what they want back, until all sales are known.
    comebacks: Vec<Comeback>,
    tally: Tally,
}

#[derive(Debug)]
struct Goods {
    sku: Sku,
    titles: BTreeMap<String, u32>,
    prices: Vec<i64>,
    sold: u64,
}

impl Planner {
    /// Counts a row and keeps what it is good for; `None` is a row that did not read.
    pub fn add(&mut self, row: Option<Row>) {
        let Some(row) = row else { return self.tally.count(Kind::Unreadable) };
        match row.wants() {
            Wants::Nothing(kind) => self.tally.count(kind),
            Wants::Sale(pence) => match sku_of(&row.code) {
                Some(sku) => self.sell(row, sku, pence),
                None => self.tally.count(Kind::UnusableCode),
            },
            Wants::Return => match sku_of(&row.code) {
                Some(sku) => self.come_back(row, sku),
                None => self.tally.count(Kind::UnusableCode),
            },
        }
    }

    fn sell(&mut self, row: Row, sku: Sku, pence: i64) {
        self.tally.count(Kind::Sale);
        let quantity = row.quantity.unsigned_abs();
        let product = *self.skus.entry(sku).or_insert_with_key(|sku| {
            let sku = sku.clone();
            self.goods.push(Goods { sku, titles: BTreeMap::new(), prices: vec![], sold: 0 });
            self.goods.len() - 1
        });
        let goods = &mut self.goods[product];
        goods.prices.push(pence);
        goods.sold += quantity;
        *goods.titles.entry(row.description).or_default() += 1;
        let invoice = *self.invoices.entry(row.invoice).or_insert_with_key(|invoice| {
            let invoice = invoice.clone();
            self.sales.push(Sale { invoice, at: row.at, customer: None, lines: vec![] });
            self.sales.len() - 1
        });
        let sale = &mut self.sales[invoice];
        sale.at = sale.at.min(row.at);
        if sale.customer.is_none() && !row.customer.is_empty() {
            sale.customer = Some(row.customer);
        }
        match sale.lines.iter_mut().find(|line| line.product == product) {
            Some(line) => {
                line.quantity += quantity;
                line.rows += 1;
            }
            None => sale.lines.push(SaleLine { product, quantity, rows: 1 }),
        }
    }

    fn come_back(&mut self, row: Row, sku: Sku) {
        if row.customer.is_empty() {
            return self.tally.count(Kind::ReturnWithoutCustomer);
        }
        let quantity = row.quantity.unsigned_abs();
        let Row { invoice, at, customer, .. } = row;
        self.comebacks.push(Comeback { invoice, at, customer, sku, quantity });
    }

    /// The plan of all rows so far.
    pub fn plan(mut self) -> Plan {
        self.sales.sort_by_key(|sale| sale.at);
        self.comebacks.sort_by_key(|comeback| comeback.at);
        let matched = returns::matched(&self.sales, &self.skus, self.comebacks);
        for kind in &matched.kinds {
            self.tally.count(*kind);
        }
        Plan {
            products: self.goods.into_iter().map(Goods::product).collect(),
            sales: self.sales,
            returns: matched.returns,
            tally: self.tally,
            unmatched_units: matched.unmatched_units,
        }
    }
}

impl Goods {
    fn product(mut self) -> PlannedProduct {
        self.prices.sort_unstable();
        // The lower of two middles: a price somebody really paid.
        let price_minor = self.prices[(self.prices.len() - 1) / 2];
        let most_frequent = |a: &(String, u32), b: &(String, u32)| a.1.cmp(&b.1);
        // Of equally frequent titles the first by alphabet.
        let title = self.titles.into_iter().rev().max_by(most_frequent);
        let title = title.map_or_else(String::new, |(title, _)| title);
        PlannedProduct { sku: self.sku, title, price_minor, stock: self.sold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_row() -> impl Strategy<Value = Option<Row>> {
        let invoice = prop_oneof![
            (1..6_u8).prop_map(|n| n.to_string()),
            (1..6_u8).prop_map(|n| format!("C{n}")),
            Just("A1".to_owned()),
        ];
        let code =
            prop::sample::select(vec!["MUG", "mug", "TEE", "POST", "M", "B", "gift box", ""]);
        let description = prop::sample::select(vec!["", "MUG", "BIG MUG"]);
        let customer = prop::sample::select(vec!["", "1", "2"]);
        let row = (invoice, code, description, -9..9_i64, 0..50_i64, -1..400_i64, customer)
            .prop_map(|(invoice, code, description, quantity, at, price_mills, customer)| Row {
                invoice,
                code: code.into(),
                description: description.into(),
                quantity,
                at: Timestamp::from_micros(at),
                price_mills,
                customer: customer.into(),
            });
        prop::option::weighted(0.95, row)
    }

    fn plan_of(rows: &[Option<Row>]) -> Plan {
        let mut planner = Planner::default();
        for row in rows {
            planner.add(row.clone());
        }
        planner.plan()
    }

    proptest! {
        #[test]
        fn every_row_is_counted_once_and_no_unit_is_lost(
            rows in prop::collection::vec(any_row(), 0..60),
        ) {
            let plan = plan_of(&rows);
            prop_assert_eq!(plan.tally.rows(), rows.len() as u64);
            let sold_rows: u64 =
                plan.sales.iter().flat_map(|sale| &sale.lines).map(|l| u64::from(l.rows)).sum();
            prop_assert_eq!(sold_rows, plan.tally.of(Kind::Sale));
            let stock: u64 = plan.products.iter().map(|product| product.stock).sum();
            prop_assert_eq!(stock, plan.units());
            // What came back is what was matched and what was not.
            let wanted_back: u64 = rows.iter().flatten()
                .filter(|row| row.wants() == Wants::Return && sku_of(&row.code).is_some())
                .filter(|row| !row.customer.is_empty())
                .map(|row| row.quantity.unsigned_abs()).sum();
            let back: u64 =
                plan.returns.iter().flat_map(|r| &r.parts).map(|part| part.quantity).sum();
            prop_assert_eq!(back + plan.unmatched_units, wanted_back);
        }

        #[test]
        fn nothing_comes_back_that_was_not_sold_to_the_same_customer_before(
            rows in prop::collection::vec(any_row(), 0..60),
        ) {
            let plan = plan_of(&rows);
            let mut left: Vec<Vec<u64>> = plan.sales.iter()
                .map(|sale| sale.lines.iter().map(|line| line.quantity).collect()).collect();
            for back in &plan.returns {
                prop_assert!(!back.parts.is_empty());
                for part in &back.parts {
                    let sale = &plan.sales[part.sale];
                    prop_assert_eq!(sale.customer.as_ref(), Some(&back.customer));
                    prop_assert!(sale.at <= back.at);
                    let sku = &plan.products[sale.lines[part.line].product].sku;
                    prop_assert_eq!(sku, &back.sku);
                    let units = &mut left[part.sale][part.line];
                    prop_assert!(part.quantity > 0 && part.quantity <= *units);
                    *units -= part.quantity;
                }
            }
            prop_assert!(plan.sales.is_sorted_by_key(|sale| sale.at));
            prop_assert!(plan.returns.is_sorted_by_key(|back| back.at));
        }
    }

    #[test]
    fn a_product_has_its_median_price_and_its_usual_name() {
        let row = |pence: i64, description: &str| {
            Some(Row {
                invoice: "1".into(),
                code: "MUG".into(),
                description: description.into(),
                quantity: 2,
                at: Timestamp::from_micros(0),
                price_mills: pence * 10,
                customer: String::new(),
            })
        };
        let plan = plan_of(&[row(900, "B"), row(100, "A"), row(300, "A"), row(200, "B")]);
        let [mug] = plan.products.as_slice() else { panic!("one product: {plan:?}") };
        assert_eq!((mug.price_minor, mug.title.as_str(), mug.stock), (200, "A", 8));
        assert_eq!(plan.sales[0].lines, [SaleLine { product: 0, quantity: 8, rows: 4 }]);
    }
}
