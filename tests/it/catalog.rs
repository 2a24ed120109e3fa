//! The catalogue and its import, on both databases.

use doorbuster::{
    base::{Clock, Limits},
    catalog::{
        Catalog, Change, GroupId, ImportRow, Product, ProductPatch, Search, demo, import,
        listing::PriceRange, patch::Amount, search::Place,
    },
    commands::import::{Applied, apply},
    files::{Format, Given, rows as file_rows},
    ledger::{Writer, entry::MoveKind},
};
use std::sync::Arc;

use crate::support::bench::{Bench, sku, write};

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::postgres().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::sqlite().await).await;
            })+
        }
    };
}

on_both!(
    products_are_found_as_they_were_saved,
    pages_follow_one_another_without_a_gap,
    one_bad_product_keeps_all_out,
    what_has_the_words_is_found_those_with_them_in_the_title_first,
    a_group_is_found_by_what_its_variants_say_whoever_comes_first,
    an_import_sets_the_counted_stock_and_may_be_repeated,
    an_import_takes_no_unit_that_is_promised,
    changes_of_different_fields_at_once_all_count,
);

/// Ids that a search finds, over all its pages.
async fn finds(catalog: &Catalog, search: &Search) -> Vec<String> {
    let (mut place, mut ids) = (Place::default(), Vec::new());
    loop {
        let page = catalog.search(search, place, 2).await.expect("it finds");
        assert!(page.ids.len() <= 2, "{page:?}");
        ids.extend(page.ids);
        let Some(next) = page.next else { return ids };
        place = next.to_string().parse().expect("a place");
    }
}

async fn finds_words(catalog: &Catalog, words: &str) -> Vec<String> {
    finds(catalog, &Search { text: Some(words.to_owned()), ..Search::default() }).await
}

async fn what_has_the_words_is_found_those_with_them_in_the_title_first(bench: Bench) {
    let catalog = Catalog::new(bench.database.clone());
    let mut products = demo_products(&bench);
    products[4].active = false;
    products[8].title = "Cr\u{e8}me br\u{fb}l\u{e9}e candle".into();
    products[9].description = Some("Goes well beside a MUG.".into());
    catalog.save(&products).await.expect("it saves");
    catalog
        .save_groups(&doorbuster::catalog::demo::demo_groups(bench.now()))
        .await
        .expect("it saves");
    for (words, expected) in [
        ("mug", &["MUG-ENAMEL", "MUG-TRAVEL", "POSTER-TIDES"][..]),
        ("TRAV mugs", &[]),
        ("trav MUG", &["MUG-TRAVEL"]),
        ("creme brulee", &["CANDLE-CEDAR"]),
        ("Cr\u{c8}ME", &["CANDLE-CEDAR"]),
        ("harbor-tee navy", &["harbor-tee"]),
        ("anchor", &["harbor-tee"]),
        ("hoodie", &[]),
        ("m", &["harbor-tee"]),
        ("50x70", &["POSTER-TIDES"]),
        ("'; -- \"\\ ) :* & |", &[]),
        ("tide & (table)", &["POSTER-TIDES"]),
    ] {
        assert_eq!(finds_words(&catalog, words).await, expected, "{words}");
    }
    let of = |names: &[&str]| Search {
        categories: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Search::default()
    };
    let homely = ["MUG-ENAMEL", "MUG-TRAVEL", "CANDLE-CEDAR", "POSTER-TIDES"];
    let mut found = finds(&catalog, &of(&["Home", "Kitchen"])).await;
    assert_eq!(found.len(), 4);
    found.sort();
    assert!(homely.iter().all(|id| found.contains(&(*id).to_owned())), "{found:?}");
    assert_eq!(finds(&catalog, &of(&["Apparel"])).await, ["harbor-tee"]);
    let all = Search { all: true, ..of(&["Apparel"]) };
    assert_eq!(finds(&catalog, &all).await.len(), 2, "the hoodie is not for sale");
    let range = Some(PriceRange { min: 2_400, max: 2_900 });
    let priced = Search { price: range, text: Some("mug".into()), ..Search::default() };
    assert_eq!(finds(&catalog, &priced).await, ["MUG-TRAVEL", "POSTER-TIDES"]);
    let yen = Search { currency: "JPY".parse().ok(), ..priced };
    assert_eq!(finds(&catalog, &yen).await, [""; 0]);
}

/// Each variant of a group is saved by a task of its own: none is lost to the index.
async fn a_group_is_found_by_what_its_variants_say_whoever_comes_first(bench: Bench) {
    let catalog = Catalog::new(bench.database.clone());
    let products: Vec<Product> = (0..8)
        .map(|number| {
            let price = demo_products(&bench)[0].price;
            let title = format!("Chair word{number}");
            let sku = sku(&format!("CHAIR-{number}"));
            let mut product = Product::new(sku, title, price, bench.now());
            product.group = GroupId::parse("chair").ok();
            product
        })
        .collect();
    let saves = products.iter().map(|product| catalog.save(std::slice::from_ref(product)));
    for saved in futures_util::future::join_all(saves).await {
        saved.expect("it saves");
    }
    for number in 0..8 {
        assert_eq!(finds_words(&catalog, &format!("word{number}")).await, ["chair"], "{number}");
    }
    let listings = catalog.listings(&["chair".to_owned()], 5).await.expect("it reads");
    assert_eq!(listings[0].variants.len(), 5, "no more than asked for");
}

fn demo_products(bench: &Bench) -> Vec<Product> {
    demo(bench.now()).into_iter().map(|row| row.product).collect()
}

async fn products_are_found_as_they_were_saved(bench: Bench) {
    let catalog = Catalog::new(bench.database.clone());
    let mut products = demo_products(&bench);
    catalog.save(&products).await.expect("it saves");
    products[0].title = "Harbor tee, \u{201c}red\u{201d}, S".into();
    products[1].image_url = Some("https://shop.example/tee.png".into());
    products[2].active = false;
    catalog.save(&products).await.expect("it replaces");
    let mut skus: Vec<_> = products.iter().map(|product| product.sku.clone()).collect();
    skus.push(sku("NO-SUCH"));
    // Once from the database, once from memory.
    for _ in 0..2 {
        let found = catalog.find_many(&skus).await.expect("it finds");
        assert_eq!(found.len(), products.len());
        for product in &products {
            assert_eq!(*found[&product.sku], *product);
        }
    }
}

async fn pages_follow_one_another_without_a_gap(bench: Bench) {
    let catalog = Catalog::new(bench.database.clone());
    let mut products = demo_products(&bench);
    // Byte order, whatever language the server sorts in.
    for (product, code) in products.iter_mut().zip(["a", "B", "_", "~", "0"]) {
        product.sku = sku(code);
    }
    catalog.save(&products).await.expect("it saves");
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = catalog.list(cursor.as_ref(), 5).await.expect("it lists");
        let Some(last) = page.last() else { break };
        cursor = Some(last.sku.clone());
        listed.extend(page.into_iter().map(|product| product.sku));
    }
    let mut expected: Vec<_> = products.into_iter().map(|product| product.sku).collect();
    expected.sort();
    assert_eq!(listed, expected);
}

async fn one_bad_product_keeps_all_out(bench: Bench) {
    let catalog = Catalog::new(bench.database.clone());
    let mut products = demo_products(&bench);
    let currency = products[0].price.currency();
    products[7].price = doorbuster::base::Money::from_minor(-1, currency);
    catalog.save(&products).await.expect_err("a negative price");
    assert_eq!(catalog.list(None, 50).await.expect("it lists"), []);
}

fn rows(text: &str) -> Vec<ImportRow> {
    let text = format!("sku,title,price,currency,stock\n{text}");
    let rows = file_rows(Format::Csv, &text, &import::PRODUCTS).expect("a good file");
    let read = |row| import::read(row, &Limits::default()).expect("a good row");
    rows.iter().map(read).collect()
}

async fn import(bench: &Bench, text: &str) -> Applied {
    let clock: Arc<dyn Clock> = Arc::new(doorbuster::base::ManualClock::new(bench.now()));
    let (writer, task) = Writer::new(bench.store.clone(), clock, Arc::new(|_| {}));
    let catalog = Catalog::new(bench.database.clone());
    let rows = rows(text);
    let tools = (&bench.clock as &dyn Clock, &bench.chance as &dyn doorbuster::base::Chance);
    let import = async {
        let done = apply(&rows, &catalog, &*bench.store, &writer, tools).await;
        drop(writer);
        done.expect("the ledger answers").1
    };
    tokio::join!(import, task).0
}

async fn an_import_sets_the_counted_stock_and_may_be_repeated(bench: Bench) {
    bench.receive("OLD", 5).await;
    let file = "NEW,New,1,EUR,7\nOLD,Old,1,EUR,3\nNONE,None,1,EUR,\nGONE,Gone,1,EUR,0\n";
    let first = import(&bench, file).await;
    assert_eq!(first.refused, []);
    assert_eq!(bench.levels("NEW").await, [7, 7, 0, 0, 0]);
    assert_eq!(bench.levels("OLD").await, [3, 3, 0, 0, 0]);
    let unknown = bench.store.find_stock(&[sku("NONE")]).await.expect("it reads");
    assert_eq!(unknown, [], "stock that no file counted is not known");
    let again = import(&bench, file).await;
    assert_eq!(again, Applied::default(), "the second time there is nothing to do");
}

async fn an_import_takes_no_unit_that_is_promised(bench: Bench) {
    let entry = bench.moved("MUG", MoveKind::Receive, 5);
    bench.one(entry).await.expect("it is received");
    let held = bench.session(bench.checkout(), 1, &[("MUG", 4)]);
    bench.one(write(held)).await.expect("it is held");
    let done = import(&bench, "MUG,Mug,1,EUR,2\nTEE,Tee,1,EUR,9\n").await;
    assert_eq!((done.moved.len(), done.refused.len()), (1, 1));
    assert_eq!(done.refused[0].0, sku("MUG"));
    assert_eq!(bench.levels("MUG").await, [5, 1, 0, 4, 0]);
    assert_eq!(bench.levels("TEE").await, [9, 9, 0, 0, 0]);
}

/// Eight tasks change an attribute each of one product, and none takes back what another wrote.
// breaks: save every row in `Catalog::amend`, whatever has changed since it was read
async fn changes_of_different_fields_at_once_all_count(bench: Bench) {
    let catalog = Catalog::new(bench.database.clone());
    let mug = demo_products(&bench).swap_remove(5);
    let patch = |number: usize| ProductPatch {
        title: Some("Mug".to_owned()),
        price: Some(Amount::Minor(mug.price.minor())),
        currency: Some(mug.price.currency()),
        attribute: vec![(format!("a{number}"), Given::Value(number.to_string()))],
        ..ProductPatch::of(mug.sku.clone())
    };
    let patches: Vec<[ProductPatch; 1]> = (0..8).map(|number| [patch(number)]).collect();
    let amends = patches.iter().map(|patch| catalog.amend(patch, bench.now()));
    let done = futures_util::future::join_all(amends).await;
    let created = done.iter().filter(|one| {
        let changes = one.as_ref().expect("it is amended");
        changes[0].1 == Change::Created
    });
    assert_eq!(created.count(), 1);
    let found = catalog.list(None, 5).await.expect("it lists");
    assert_eq!(found[0].attributes.len(), 8, "{:?}", found[0].attributes);
    // What is so already is not written.
    let again = catalog.amend(&patches[0], bench.now()).await.expect("it is amended");
    assert_eq!(again[0].1, Change::Unchanged);
    assert_eq!(catalog.list(None, 5).await.expect("it lists"), found);
}
