use super::{
    Product, StockPolicy,
    import::{self, PRODUCTS, misfit},
};
use crate::{
    base::{Limits, Timestamp},
    files::{FileError, Format, decode, rows},
};
use std::io::{BufReader, Read, Write};

type Made = (Product, Option<u32>);

fn within(text: &[u8], limits: &Limits) -> Result<Vec<Made>, Vec<FileError>> {
    let text = decode::text(text).map_err(|error| vec![error])?;
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for row in rows(Format::Csv, &text, &PRODUCTS)? {
        let made = import::read(&row, limits).and_then(|read| {
            let product = read.patch.over(None, Timestamp::from_micros(7));
            let at = |error: FileError| vec![FileError { line: row.line, ..error }];
            let product = product.map_err(|missing| {
                let (column, expected) = (missing.field.to_owned(), missing.expected);
                at(FileError { line: 0, column, expected })
            })?;
            let misfit = misfit(&product, read.stock, limits);
            misfit.map_or(Ok((product, read.stock)), |error| Err(at(error)))
        });
        match made {
            Ok(one) => all.push(one),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

fn read(text: &[u8]) -> Result<Vec<Made>, Vec<String>> {
    within(text, &Limits::default())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn refusals(text: &str) -> Vec<String> {
    read(text.as_bytes()).expect_err("the file is wrong")
}

#[test]
fn columns_stand_in_any_order_and_most_may_be_left_out() {
    let rows = read(
        b"\xef\xbb\xbfcurrency,price,title,sku,attribute:color,stock\n\
          EUR,19.9,\"Tee, red\", TEE ,red,5\n\
          JPY,500,Mug,MUG,,\n",
    )
    .expect("a good file");
    let [tee, mug] = rows.as_slice() else { panic!("two rows: {rows:?}") };
    assert_eq!((tee.0.title.as_str(), tee.0.price.minor()), ("Tee, red", 1990));
    assert_eq!((tee.1, mug.1), (Some(5), None));
    assert_eq!(tee.0.attributes["color"], "red");
    assert!(mug.0.attributes.is_empty() && mug.0.active);
    assert_eq!(mug.0.tax_category, "standard");
    assert_eq!(mug.0.stock_policy, StockPolicy::Tracked);
    assert_eq!(mug.0.updated_at, Timestamp::from_micros(7));
}

#[test]
fn a_compressed_file_reads_like_a_plain_one_and_within_a_limit() {
    let plain = b"sku,title,price,currency\nA,a,1,EUR\n";
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(plain).expect("memory takes it");
    let packed = packer.finish().expect("memory takes it");
    for bytes in [&plain[..], &packed[..]] {
        let mut input = decode::unpacked(BufReader::new(bytes), 100).expect("memory reads");
        let mut unpacked = Vec::new();
        input.read_to_end(&mut unpacked).expect("it is small");
        assert_eq!(read(&unpacked).map(|rows| rows.len()), Ok(1));
        let mut input = decode::unpacked(BufReader::new(bytes), 20).expect("memory reads");
        let error = input.read_to_end(&mut unpacked).expect_err("it is larger than that");
        assert!(error.to_string().contains("split it"), "{error}");
    }
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let wrong = refusals(
        "sku,title,price,currency,stock_policy,stock,active,image_url,tax_category\n\
         A B,,1.999,EUR,lots,-1,maybe,ftp://x,Food\n\
         OK,ok,1,euro,untracked,5,true,,\n\
         SHORT,row\n",
    );
    let expected = ["line 4: expected 9 fields as in the header, found 2"];
    assert_eq!(wrong, expected);
    let wrong = refusals(
        "sku,title,price,currency,stock_policy,stock,active,image_url,tax_category\n\
         A\u{7}B,,1.999,EUR,lots,-1,maybe,ftp://x,Food\n\
         OK,ok,1,euro,untracked,5,true,,\n\
         X,x,1.9999,EUR,,,,,\nY,y,1,EUR,untracked,5,,,\nZ,,,,,,,,\n",
    );
    let expected = [
        "line 2, column `sku`: expected 1 to 64 visible characters, found `A\\u{7}B`",
        "line 2, column `title`: expected a text, found nothing",
        "line 2, column `tax_category`: expected lower-case letters, digits, `-` and `_`, \
         found `Food`",
        "line 2, column `image_url`: expected an address that starts with `https://`, \
         found `ftp://x`",
        "line 2, column `stock_policy`: expected `tracked`, `backorder` or `untracked`, \
         found `lots`",
        "line 2, column `active`: expected `true` or `false`, found `maybe`",
        "line 2, column `stock`: expected a whole number from 0 to 4294967295, found `-1`",
        "line 3, column `currency`: expected a three-letter ISO 4217 currency code such as \
         `EUR`, found `euro`",
        "line 4, column `price`: expected an amount of 0 or more with at most 2 decimals, \
         found `1.9999`",
        "line 5, column `stock`: expected nothing, for only `tracked` units are counted, \
         found `5`",
        "line 6, column `title`: expected a text, found nothing",
        "line 6, column `price`: expected an amount such as `19.90`, found nothing",
        "line 6, column `currency`: expected a three-letter ISO 4217 currency code such as \
         `EUR`, found nothing",
    ];
    assert_eq!(wrong, expected);
}

// breaks: leave the suggestion out of `Known::refuses`
#[test]
fn a_wrong_header_is_told_with_a_suggestion() {
    assert_eq!(
        refusals("titel,price,currency,attribute:,price,whatever\n"),
        [
            "line 1, column `titel`: no such column; did you mean `title`?",
            "line 1, column `attribute:`: expected a name after `attribute:`",
            "line 1, column `price`: each column may stand once",
            "line 1, column `whatever`: no such column; there are `sku`, `title`, `price`, \
             `currency`, `tax_category`, `image_url`, `stock_policy`, `stock`, `active`, \
             `group`, `description`, `categories`, `max_per_order`, `options`, `attributes`, \
             `attribute:<name>`, `option:<name>`",
            "line 1, column `sku`: this column is needed and missing",
        ]
    );
    assert_eq!(refusals("").len(), 1);
}

#[test]
fn card_numbers_are_refused_in_text_but_not_in_skus() {
    let header = "sku,title,price,currency,attribute:note\n";
    let card = "4111111111111111";
    let wrong = refusals(&format!("{header}A,card {card},1,EUR,{card}\n"));
    assert_eq!(wrong.len(), 2);
    assert!(wrong.iter().all(|text| !text.contains(card)), "{wrong:?} shows the card");
    assert!(read(format!("{header}{card},a,1,EUR,\n").as_bytes()).is_ok());
}

#[test]
fn texts_and_attributes_have_limits() {
    let limits = Limits { text_bytes: 8, metadata_bytes: 20, ..Limits::default() };
    let text = "sku,title,price,currency,attribute:a,attribute:b\n\
                A,123456789,1,EUR,,\nB,b,1,EUR,1234567,12345678\n";
    let wrong = within(text.as_bytes(), &limits);
    let columns: Vec<_> =
        wrong.expect_err("too long").into_iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(columns, [(2, "title".to_owned()), (3, "attributes".to_owned())]);
}

#[test]
fn bytes_that_are_no_text_are_told_once() {
    let wrong = read(b"sku,title,price,currency\nA,caf\xe9,1,EUR\n").expect_err("latin 1");
    assert!(wrong[0].starts_with("line 2: expected UTF-8 text"), "{wrong:?}");
}
