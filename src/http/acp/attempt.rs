//! What every request of this protocol says: its version, and what names an attempt.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::Ready;

use super::VERSION;
use crate::{
    base::{Origin, Protocol},
    checkout::Asked,
    http::{asking::Asking, kinds::Kind, problem::Problem, reading::At},
};

/// The request is written in the version we speak.
#[derive(Debug, Clone, Copy)]
pub struct Version;

impl FromRequest for Version {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(version(request))
    }
}

fn version(request: &HttpRequest) -> Result<Version, Problem> {
    let said = request.headers().get("api-version").map(|value| value.to_str().unwrap_or_default());
    let text = match said {
        Some(VERSION) => return Ok(Version),
        Some(_) => format!("This API-Version is not spoken here; {VERSION} is."),
        None => format!("The header API-Version is missing; send `API-Version: {VERSION}`."),
    };
    Err(Problem::new(Kind::VersionUnsupported, text))
}

/// A request that changes something. Its key stands for one attempt at one place: the same key at
/// another is another's.
#[derive(Debug)]
pub struct Attempt {
    asking: Asking,
    place: String,
}

impl Attempt {
    /// The body.
    pub const fn body(&self) -> At<'_> {
        self.asking.body()
    }

    /// Who asks.
    pub fn caller(&self) -> String {
        self.asking.caller().to_string()
    }

    /// Who asks, as the checkout wants to know it. Keys hold no spaces: none of another place, and
    /// none of another protocol, is spelled like this one.
    pub fn asked(&self) -> Asked {
        let asked = self.asking.asked(Origin::of(Protocol::Acp));
        Asked { key: format!("{} {}", self.place, asked.key), ..asked }
    }
}

impl FromRequest for Attempt {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let asking = match version(request) {
            Ok(Version) => Asking::from_request(request, payload).into_inner(),
            Err(problem) => Err(problem),
        };
        // As the router reads it: another spelling of a place is no other place.
        let place = || format!("{} {}", request.method(), request.match_info().as_str());
        std::future::ready(asking.map(|asking| Self { asking, place: place() }))
    }
}
