//! Logs that read alone and filter well.
//!
//! The message names the thing; dotted fields repeat it (`checkout.id`, `order.id`). A failure is
//! logged once, where it is handled; a decline is `info`. Types that hold personal data redact
//! themselves, so that a careless field cannot leak them.
//!
//! Spans say what a line is part of: `request` (`http::admission`), below it `command`
//! (`cart::seat`), and by themselves `collect` (`checkout::collect`), `deliver`
//! (`outbox::relay`) and `commit` (`ledger::writer`). A span or an event that the filter leaves
//! out costs a look at a flag.

use serde::{Deserialize, Serialize};
use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// How a line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    /// The filter does not parse.
    #[error("the log filter does not parse: {0}")]
    Filter(#[from] ParseError),
    /// Somebody else has set logs up in this process.
    #[error("logs are set up already")]
    Installed,
}

/// Whether a filter parses.
///
/// # Errors
/// When it does not.
pub fn check_filter(filter: &str) -> Result<(), ParseError> {
    EnvFilter::try_new(filter).map(drop)
}

/// Sends this process's logs to standard error; standard output belongs to what a command prints.
///
/// # Errors
/// When the filter does not parse, or logs are set up already.
pub fn install(format: LogFormat, filter: &str) -> Result<(), LogFault> {
    let filter = EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let installed = match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).try_init(),
    };
    installed.map_err(|_| LogFault::Installed)
}

#[cfg(test)]
mod tests {
    use super::check_filter;

    #[test]
    fn filters_are_levels_and_targets() {
        assert!(check_filter("info,doorbuster::ledger=debug").is_ok());
        assert!(check_filter("loud=very").is_err());
    }
}
