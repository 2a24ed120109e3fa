//! What a session must be sure of: set by us, not left to the server's file.

use std::time::Duration;

/// One setting and its value. Both are ours, never a caller's.
pub(super) type Setting = (&'static str, String);

/// For every statement. What we give up on, the server gives up on as well. Behind a dead network
/// it never hears that we are gone: a transaction left there would keep its locks for hours, and
/// every sale would wait.
pub(super) fn common(deadline: Duration) -> Vec<Setting> {
    let milliseconds = |part: Duration| part.as_millis().to_string();
    vec![
        ("timezone", "UTC".to_owned()),
        ("idle_in_transaction_session_timeout", milliseconds(deadline)),
        // Shorter: the server says so while we still listen, and nothing is in doubt.
        ("lock_timeout", milliseconds(deadline * 3 / 4)),
    ]
}

/// For commits. Their statements look rows up by key, one by one (migration 0023), whatever the
/// statistics said when they were first planned: a plan made for an empty table must not scan it
/// when it has grown. So there is nothing to learn from a batch's values, and planning anew for
/// each would cost more than running it. No row is looked up twice, so none need be remembered.
pub(super) fn by_key() -> Vec<Setting> {
    [
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("enable_memoize", "off"),
        ("jit", "off"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// How transactions begin: one message, whatever it brings along.
#[derive(Debug, Clone)]
pub(super) struct Begin {
    /// One that asks, or that writes what is no commit.
    pub(super) reading: String,
    /// A commit.
    pub(super) writing: String,
}

/// It does not ask for writing: a server that is told to take no writes means us as well.
const BEGIN: &str = "begin isolation level read committed";

impl Begin {
    /// In a session that has its settings.
    pub(super) fn plain() -> Self {
        Self { reading: BEGIN.to_owned(), writing: BEGIN.to_owned() }
    }

    /// In a session that may have been anybody's: the settings hold until the transaction ends.
    pub(super) fn with<'a>(
        reading: impl Iterator<Item = &'a Setting>,
        writing: impl Iterator<Item = &'a Setting>,
    ) -> Self {
        let set = |text, (name, value): &Setting| format!("{text}; set local {name} = '{value}'");
        let begin = BEGIN.to_owned();
        Self { reading: reading.fold(begin.clone(), set), writing: writing.fold(begin, set) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_borrowed_session_has_its_settings_until_the_transaction_ends() {
        let (reading, writing) = (common(Duration::from_secs(5)), by_key());
        let begin = Begin::with(reading.iter(), reading.iter().chain(&writing));
        assert_eq!(
            begin.reading,
            "begin isolation level read committed; set local timezone = 'UTC'; \
             set local idle_in_transaction_session_timeout = '5000'; \
             set local lock_timeout = '3750'"
        );
        let rest = begin.writing.strip_prefix(&begin.reading).expect("and more");
        assert!(rest.starts_with("; set local plan_cache_mode = 'force_generic_plan'; "));
    }
}
