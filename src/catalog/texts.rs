//! What texts of products have to be like, whichever way they come in.

use super::Choice;
use crate::base::{Holds, is_card_number_in};

pub use crate::files::NO_CARDS;

/// Bytes of a description: some paragraphs, of which a page of search results holds dozens.
pub const DESCRIPTION_BYTES_MAX: usize = 4096;

/// Options of a product: each is a question to the buyer.
pub const OPTIONS_MAX: usize = 8;

/// Categories of a product or a group.
pub const CATEGORIES_MAX: usize = 16;

/// Between categories in one field; hence none holds it.
pub const CATEGORIES_APART: char = '|';

/// Bytes of a category: a path such as `Apparel > Shirts`.
pub const CATEGORY_BYTES_MAX: usize = 128;

/// Checks one line in people's words.
///
/// # Errors
/// What was expected instead.
pub fn check_line(text: &str, most: usize) -> Result<(), String> {
    check_line_in(Holds::Text, text, most)
}

/// Checks one line in a field that may hold this.
///
/// # Errors
/// What was expected instead.
pub fn check_line_in(holds: Holds, text: &str, most: usize) -> Result<(), String> {
    if text.contains(char::is_control) {
        return Err("expected one line of text without control characters".to_owned());
    }
    check(holds, text, most)
}

/// Checks a text of several lines.
///
/// # Errors
/// What was expected instead.
pub fn check_text(text: &str, most: usize) -> Result<(), String> {
    check(Holds::Text, text, most)
}

fn check(holds: Holds, text: &str, most: usize) -> Result<(), String> {
    if text.len() > most {
        return Err(format!("expected at most {most} bytes, found {}", text.len()));
    }
    let breaks = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(breaks) {
        return Err("expected text without control characters".to_owned());
    }
    if is_card_number_in(holds, text) { Err(NO_CARDS.to_owned()) } else { Ok(()) }
}

/// Checks the options of a product.
///
/// # Errors
/// What was expected instead.
pub fn check_options(options: &[Choice]) -> Result<(), String> {
    if options.len() > OPTIONS_MAX {
        return Err(format!("expected at most {OPTIONS_MAX} options, found {}", options.len()));
    }
    for (at, Choice { name, value }) in options.iter().enumerate() {
        if name.is_empty() || value.is_empty() {
            return Err("expected a name and a value of each option".to_owned());
        }
        check_line(name, CATEGORY_BYTES_MAX)?;
        check_line(value, CATEGORY_BYTES_MAX)?;
        if options[..at].iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
            return Err(format!("expected each option once, found `{name}` twice"));
        }
    }
    Ok(())
}

/// Checks the categories of a product or a group.
///
/// # Errors
/// What was expected instead.
pub fn check_categories(categories: &[String]) -> Result<(), String> {
    if categories.len() > CATEGORIES_MAX {
        let found = categories.len();
        return Err(format!("expected at most {CATEGORIES_MAX} categories, found {found}"));
    }
    for (at, category) in categories.iter().enumerate() {
        if category.is_empty() || category.trim() != category {
            return Err("expected names of categories without spaces around them".to_owned());
        }
        if category.contains(CATEGORIES_APART) {
            return Err(format!("expected no `{CATEGORIES_APART}` in a category"));
        }
        check_line(category, CATEGORY_BYTES_MAX)?;
        if categories[..at].contains(category) {
            return Err(format!("expected each category once, found `{category}` twice"));
        }
    }
    Ok(())
}

/// Checks the address of a picture.
///
/// # Errors
/// What was expected instead.
pub fn check_url(url: &str) -> Result<(), String> {
    let is_address = url.starts_with("https://") || url.starts_with("http://");
    if is_address && !url.contains(char::is_whitespace) {
        return Ok(());
    }
    Err("expected an address that starts with `https://`".to_owned())
}

/// Checks a tax category.
///
/// # Errors
/// What was expected instead.
pub fn check_tax_category(name: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if !name.is_empty() && name.bytes().all(plain) {
        return Ok(());
    }
    Err("expected lower-case letters, digits, `-` and `_`".to_owned())
}
