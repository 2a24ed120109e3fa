//! Finds card numbers where none may stand. They never enter the system.

/// Names of fields that hold typed identifiers: made by machines, checked by their own rules. Of
/// barcodes that begin with 4, one in ten would pass for a card.
pub const TYPED_NAMES: [&str; 9] =
    ["sku", "barcode", "gtin", "ean", "upc", "isbn", "order_id", "checkout_id", "cursor"];

/// Whether a text holds what looks like a payment card number: 13 to 19 digits, alone or grouped
/// by spaces or hyphens, under a network's prefix and length, whose Luhn sum (ISO/IEC 7812-1,
/// annex B) is right.
///
/// One random number in ten passes Luhn; the prefixes keep tracking numbers and timestamps out.
pub fn looks_like_card_number(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut separated = false;
    for byte in text.bytes().chain(*b"\0") {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte - b'0');
                separated = false;
            }
            // One separator between two digits; a card is printed in groups.
            b' ' | b'-' if !digits.is_empty() && !separated => separated = true,
            _ => {
                if any_card_in(&digits) {
                    return true;
                }
                digits.clear();
                separated = false;
            }
        }
    }
    false
}

/// Whether a text is a payment card number as a whole, separators left out. For names that machines
/// make of clocks and counters: one in ten of their digit runs would pass Luhn somewhere.
pub fn is_card_number(text: &str) -> bool {
    let digits: Vec<u8> =
        text.bytes().filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0').collect();
    let is_bare = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'-'));
    is_bare && is_card(&digits)
}

/// A run of digits is a card when it is one as a whole; in runs glued from several numbers ("12
/// 4111 1111 …") each stretch is tried.
fn any_card_in(run: &[u8]) -> bool {
    (13..=19).any(|length| run.windows(length).any(is_card))
}

fn is_card(digits: &[u8]) -> bool {
    has_network_prefix(digits) && luhn(digits)
}

/// Issuer ranges and lengths of the large networks (ISO/IEC 7812 register).
fn has_network_prefix(digits: &[u8]) -> bool {
    let prefix = |length: usize| digits[..length].iter().fold(0_u32, |n, d| n * 10 + u32::from(*d));
    match digits.len() {
        13 | 18 | 19 if digits[0] == 4 => digits.len() != 18,
        14 => matches!(prefix(2), 36 | 38 | 39) || (300..=305).contains(&prefix(3)),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            digits[0] == 4
                || (51..=55).contains(&prefix(2))
                || (2221..=2720).contains(&prefix(4))
                || prefix(4) == 6011
                || prefix(2) == 65
                || (644..=649).contains(&prefix(3))
                || (3528..=3589).contains(&prefix(4))
                || prefix(2) == 62
        }
        17..=19 => prefix(2) == 62,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, doubled) => doubled / 10 + doubled % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_of_every_network_are_seen() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "pay with 5555-5555-5555-4444 please",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "2223003122003222",
            "x4111111111111111y",
        ] {
            assert!(looks_like_card_number(card), "{card} passed");
        }
    }

    #[test]
    fn a_name_is_a_card_number_only_as_a_whole() {
        for card in ["4111111111111111", "4111-1111-1111-1111", "4111 1111 1111 1111"] {
            assert!(is_card_number(card), "{card} passed");
        }
        for name in ["1795430400-4111111111111111", "order-4111111111111111", "", "4111"] {
            assert!(!is_card_number(name), "{name} was refused");
        }
    }

    #[test]
    fn other_numbers_pass() {
        for harmless in [
            "4111111111111112",
            "1764000000120000",
            "+49 170 1234567",
            "success_token",
            "",
            "85123A",
        ] {
            assert!(!looks_like_card_number(harmless), "{harmless} was refused");
        }
    }
}
