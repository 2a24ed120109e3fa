//! Card numbers, and numbers that are none: in text, and in the fields where each belongs.

use doorbuster::base::{Chance, Holds, SeededChance, is_card_number_in, looks_like_card_number};

/// Numbers of each kind that are looked at.
const MANY: usize = 10_000;

/// Wrong in so many of a thousand is too much in text.
const PER_MILLE_MAX: usize = 5;

/// A sentence with a number that says what it is, and one that does not.
type Sentences = [fn(&str) -> String; 2];

struct Dice(SeededChance);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(SeededChance::new(seed))
    }

    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % bound as u64).expect("it is small")
    }

    fn digits(&self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(b'0' + u8::try_from(self.below(10)).expect("a digit")))
            .collect()
    }

    fn letters(&self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(b'A' + u8::try_from(self.below(26)).expect("a letter")))
            .collect()
    }

    fn one_of<'a>(&self, these: &[&'a str]) -> &'a str {
        these[self.below(these.len())]
    }
}

fn values(digits: &str) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + '_ {
    digits.bytes().map(|byte| u32::from(byte - b'0'))
}

/// Digits with a check digit behind them that makes the sum, weighed 3 and 1 from the right, a
/// multiple of ten: USPS, FedEx Ground, DHL, Canada Post, trade items.
fn with_three_and_one(digits: String) -> String {
    let sum: u32 = values(&digits).rev().zip([3, 1].into_iter().cycle()).map(|(d, w)| d * w).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// With the check digit of ISO/IEC 7812-1, annex B.
fn with_luhn(digits: String) -> String {
    let doubled = |(place, digit): (usize, u32)| match (place % 2, digit * 2) {
        (0, twice) => twice / 10 + twice % 10,
        _ => digit,
    };
    let sum: u32 = values(&digits).rev().enumerate().map(doubled).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn ups(dice: &Dice) -> String {
    let shipper: String =
        (0..6).map(|_| dice.one_of(&["A", "R", "X", "0", "1", "4", "5", "9"])).collect();
    let body = format!("{shipper}{}{}", dice.one_of(&["01", "02", "03", "12"]), dice.digits(7));
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        letter => (u32::from(letter) - 63) % 10,
    };
    let sum: u32 =
        body.bytes().map(value).zip([1, 2].into_iter().cycle()).map(|(v, w)| v * w).sum();
    format!("1Z{body}{}", (10 - sum % 10) % 10)
}

fn fedex(dice: &Dice) -> String {
    if dice.below(2) == 0 {
        return with_three_and_one(dice.digits(14));
    }
    let body = dice.digits(11);
    let sum: u32 = values(&body).zip([3, 1, 7].into_iter().cycle()).map(|(d, w)| d * w).sum();
    format!("{body}{}", sum % 11 % 10)
}

fn dhl(dice: &Dice) -> String {
    match dice.below(3) {
        0 => with_three_and_one(format!("0034043{}", dice.digits(12))),
        1 => {
            let body = dice.digits(9);
            let rest = body.parse::<u64>().expect("digits") % 7;
            format!("{body}{rest}")
        }
        _ => format!("JJD{}", dice.digits(18)),
    }
}

/// The check digit of the Universal Postal Union's standard S10.
fn s10(dice: &Dice) -> String {
    let body = dice.digits(8);
    let sum: u32 = values(&body).zip([8, 6, 4, 2, 3, 5, 9, 7]).map(|(d, w)| d * w).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        check => check,
    };
    format!("{}{body}{check}GB", dice.letters(2))
}

/// The check character of ISO 7064, MOD 37,36.
fn dpd(dice: &Dice) -> String {
    let body = dice.digits(14);
    let product = values(&body).fold(36, |product, digit| {
        let sum = (product + digit) % 36;
        if sum == 0 { 35 } else { sum * 2 % 37 }
    });
    let check = (37 - product) % 36;
    format!("{body}{}", char::from_digit(check, 36).expect("below 36").to_ascii_uppercase())
}

/// Makes a number of a kind.
type Make = fn(&Dice) -> String;

fn carriers() -> Vec<(&'static str, Make)> {
    vec![
        ("USPS", |dice| {
            let class = dice.one_of(&["9205", "9261", "9400", "9303", "9407", "9505"]);
            with_three_and_one(format!("{class}{}", dice.digits(17)))
        }),
        ("UPS", ups),
        ("FedEx", fedex),
        ("DHL", dhl),
        ("Royal Mail", s10),
        ("DPD", dpd),
        ("GLS", |dice| with_three_and_one(dice.digits(11))),
        ("Canada Post", |dice| with_three_and_one(dice.digits(15))),
    ]
}

fn goods_and_orders() -> Vec<(&'static str, &'static str, Make)> {
    vec![
        ("EAN-13", "barcode", |dice| with_three_and_one(dice.digits(12))),
        ("German EAN-13", "ean", |dice| {
            let land = dice.one_of(&["40", "41", "42", "43", "44"]);
            with_three_and_one(format!("{land}{}", dice.digits(10)))
        }),
        ("GTIN-14", "gtin", |dice| with_three_and_one(dice.digits(13))),
        ("Amazon order", "order_number", |dice| {
            format!(
                "{}-{}-{}",
                dice.one_of(&["028", "113", "305", "405"]),
                dice.digits(7),
                dice.digits(7)
            )
        }),
        ("eBay order", "external_order_id", |dice| {
            format!("{}-{}-{}", dice.digits(2), dice.digits(5), dice.digits(5))
        }),
        ("Etsy order", "order_id", |dice| dice.digits(10)),
        ("Shopify order", "orderId", |dice| {
            format!("{}{}", dice.one_of(&["4", "5", "6"]), dice.digits(12))
        }),
    ]
}

const OF_A_PARCEL: Sentences = [
    |number| format!("Your tracking number is {number}; it comes on Monday."),
    |number| format!("{number} has not come yet"),
];

const OF_AN_ORDER: Sentences = [
    |number| format!("See order no. {number}, EAN {number}."),
    |number| format!("it is about {number} again"),
];

/// Of so many, how many are taken for a card's.
fn taken(numbers: &[String], sentence: fn(&str) -> String) -> usize {
    numbers.iter().filter(|number| looks_like_card_number(&sentence(number))).count()
}

// breaks: looking at every window of a run of digits again
#[test]
fn numbers_of_parcels_goods_and_orders_are_no_cards() {
    let carriers =
        carriers().into_iter().map(|(name, make)| (name, "tracking_number", make, OF_A_PARCEL));
    let others =
        goods_and_orders().into_iter().map(|(name, field, make)| (name, field, make, OF_AN_ORDER));
    for (seed, (name, field, make, [saying, bare])) in (1..).zip(carriers.chain(others)) {
        let dice = Dice::new(seed);
        let numbers: Vec<String> = (0..MANY).map(|_| make(&dice)).collect();
        let refused = numbers.iter().filter(|number| is_card_number_in(Holds::of(field), number));
        assert_eq!(refused.count(), 0, "{name} in `{field}`");
        let (said, unsaid) = (taken(&numbers, saying), taken(&numbers, bare));
        assert!(said * 1000 <= MANY * PER_MILLE_MAX, "{name}: {said} of {MANY} in text");
        // Sixteen digits that nothing is said of are a card's where issuer and check digit fit.
        let most = match name {
            "Canada Post" => MANY / 30,
            "Shopify order" => MANY / 20,
            _ => MANY * PER_MILLE_MAX / 1000,
        };
        assert!(unsaid <= most, "{name}: {unsaid} of {MANY} in text that says nothing");
    }
}

fn card(dice: &Dice) -> String {
    let issuers = [
        ("4", 16),
        ("4", 19),
        ("4", 16),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("300", 14),
        ("36", 14),
        ("38", 14),
        ("6011", 16),
        ("65", 16),
        ("648", 16),
        ("3528", 16),
        ("3589", 16),
        ("62", 16),
        ("62", 19),
        ("5018", 16),
        ("6759", 12),
        ("6763", 19),
        ("2204", 16),
        ("6521", 16),
    ];
    let (issuer, length) = issuers[dice.below(issuers.len())];
    with_luhn(format!("{issuer}{}", dice.digits(length - issuer.len() - 1)))
}

/// As people group cards: fours; four, six and the rest where there are fourteen or fifteen.
fn grouped(card: &str, apart: &str) -> String {
    let cuts: &[usize] = match card.len() {
        14 | 15 => &[4, 10],
        _ => &[4, 8, 12, 16],
    };
    let chars = card.chars().enumerate();
    chars
        .flat_map(|(at, char)| {
            let gap = if cuts.contains(&at) { apart } else { "" };
            gap.chars().chain([char]).collect::<Vec<_>>()
        })
        .collect()
}

fn wide(card: &str) -> String {
    let wide = |char: char| char::from_u32(0xff10 + u32::from(char) - u32::from('0'));
    card.chars().filter_map(wide).collect()
}

// breaks: taking one separator alone, or ASCII digits alone
#[test]
fn card_numbers_are_seen_however_they_are_written() {
    let spellings: [fn(&str) -> String; 12] = [
        str::to_owned,
        |card| grouped(card, " "),
        |card| grouped(card, "-"),
        |card| grouped(card, "."),
        |card| grouped(card, "  "),
        |card| grouped(card, "\u{a0}"),
        |card| grouped(card, "\u{2013}"),
        wide,
        |card| grouped(card, "_"),
        |card| grouped(card, " - "),
        |card| grouped(&wide(card), "\u{3000}"),
        |card| grouped(card, "\u{200b}"),
    ];
    let around: [fn(&str) -> String; 6] = [
        str::to_owned,
        |card| format!("pay with {card} please"),
        |card| format!("k-{card}"),
        |card| format!("2 x TEE, card {card} 12/27 123"),
        |card| format!("order,fraud\n17,{card}\n"),
        |card| format!("https://agent.example/{card}?a=1"),
    ];
    let dice = Dice::new(7);
    for (at, card) in (0..MANY).map(|_| card(&dice)).enumerate() {
        for (place, spell) in spellings.into_iter().enumerate() {
            let text = around[(at + place) % around.len()](&spell(&card));
            assert!(looks_like_card_number(&text), "{text:?} passed");
        }
    }
}

// breaks: each line by itself: windows, prefixes alone, letters, IBANs, decimals
#[test]
fn what_is_a_card_and_what_is_none() {
    for (text, is_card) in [
        ("4111111111111111", true),
        ("4111.1111.1111.1111", true),
        ("4111  1111  1111  1111", true),
        ("4111\u{a0}1111\u{a0}1111\u{a0}1111", true),
        ("４１１１１１１１１１１１１１１１", true),
        ("k-4111111111111111", true),
        ("x4111111111111111y", true),
        ("VISA4111111111111111", true),
        ("3782 822463 10005", true),
        ("3056 930902 5904", true),
        ("4222222222222", true),
        ("6212345678900000003", true),
        ("2026 4111 1111 1111 1111", true),
        ("2 4111 1111 1111 1111", true),
        ("4111 1111 1111 1111 1227", true),
        ("4111 1111 1111 1111 123", true),
        ("1795430400-4111111111111111", true),
        ("+4111111111111111", true),
        ("4111111111111112", false),
        ("1764000000120000", false),
        ("success_token", false),
        ("the order 5105105105105100 again", false),
        ("94001111111111111111 12", false),
        ("9400 1111 4111 1111 1111 1111 05", false),
        ("DE52 5107 0044 0532 0139 00", false),
        ("DE89370400440532013000", false),
        ("BE39628931477775", false),
        ("+49 1522 1710846", false),
        ("+4915221710846", false),
        ("+491522171084", false),
        ("weight 0.4111111111111111", false),
        ("41111111-1111-1111-8000-000000000000", false),
        ("ord_41111111111111114111111111111111", false),
        ("a4111111111111111b7c41111111111f@relay.example", false),
        ("order-5105105105105100", false),
        ("4006381333931", false),
    ] {
        assert_eq!(looks_like_card_number(text), is_card, "{text:?}");
    }
}

// breaks: looking at identifiers, or at phones as at any text
#[test]
fn fields_hold_what_their_names_say() {
    let card = "4111 1111 1111 1111";
    for name in [
        "note",
        "first_name",
        "email",
        "value",
        "carrier",
        "phone_number",
        "user_agent",
        "url",
        "card_fingerprint",
        "dev.doorbuster.card_fingerprint",
        "id",
    ] {
        assert!(is_card_number_in(Holds::of(name), card), "{name}");
    }
    for name in [
        "sku",
        "barcode",
        "trackingNumber",
        "tracking_url",
        "tracking_numbers",
        "order-number",
        "dev.doorbuster.device_id",
        "dev.doorbuster.customer_id",
        "attribute:gtin",
        "image_url",
    ] {
        assert!(!is_card_number_in(Holds::of(name), card), "{name}");
    }
    let phone = Holds::of("phone_number");
    for number in ["+49 1522 1710846", "4915221710846", "0049 1522 1710846", "+378282246310005"] {
        assert!(!is_card_number_in(phone, number), "{number}");
    }
    for number in ["378282246310005", "30569309025904", "4111111111111111", "+4111111111111111"] {
        assert!(is_card_number_in(phone, number), "{number}");
    }
}

// breaks: looking at every window of a run of digits again; looking at phones as at any text
#[test]
fn mobiles_and_ids_of_machines_pass() {
    let dice = Dice::new(11);
    let ids = Holds::of("customer_id");
    let mut addresses = 0;
    for _ in 0..MANY {
        let net = dice.one_of(&["151", "1522", "157", "160", "170", "1590"]);
        let (near, far) = (format!("{net} {}", dice.digits(7)), dice.digits(8));
        for number in [format!("+49 {near}"), format!("49{net}{far}"), format!("0049{net}{far}")] {
            assert!(!is_card_number_in(Holds::of("phone_number"), &number), "{number}");
        }
        assert!(!looks_like_card_number(&format!("call +49{net}{far}")), "+49{net}{far}");
        assert!(!is_card_number_in(ids, &dice.digits(19)));
        let hex: String = (0..32)
            .map(|_| char::from_digit(u32::try_from(dice.below(16)).expect("small"), 16))
            .map(|c| c.expect("hex"))
            .collect();
        addresses += usize::from(looks_like_card_number(&format!("{hex}@relay.example")));
    }
    assert_eq!(addresses, 0, "addresses of random hexadecimal digits");
}
