//! What a field holds, by its name.

use super::{PHONE_DIGITS_MAX, looks_like_card_number, stands_alone};

/// Names of identifiers that machines make and check by rules of their own: of goods, parcels,
/// orders, customers, devices. One in some hundred of their numbers would pass for a card's.
const TYPED: &[&str] = &[
    "sku",
    "mpn",
    "barcode",
    "gtin",
    "gtin8",
    "gtin12",
    "gtin13",
    "gtin14",
    "ean",
    "ean8",
    "ean13",
    "upc",
    "upca",
    "isbn",
    "isbn13",
    "asin",
    "itemid",
    "productid",
    "variantid",
    "trackingnumber",
    "trackingid",
    "trackingcode",
    "trackingurl",
    "imageurl",
    "orderid",
    "ordernumber",
    "externalid",
    "externalorderid",
    "externalordernumber",
    "merchantorderid",
    "marketplaceorderid",
    "purchaseorder",
    "ponumber",
    "invoicenumber",
    "invoiceid",
    "checkoutid",
    "cartid",
    "customerid",
    "accountid",
    "userid",
    "deviceid",
    "sessionid",
    "cursor",
];

/// Names of phone numbers.
const PHONES: &[&str] =
    &["phone", "phonenumber", "telephone", "tel", "mobile", "mobilenumber", "mobilephone", "fax"];

/// The longest phone number without a sign that its country comes first: thirteen digits in
/// Germany, which begin as Visa's do.
const PLAIN_PHONE_DIGITS_MAX: usize = 13;

/// What a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Anything: what looks like a card is one.
    Text,
    /// A typed identifier: never a card.
    Identifier,
    /// A phone number (E.164), as people write it.
    Phone,
    /// What a machine made at random: a card is what stands by itself.
    Random,
}

impl Holds {
    /// What a field of this name holds. Case, hyphens, underscores and a plural do not matter, nor
    /// does what stands before the last dot: signals have reverse-domain names.
    pub fn of(name: &str) -> Self {
        let last = name.rsplit(['.', ':']).next().unwrap_or(name);
        let plain: String = last
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|char| char.to_ascii_lowercase())
            .collect();
        let is_in = |names: &[&str]| {
            let one = plain.strip_suffix('s').unwrap_or(&plain);
            names.iter().any(|name| *name == plain || *name == one)
        };
        match () {
            () if is_in(TYPED) => Self::Identifier,
            () if is_in(PHONES) => Self::Phone,
            () => Self::Text,
        }
    }
}

/// Whether a text that may be this is a card number, or holds one.
pub fn is_card_number_in(holds: Holds, text: &str) -> bool {
    match holds {
        Holds::Identifier => false,
        Holds::Text => looks_like_card_number(text),
        Holds::Phone => looks_like_card_number(text) && !is_phone(text),
        Holds::Random => stands_alone(text),
    }
}

fn is_phone(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let has_country = text.starts_with('+') || text.starts_with("00");
    let most = if has_country { PHONE_DIGITS_MAX } else { PLAIN_PHONE_DIGITS_MAX };
    digits <= most && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-. /()".contains(&byte))
}
