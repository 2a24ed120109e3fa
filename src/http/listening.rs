//! A platform to try things with: it shows a profile, hears of its orders, and says whether it
//! believes what it hears.
//!
//! `GET /profile`, `POST /hook` (the Universal Commerce Protocol), `POST /merchant` (any webhook
//! else, shown as it came). It keeps nothing, and listens on loopback alone.

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, dev::Server, middleware::from_fn, web,
};
use serde_json::{Value, json};
use std::{
    io,
    net::{SocketAddr, TcpListener},
};
use tokio::sync::mpsc::UnboundedSender;

use super::{hosts, signed};
use crate::{
    base::{Clock, Protocol},
    platforms::{Platforms, Profile},
    signing::{
        Message, PublicKey, SignatureRefused, Target, claims, digest_holds, verify_detached,
    },
};

/// Bytes of a webhook: the longest order of the longest cart is shorter.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// What the platform knows.
pub struct Listener {
    /// The address of the shop's profile.
    pub shop: String,
    /// Fetches it.
    pub platforms: Platforms,
    /// Tells the time.
    pub clock: std::sync::Arc<dyn Clock>,
    /// Where it says what it heard.
    pub heard: UnboundedSender<Heard>,
}

/// A webhook that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its id.
    pub id: String,
    /// Why it is not believed; `None` when it is, or when nothing could be checked.
    pub doubt: Option<String>,
    /// Whether its signature was checked here.
    pub was_checked: bool,
    /// What it says.
    pub body: String,
}

/// The platform's server and the address it listens on (port 0 takes a free one). The caller awaits
/// the server.
///
/// # Errors
/// When the address is not a loopback address, or is taken.
pub fn serve(listener: Listener, address: SocketAddr) -> io::Result<(Server, SocketAddr)> {
    if !address.ip().is_loopback() {
        let told =
            format!("this platform is for trying things and not for {address}: loopback only");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, told));
    }
    let socket = TcpListener::bind(address)?;
    let bound = socket.local_addr()?;
    let data = web::Data::new(listener);
    let profile = web::Data::new(profile(bound));
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(hosts::only_loopback))
            .app_data(data.clone())
            .app_data(profile.clone())
            .app_data(web::PayloadConfig::new(BODY_BYTES))
            .route("/profile", web::get().to(show_profile))
            .route("/hook", web::post().to(hear))
            .route("/merchant", web::post().to(hear_any))
    });
    Ok((server.workers(1).shutdown_timeout(1).listen(socket)?.run(), bound))
}

/// What the platform says of itself, for both versions of the protocol.
fn profile(address: SocketAddr) -> Value {
    let config = json!({ "webhook_url": format!("http://{address}/hook") });
    let version = |protocol: Protocol| {
        let name = protocol.as_str();
        json!({ "version": name.split_once('/').map_or(name, |(_, version)| version),
                "config": config })
    };
    json!({
        "ucp": {
            "version": super::ucp::VERSION,
            "capabilities": { "dev.ucp.shopping.order": [
                version(Protocol::Ucp), version(Protocol::Ucp202601),
            ] },
        },
        "signing_keys": [],
    })
}

async fn show_profile(profile: web::Data<Value>) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=60")).json(&**profile)
}

async fn hear(
    listener: web::Data<Listener>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let doubt = believe(&listener, &request, &body).await.err();
    let is_believed = doubt.is_none();
    say(&listener, &request, doubt, true, &body);
    if is_believed {
        HttpResponse::Ok().json(json!({ "ucp": {
        "version": super::ucp::VERSION, "status": "success" } }))
    } else {
        HttpResponse::Unauthorized().finish()
    }
}

async fn hear_any(
    listener: web::Data<Listener>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    say(&listener, &request, None, false, &body);
    HttpResponse::NoContent().finish()
}

fn say(
    listener: &Listener,
    request: &HttpRequest,
    doubt: Option<String>,
    was_checked: bool,
    body: &[u8],
) {
    let id = signed::joined(request.headers(), "webhook-id").unwrap_or_default();
    let body = String::from_utf8_lossy(body).into_owned();
    // Nobody listens any more when the command ends.
    let _ended = listener.heard.send(Heard { id, doubt, was_checked, body });
}

/// Why a webhook is not believed, in words.
struct Doubt(String);

impl From<SignatureRefused> for Doubt {
    fn from(refused: SignatureRefused) -> Self {
        Self(refused.to_string())
    }
}

fn key_of(profile: &Profile, kid: &str) -> Result<PublicKey, Doubt> {
    let key = profile.key(kid).ok_or_else(|| Doubt("the shop's profile has no such key".into()))?;
    key.clone().map_err(|unusable| Doubt(unusable.to_string()))
}

/// Checks a webhook as the protocol says: by a key of the shop's profile, over all that counts.
async fn believe(listener: &Listener, request: &HttpRequest, body: &[u8]) -> Result<(), String> {
    let header = |name: &str| signed::joined(request.headers(), name);
    let profile = listener.platforms.profile(&listener.shop).await;
    let profile = profile.map_err(|fault| fault.to_string())?;
    if let Some(signature) = header("request-signature") {
        return verify_detached(&signature, body, |kid| key_of(&profile, kid))
            .map_err(|Doubt(why)| why);
    }
    let (input, signature) = (header("signature-input"), header("signature"));
    let claims = claims(input.as_deref(), signature.as_deref()).map_err(|why| why.to_string())?;
    let digest = header("content-digest").unwrap_or_default();
    if digest_holds(&digest, body) != Some(true) {
        return Err("Content-Digest is not of this body".to_owned());
    }
    let claim = &claims[0];
    let key = key_of(&profile, &claim.keyid).map_err(|Doubt(why)| why)?;
    let authority = header("host").unwrap_or_default().to_ascii_lowercase();
    let target = Target::Request {
        method: request.method().as_str(),
        authority: &authority,
        path: request.uri().path(),
        query: request.uri().query(),
    };
    let message = Message { target, header: &header };
    let must = ["@method", "@authority", "@path", "webhook-id", "content-digest"];
    claim.verify(&message, &key, &must, listener.clock.now()).map_err(|why| why.to_string())
}
