//! Who the platform is, and that it speaks this version.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::Ready;

use super::VERSION;
use crate::{
    base::{Origin, Protocol},
    http::{platform, problem::Problem},
};

/// The platform behind a request. Its profile is not fetched here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    profile: Option<Box<str>>,
}

impl Agent {
    /// Where what this platform opens comes from.
    pub fn origin(self) -> Origin {
        Origin { protocol: Protocol::Ucp202601, platform: self.profile }
    }
}

impl FromRequest for Agent {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = platform::header(request);
        std::future::ready(match header.and_then(platform::version) {
            Some(version) if version != VERSION => Err(platform::unsupported(version, VERSION)),
            _ => Ok(Self { profile: header.and_then(platform::profile) }),
        })
    }
}
