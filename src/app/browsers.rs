//! What pages in browsers may ask and read.

use crate::{
    config::{Config, Mode},
    http::{Answers, Browsers, cors::Cors, hosts::Hosts},
};

/// In dev mode nobody needs a key: what a browser was led here for under another name is refused.
pub(super) fn open(config: &Config, answers: &Answers) -> Browsers {
    let origins = config.server.cors_origins.as_deref().unwrap_or_default();
    let hosts = match config.mode {
        Mode::Dev => Hosts::loopback_and(&answers.site().base_url),
        Mode::Production => Hosts::Any,
    };
    Browsers { cors: Cors::parse(origins).unwrap_or_default(), hosts }
}
