//! An error with everything that it came of.

use std::{error::Error, fmt};

/// Shows an error and then its sources, the outermost first, with colons between. A source that was
/// said already is left out: many errors show theirs themselves.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        let mut next = self.0.source();
        while let Some(source) = next {
            let text = source.to_string();
            if !said.contains(&text) {
                said.push_str(": ");
                said.push_str(&text);
            }
            next = source.source();
        }
        f.write_str(&said)
    }
}

#[cfg(test)]
mod tests {
    use super::Chain;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("the shop is not read")]
    struct Silent(#[source] Damaged);

    #[derive(Debug, thiserror::Error)]
    #[error("the shop is not read: {0}")]
    struct Talkative(#[source] Damaged);

    #[derive(Debug, thiserror::Error)]
    #[error("the file is damaged")]
    struct Damaged(#[source] io::Error);

    // breaks: stop at the first source, or say each of them
    #[test]
    fn every_source_is_said_once() {
        let damaged = || Damaged(io::Error::other("no more pages"));
        let whole = "the shop is not read: the file is damaged: no more pages";
        assert_eq!(Chain(&Silent(damaged())).to_string(), whole);
        assert_eq!(Chain(&Talkative(damaged())).to_string(), whole);
        assert_eq!(Chain(&io::Error::other("alone")).to_string(), "alone");
    }
}
