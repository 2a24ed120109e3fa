//! The names under which a service that is open to everybody answers.
//!
//! A page on the web can have its own name lead to 127.0.0.1 (DNS rebinding): to the browser the
//! service is then the page's own server. The `Host` it sends is still the page's name.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::HOST},
    middleware::Next,
};
use std::net::IpAddr;

use super::{kinds::Kind, problem::Problem};

/// The names that are answered to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Whatever name leads here: who may do what, keys say.
    #[default]
    Any,
    /// Names of this machine, and the one that is configured.
    Loopback {
        /// The host of the public address.
        public: String,
    },
}

impl Hosts {
    /// Names of this machine, and the host of this address.
    pub fn loopback_and(public_url: &str) -> Self {
        let rest = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        Self::Loopback { public: name_of(authority).to_ascii_lowercase() }
    }

    /// Lets a request pass that names a host which is answered to. Who names none is no browser.
    pub fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let Self::Loopback { public } = self else { return Ok(()) };
        let header = request.headers().get(HOST).map(|host| host.to_str().unwrap_or("?"));
        let target = request.uri().authority().map(|authority| authority.as_str());
        for named in [header, target].into_iter().flatten() {
            let name = name_of(named).to_ascii_lowercase();
            if name != *public && !is_loopback(&name) {
                let text = "This service is open to everybody on this machine, and answers to its \
                            names alone.";
                return Err(Problem::new(Kind::HostNotServed, text)
                    .suggest("Ask for `localhost`, or set `server.public_url` to the address."));
            }
        }
        Ok(())
    }
}

/// Lets in who asks for a name of this machine.
pub async fn only_loopback(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let hosts = Hosts::Loopback { public: String::new() };
    if hosts.check(&request).is_err() {
        return Ok(
            request.into_response(HttpResponse::build(StatusCode::MISDIRECTED_REQUEST).finish())
        );
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The host without its port: `localhost:8080`, `[::1]:8080`.
fn name_of(authority: &str) -> &str {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    // breaks: let `is_loopback` look whether the name begins with `localhost` or `127.`
    #[test]
    fn names_of_this_machine_are_answered_to_and_others_are_not() {
        let hosts = Hosts::loopback_and("https://shop.example:8443/base");
        for (host, is_served) in [
            ("localhost:8080", true),
            ("LOCALHOST", true),
            ("shop.localhost:80", true),
            ("127.0.0.1:8080", true),
            ("127.1.2.3", true),
            ("[::1]:8080", true),
            ("shop.example", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8080", false),
            ("evil-localhost", false),
            ("192.168.0.7", false),
            ("0.0.0.0:8080", false),
            ("", false),
        ] {
            let request = TestRequest::get().insert_header((HOST, host)).to_srv_request();
            assert_eq!(hosts.check(&request).is_ok(), is_served, "{host}");
            assert!(Hosts::Any.check(&request).is_ok());
        }
        assert!(hosts.check(&TestRequest::get().to_srv_request()).is_ok());
    }
}
