//! What the head of a request must be like, before anything else looks at it.

use actix_web::{
    Error,
    body::{self, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{ALLOW, CONTENT_ENCODING, HeaderMap, HeaderValue},
    },
    middleware::Next,
};

use super::{body::is_announced, kinds::Kind, problem::Problem};

/// Headers that say one thing. Of two, a proxy may have believed the first and we the last.
const SINGLE: [&str; 6] =
    ["authorization", "x-api-key", "api-version", "content-type", "content-length", "host"];

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Refuses a head that reads in two ways, or names what no shop has.
pub fn check(request: &ServiceRequest) -> Result<(), Problem> {
    let headers = request.headers();
    for name in SINGLE {
        if is_repeated(headers, name) {
            let text = format!("The header {name} is there twice; send it once.");
            return Err(Problem::new(Kind::MalformedRequest, text));
        }
    }
    if is_repeated(headers, IDEMPOTENCY_KEY) {
        let text = "The header Idempotency-Key is there twice: a request has one key.";
        return Err(Problem::new(Kind::KeyInvalid, text));
    }
    // The router reads a path percent-decoded, and so does whoever looks for what is in it.
    if request.match_info().as_str().contains(char::is_control) {
        return Err(control("path"));
    }
    if has_encoded_control(request.query_string()) {
        return Err(control("query"));
    }
    if is_announced(request) { check_encoding(headers) } else { Ok(()) }
}

fn is_repeated(headers: &HeaderMap, name: &str) -> bool {
    headers.get_all(name).nth(1).is_some()
}

fn control(place: &str) -> Problem {
    let text = format!("The {place} holds a control character.");
    Problem::new(Kind::MalformedRequest, text).suggest("Leave it out; nothing here is named so.")
}

/// Whether a query holds `%00` to `%1F` or `%7F`: nothing is looked for by them.
fn has_encoded_control(query: &str) -> bool {
    query.as_bytes().windows(3).any(|three| match three {
        [b'%', b'0' | b'1', low] => low.is_ascii_hexdigit(),
        [b'%', b'7', b'f' | b'F'] => true,
        _ => false,
    })
}

/// Bodies are read as they come.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let codings = headers.get_all(CONTENT_ENCODING);
    let mut codings = codings.flat_map(|value| value.to_str().unwrap_or("?").split(','));
    let is_identity = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    if codings.all(|coding| is_identity(coding.trim())) {
        return Ok(());
    }
    let text = "A body with a Content-Encoding is not read here.";
    Err(Problem::new(Kind::EncodingUnsupported, text).suggest("Send it unpacked."))
}

/// `HEAD` is answered as `GET` is, but for the body.
pub fn read_as_get(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}

/// The same for routes that nothing else is wrapped around.
pub async fn heads_as_gets(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    read_as_get(&mut request);
    next.call(request).await
}

/// The body as it answers this method: none to `HEAD`. The server, which would leave it out itself,
/// goes by the method of the last request it has read, and on a line on which another has come in
/// meanwhile that is not this one. For the same reason no length is told, as RFC 9110 §8.6 allows.
pub fn body_for(method: &Method, body: BoxBody) -> BoxBody {
    if method == Method::HEAD { BoxBody::new(body::None::new()) } else { body }
}

/// The methods of a resource, `HEAD` among them where `GET` is.
pub fn allowed(headers: &HeaderMap) -> Option<HeaderValue> {
    let allowed = headers.get(ALLOW)?;
    let text = allowed.to_str().unwrap_or_default();
    if !text.split(',').any(|method| method.trim() == "GET") {
        return Some(allowed.clone());
    }
    HeaderValue::from_str(&format!("{text}, HEAD")).ok()
}

#[cfg(test)]
mod tests {
    use super::has_encoded_control;

    // breaks: leave out an arm of `has_encoded_control`
    #[test]
    fn control_characters_in_a_query_are_found_and_nothing_else_is() {
        for (query, has) in [
            ("q=%00", true),
            ("q=a%0Ab", true),
            ("q=%1b[31m", true),
            ("%7f=1", true),
            ("q=%2500&r=%20%30+1%", false),
            ("q=%C3%A9%70", false),
            ("", false),
        ] {
            assert_eq!(has_encoded_control(query), has, "{query}");
        }
    }
}
