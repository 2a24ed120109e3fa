//! Whose words an answer is told in: which protocol stands at a path.

use actix_web::HttpRequest;

use super::ucp01::{self, root::AtRoot};

/// Whose words a problem is told in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Our own.
    #[default]
    Plain,
    /// Our own, with the envelope of the Universal Commerce Protocol.
    Ucp,
    /// Our own, with a message of the Universal Commerce Protocol, 2026-01-11.
    Ucp202601,
    /// The Agentic Commerce Protocol's.
    Acp,
}

impl Dialect {
    /// The words of what stands at this path, as the router reads it. `at_root` is whether UCP
    /// 2026-01-11 answers at the root of the shop.
    pub fn at(path: &str, at_root: bool) -> Self {
        let below = |base: &str| path.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
        match () {
            () if below(ucp01::BASE_PATH) => Self::Ucp202601,
            () if below("/ucp") => Self::Ucp,
            () if below("/acp") || path == "/acp" => Self::Acp,
            () if below("/testing") => Self::Ucp202601,
            () if !at_root => Self::Plain,
            () if below("/checkout-sessions") || path == "/checkout-sessions" => Self::Ucp202601,
            () if below("/orders") => Self::Ucp202601,
            () => Self::Plain,
        }
    }

    /// The words in which this request is answered.
    pub fn of(request: &HttpRequest) -> Self {
        Self::at(request.match_info().as_str(), AtRoot::speaks(request))
    }
}
