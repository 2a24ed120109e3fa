//! Which features a model may read, and how.

use super::{ModelSchema, SchemaFault};
use crate::fraud::features::Reads;

impl ModelSchema {
    /// How each of these features may be read.
    ///
    /// # Errors
    /// When a pattern names none of them, or two patterns one of them.
    pub(super) fn reads(&self, names: &[String]) -> Result<Vec<Reads>, SchemaFault> {
        let mut reads = vec![Reads::No; names.len()];
        let lists = [
            (&self.free, Reads::Freely),
            (&self.rising, Reads::Rising),
            (&self.falling, Reads::Falling),
            (&self.known, Reads::Known),
            (&self.around, Reads::Around),
            (&self.settled, Reads::Settled),
        ];
        for (patterns, how) in lists {
            for pattern in patterns {
                let mut matched = false;
                for (place, name) in names.iter().enumerate().filter(|(_, n)| is(pattern, n)) {
                    matched = true;
                    if reads[place] != Reads::No {
                        return Err(SchemaFault::Wrong(format!("`{name}` is read in two ways")));
                    }
                    reads[place] = how;
                }
                if !matched {
                    return Err(SchemaFault::Wrong(format!("`{pattern}` names no feature")));
                }
            }
        }
        Ok(reads)
    }
}

/// Whether a name is of a pattern: part by part, `*` for what it likes within one.
fn is(pattern: &str, name: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('.'), name.split('.'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if is_part(pattern, part) => {}
            _ => return false,
        }
    }
}

fn is_part(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((start, end)) => {
            part.len() >= start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(free: &[&str], rising: &[&str]) -> Result<Vec<Reads>, SchemaFault> {
        let list = |of: &[&str]| of.iter().map(|name| (*name).to_owned()).collect();
        let model =
            ModelSchema { free: list(free), rising: list(rising), ..ModelSchema::default() };
        let names = ["amount", "card.failures.1h", "card.others_ip.1h", "card.others_ip.24h"];
        model.reads(&names.map(str::to_owned))
    }

    // breaks: `is_part` without its end
    #[test]
    fn patterns_name_parts_and_what_none_names_is_not_read() {
        use Reads::{Freely, No, Rising};
        let read = reads(&["amount"], &["*.others_*.*4h"]).expect("they name features");
        assert_eq!(read, [Freely, No, No, Rising]);
        for (free, rising) in [("amount", "amount"), ("card.*", "amount"), ("email.*.*", "amount")]
        {
            assert!(reads(&[free], &[rising]).is_err(), "{free} and {rising}");
        }
    }
}
