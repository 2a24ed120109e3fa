//! Texts as they stand in a field of a CSV file: an empty field is no text, and white space around
//! one is not part of it; a text that would be misread stands there as a JSON text.

use std::borrow::Cow;

/// A text as a field.
pub fn encode(text: &str) -> Cow<'_, str> {
    let is_plain = !text.is_empty() && !text.starts_with('"') && text.trim() == text;
    if is_plain {
        return Cow::Borrowed(text);
    }
    Cow::Owned(serde_json::to_string(text).expect("invariant: a text serializes"))
}

/// The text that a field holds. What begins with a quotation mark and is no JSON text stands for
/// itself.
pub fn decode(field: &str) -> Cow<'_, str> {
    let json = || serde_json::from_str::<String>(field).ok();
    let decoded = if field.starts_with('"') { json() } else { None };
    decoded.map_or(Cow::Borrowed(field), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_comes_back_from_its_field(text in "[ \"\\\\a\n\u{e9}]{0,8}") {
            let field = encode(&text);
            prop_assert!(!field.is_empty());
            prop_assert_eq!(field.trim(), &*field);
            prop_assert_eq!(&*decode(&field), text.as_str());
        }
    }

    #[test]
    fn what_people_write_is_taken_as_it_stands() {
        for plain in ["Mug", "\"Big\" mug", "\"", ""] {
            assert_eq!(decode(plain), plain);
        }
        assert_eq!(encode("Tee, red"), "Tee, red");
    }
}
