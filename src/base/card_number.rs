//! Finds card numbers where none may stand. They never enter the system.
//!
//! What is one: the digits of an issuer's range at a length its network gives out ([`networks`]),
//! whose check digit is right (ISO/IEC 7812-1, annex B), as a whole run of digits, or grouped as
//! people write cards. In text a number right behind the name of something else ("tracking number
//! 4035…", "EAN 4…") is that; a field of a typed identifier is never looked at.

mod field;
mod labels;
mod networks;

pub use field::{Holds, is_card_number_in};

use networks::is_card;

/// The most characters between two groups of a card: a hyphen with spaces around it.
const APART_MAX: usize = 3;

/// The most digits of a phone number with its country (ITU-T E.164).
const PHONE_DIGITS_MAX: usize = 15;

/// Digits that stand together.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// Where they begin among the digits of the sequence.
    from: usize,
    length: usize,
    /// Where they begin in the text.
    at: usize,
    /// Whether a letter touches the first or the last of them.
    letter_before: bool,
    letter_after: bool,
}

/// Whether a text holds what looks like a payment card number.
pub fn looks_like_card_number(text: &str) -> bool {
    finds_card(text, true)
}

/// The same, of a text that machines make at random: only digits that no letter touches count.
fn stands_alone(text: &str) -> bool {
    finds_card(text, false)
}

/// Takes a text apart into words, and looks at the numbers that stand in a row.
fn finds_card(text: &str, takes_letters: bool) -> bool {
    if text.chars().filter(|char| digit(*char).is_some()).count() < networks::DIGITS_MIN {
        return false;
    }
    let is_of_word = |char: char| digit(char).is_some() || char.is_alphabetic();
    let mut row = Row { text, digits: Vec::new(), groups: Vec::new() };
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word = &rest[..rest.find(|char| !is_of_word(char)).unwrap_or(rest.len())];
        let gap = &rest[word.len()..];
        let gap = &gap[..gap.find(is_of_word).unwrap_or(gap.len())];
        let goes_on = row.take(word, at, takes_letters) && is_apart(gap);
        at += word.len() + gap.len();
        if !goes_on || at == text.len() {
            if row.holds_card() {
                return true;
            }
            row.groups.clear();
            row.digits.clear();
        }
    }
    false
}

/// Numbers in a row, with nothing but what stands between the groups of a card between them.
struct Row<'a> {
    text: &'a str,
    digits: Vec<u8>,
    groups: Vec<Group>,
}

impl Row<'_> {
    /// Takes a word's digits in. A word without any is none of the row, and one of letters and
    /// several numbers is a code, of which no part is a number.
    fn take(&mut self, word: &str, at: usize, takes_letters: bool) -> bool {
        let is_digit = |char: char| digit(char).is_some();
        let Some(first) = word.find(is_digit) else { return word.is_empty() };
        let from_first = &word[first..];
        let end = from_first.find(|char| !is_digit(char)).unwrap_or(from_first.len());
        let (run, after) = from_first.split_at(end);
        let has_letters = first > 0 || !after.is_empty();
        if after.contains(is_digit) || (has_letters && !takes_letters) {
            return false;
        }
        let from = self.digits.len();
        self.digits.extend(run.chars().filter_map(digit));
        self.groups.push(Group {
            from,
            length: self.digits.len() - from,
            at: at + first,
            letter_before: first > 0,
            letter_after: !after.is_empty(),
        });
        true
    }

    fn holds_card(&self) -> bool {
        let groups = &self.groups[..];
        let is_one_at = |from| {
            let mut length = 0;
            for (to, group) in groups.iter().enumerate().skip(from) {
                length += group.length;
                if length > networks::DIGITS_MAX {
                    break;
                }
                if length >= networks::DIGITS_MIN && self.is_card(from, to) {
                    return true;
                }
            }
            false
        };
        !self.is_iban() && (0..groups.len()).any(is_one_at)
    }

    fn is_card(&self, from: usize, to: usize) -> bool {
        let groups = &self.groups[from..=to];
        let (first, last) = (groups[0], groups[groups.len() - 1]);
        let digits = &self.digits[first.from..last.from + last.length];
        if !is_card(digits) {
            return false;
        }
        let is_international = self.text[..first.at].ends_with('+');
        if is_international && digits.len() <= PHONE_DIGITS_MAX {
            return false;
        }
        match groups {
            // Digits behind a decimal point.
            [_] if from > 0 && self.text[..first.at].ends_with('.') => false,
            [_] => !networks::is_gtin13(digits) && !labels::stand_before(&self.text[..first.at]),
            _ => is_grouped_as_cards(groups) && self.is_whole(from, to),
        }
    }

    /// Whether groups of one size are all of the number: one that has more of them in front is
    /// longer. A year may stand there, and behind groups of four a date or a security code.
    fn is_whole(&self, from: usize, to: usize) -> bool {
        let size = self.groups[from].length;
        let is_year = |group: &Group| {
            let digits = &self.digits[group.from..group.from + group.length];
            size == 4 && matches!(digits, [1, 9, ..] | [2, 0, ..])
        };
        let before = from.checked_sub(1).map(|at| &self.groups[at]);
        let after = self.groups.get(to + 1).filter(|_| size != 4);
        before.is_none_or(|group| group.length != size || is_year(group))
            && after.is_none_or(|group| group.length != size)
    }

    /// Whether the row is an account number with its country in front (IBAN, ISO 13616), whose
    /// check digits are right (ISO 7064, MOD 97-10).
    fn is_iban(&self) -> bool {
        let Some(first) = self.groups.first() else { return false };
        let (head, check) = (&self.text.as_bytes()[..first.at], self.digits.split_at_checked(2));
        let (Some(country), Some((check, rest))) = (head.last_chunk::<2>(), check) else {
            return false;
        };
        let letters = country.iter().map(|letter| u32::from(letter.wrapping_sub(b'A')) + 10);
        let shift = |number: u32, digit: &u8| (number * 10 + u32::from(*digit)) % 97;
        let number = rest.iter().fold(0, shift);
        let number = letters.fold(number, |number, letter| (number * 100 + letter) % 97);
        country.iter().all(u8::is_ascii_uppercase) && check.iter().fold(number, shift) == 1
    }
}

/// Groups of four with a rest, as embossed; those of American Express, Diners Club and UnionPay;
/// digits said one by one or in pairs. Letters may touch the ends alone.
fn is_grouped_as_cards(groups: &[Group]) -> bool {
    let (last, body) = groups.split_last().expect("invariant: a card has digits");
    let is_even = |size| body.iter().all(|group| group.length == size) && last.length <= size;
    let sizes: Vec<usize> = groups.iter().map(|group| group.length).collect();
    let is_known = matches!(sizes[..], [4, 6, 4 | 5] | [6, 13] | [4, 3, 3, 3] | [4, 4, 5]);
    let touched = groups.iter().enumerate().any(|(place, group)| {
        group.letter_before && place > 0 || group.letter_after && place + 1 < groups.len()
    });
    !touched && (is_known || [1, 2, 4, 8].into_iter().any(is_even))
}

/// The digit zero of each script whose digits keyboards write: ASCII, Arabic, Persian, Devanagari,
/// full width.
const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];

fn digit(char: char) -> Option<u8> {
    let value = |zero: &char| u32::from(char).checked_sub(u32::from(*zero)).filter(|it| *it < 10);
    ZEROS.iter().find_map(value).and_then(|value| u8::try_from(value).ok())
}

fn is_apart(gap: &str) -> bool {
    gap.chars().all(is_between) && (1..=APART_MAX).contains(&gap.chars().count())
}

/// What stands between the groups of a card: spaces and dashes of every width, also those that
/// nobody sees, dots, slashes, underscores.
const fn is_between(char: char) -> bool {
    matches!(
        char,
        ' ' | '\t' | '-' | '.' | '_' | '/' | '\u{a0}' | '\u{ad}' | '\u{b7}' | '\u{1680}'
            | '\u{2000}'..='\u{200d}' | '\u{2010}'..='\u{2015}' | '\u{2022}' | '\u{202f}'
            | '\u{205f}'..='\u{2060}' | '\u{2212}' | '\u{3000}' | '\u{fe58}' | '\u{fe63}'
            | '\u{feff}' | '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3f}'
    )
}
