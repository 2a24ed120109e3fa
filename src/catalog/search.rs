//! What can be searched for, and where a search goes on.

use std::{fmt, str::FromStr};

use super::listing::PriceRange;
use crate::base::Currency;

/// Listings one page looks at. A page over a filter that lets little through is cut off there and
/// goes on where it ended: no request reads a whole catalogue.
pub const SEEN_MAX: u32 = 20_000;

/// Words of a question that count, the longest ones: beyond, they no longer tell products apart.
const WORDS_MAX: usize = 16;

/// Letters of a word that count; the index keeps no more.
const WORD_CHARS_MAX: usize = 64;

/// What is searched for. Whatever is said has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Words, each the beginning of one in the product's texts.
    pub text: Option<String>,
    /// Any of these categories.
    pub categories: Vec<String>,
    /// A variant in this range.
    pub price: Option<PriceRange>,
    /// The currency of the range; without one it is in each variant's own.
    pub currency: Option<Currency>,
    /// Whether what is not for sale counts, too.
    pub all: bool,
}

/// Where a search goes on: products that have the words in their title come before those that have
/// them elsewhere, and each part is in the order in which products came to the shop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether the titles are done.
    pub beyond_titles: bool,
    /// The number of the last listing seen.
    pub after: i64,
}

/// The text is no place in a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place in a search")]
pub struct InvalidPlace;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.beyond_titles { 'w' } else { 't' }, self.after)
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(raw: &str) -> Result<Self, InvalidPlace> {
        let (beyond_titles, number) = match raw.split_at_checked(1) {
            Some(("t", number)) => (false, number),
            Some(("w", number)) => (true, number),
            _ => return Err(InvalidPlace),
        };
        let after = number.parse().ok().filter(|after| *after >= 0).ok_or(InvalidPlace)?;
        Ok(Self { beyond_titles, after })
    }
}

/// A page of a search: the ids of listings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub ids: Vec<String>,
    /// Where it goes on; the next page may be empty.
    pub next: Option<Place>,
}

/// A part of a page, as a database answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// What was found, by number.
    pub hits: Vec<(i64, String)>,
    /// The last listing that was looked at.
    pub end: Option<i64>,
    /// How many were looked at.
    pub seen: i64,
}

/// The words of a text as the index splits it, the longest first.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c.is_ascii_punctuation() || is_mark(c))
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(WORD_CHARS_MAX).collect())
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words.truncate(WORDS_MAX);
    words
}

/// Marks beyond ASCII that stand between words: of Latin-1, and general punctuation.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{bf}' | '\u{2000}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_is_written() {
        for place in [Place::default(), Place { beyond_titles: true, after: 42 }] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "t", "x1", "t-1", "1", "é1", "t99999999999999999999"] {
            assert_eq!(wrong.parse::<Place>(), Err(InvalidPlace), "{wrong}");
        }
    }

    #[test]
    fn a_question_is_split_into_words_of_which_the_longest_count() {
        assert_eq!(words("  T-shirt, «red» \u{2014} 50x70!"), ["shirt", "50x70", "red", "T"]);
        assert_eq!(words("\"'*()"), [""; 0]);
        let many = words(&(0..40).map(|n| format!("word{n} ")).collect::<String>());
        assert_eq!(many.len(), WORDS_MAX);
    }
}
