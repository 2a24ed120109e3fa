//! A request that asks something with a body and changes nothing: it needs no key.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde_json::Value;
use std::future::Ready;

use super::{
    asking, free_text,
    problem::{Dialect, Problem},
    reading::At,
};

/// A question. Its body has been parsed once, and searched for card numbers.
#[derive(Debug)]
pub struct Question(Value);

impl Question {
    /// The body.
    pub const fn body(&self) -> At<'_> {
        At::root(&self.0)
    }
}

impl FromRequest for Question {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<Question, Problem> {
    let body = asking::parse(request)?;
    free_text::refuse_card_numbers(&body, Dialect::of(request))?;
    asking::check_fields(request, &body)?;
    Ok(Question(body))
}
