//! The server itself: routes put together, limits the framework enforces.

use actix_http::{HttpService, Protocol, Request, error::DispatchError};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::{AppConfig, Server},
    middleware::from_fn,
    rt::net::TcpStream,
    web::{self, Data, ServiceConfig},
};
use std::{fmt, io, net::TcpListener, sync::Arc, time::Duration};

use crate::telemetry::metrics::Exporter;

use super::{
    acp, admission, caller,
    connections::{Connections, SEND_BUFFER},
    contract, docs,
    door::Door,
    gateways, head, health,
    kinds::Kind,
    pages,
    problem::Problem,
    ucp, ucp01, v1,
};

/// Connections that say nothing are closed after this; clients keep theirs for bursts.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A connection that is closed may take so long for it.
const CLOSING: Duration = Duration::from_secs(1);

/// Seconds that a server for those who watch waits for its requests when it stops.
const FIGURES_SHUTDOWN_SECONDS: u64 = 30;

/// Mounts every route. The door must be the app's data, and `admission::admit` must wrap it.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").get(health::healthz))
        .service(web::resource("/readyz").get(health::readyz))
        .service(web::resource("/.well-known/ucp").get(ucp::discovery::get))
        .service(web::resource(ucp::PROFILE_PATH).get(ucp::discovery::get))
        .service(web::resource(ucp01::PROFILE_PATH).get(ucp01::discovery::get))
        .service(web::resource("/.well-known/acp.json").get(acp::discovery::get))
        .service(web::scope(acp::BASE_PATH).configure(acp::routes))
        // Before the one whose path it begins with: a scope is not left again.
        .service(web::scope(ucp01::BASE_PATH).configure(ucp01::routes))
        .service(web::scope(ucp::BASE_PATH).configure(ucp::routes))
        .service(web::scope("/v1").wrap(from_fn(contract::admit)).configure(v1::routes))
        .configure(gateways::routes)
        .configure(pages::routes)
        .configure(docs::routes)
        .app_data(
            web::PathConfig::default().error_handler(|_, _| {
                Problem::new(Kind::NotFound, "The path cannot be read.").into()
            }),
        )
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            Problem::new(Kind::Invalid, format!("The query cannot be read: {error}.")).into()
        }))
        .default_service(web::to(nothing_here));
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(caller::nothing_here())
}

/// `/metrics` beside the API, where it has no port of its own.
pub fn beside(
    exporter: &Exporter,
    mounted: bool,
) -> impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static {
    let exporter = mounted.then(|| exporter.clone());
    move |config: &mut ServiceConfig| {
        if let Some(exporter) = exporter {
            config.configure(health::metrics_routes(exporter));
        }
    }
}

/// A small server for those who watch the house: `/metrics`, `/healthz`, `/readyz`.
pub fn figures(door: Data<Door>, exporter: Exporter, listener: TcpListener) -> io::Result<Server> {
    let connections = Connections::new(&door.limits);
    let header = Duration::from_secs(door.limits.header_seconds);
    let app = move || {
        App::new()
            .wrap(from_fn(head::heads_as_gets))
            .app_data(door.clone())
            .configure(health::metrics_routes(exporter.clone()))
            .service(web::resource("/healthz").get(health::healthz))
            .service(web::resource("/readyz").get(health::readyz))
    };
    let server = Server::build().workers(1).shutdown_timeout(FIGURES_SHUTDOWN_SECONDS);
    Ok(listen(server.disable_signals(), listener, connections, header, app)?.run())
}

/// A server on these listeners. `more` mounts what only the composition root knows (metrics on the
/// main port, the sandbox). Signals are the caller's.
pub fn server(
    door: Data<Door>,
    listeners: Vec<TcpListener>,
    workers: usize,
    more: impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let limits = door.limits.clone();
    let connections = Connections::new(&limits);
    let header = Duration::from_secs(limits.header_seconds);
    let app = move || {
        App::new()
            .wrap(from_fn(admission::admit))
            .app_data(door.clone())
            .configure(more.clone())
            .configure(routes)
    };
    let mut server =
        Server::build().workers(workers).shutdown_timeout(limits.request_seconds).disable_signals();
    for listener in listeners {
        server = listen(server, listener, connections.clone(), header, app.clone())?;
    }
    Ok(server.run())
}

/// Listens as the framework's own server does, on connections that are watched.
fn listen<F, I, S, B>(
    server: ServerBuilder,
    listener: TcpListener,
    connections: Arc<Connections>,
    header: Duration,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error>,
    S::InitError: fmt::Debug,
    S::Response: Into<actix_http::Response<B>>,
    B: MessageBody + 'static,
{
    // Connections inherit it.
    socket2::SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER)?;
    let name = listener.local_addr()?.to_string();
    let stopping = server.graceful_shutdown_signal();
    server.listen(name, listener, move || {
        let app = app().into_factory().map_err(|error| error.into().error_response());
        let stopping = stopping.clone();
        let http = HttpService::build()
            // Connections on which nothing is under way end with the service.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            // Who closes the line has given up: their request is dropped where it waits. What has
            // begun is finished by the cart, and the same key asks for it again.
            .h1_allow_half_closed(false)
            .client_request_timeout(header)
            .client_disconnect_timeout(CLOSING)
            .finish(map_config(app, |()| AppConfig::default()));
        let connections = Arc::clone(&connections);
        let watch = move |stream: TcpStream| {
            let watched = connections.admit(stream);
            std::future::ready(match watched {
                Some(watched) => {
                    let peer = watched.peer();
                    Ok((watched, Protocol::Http1, peer))
                }
                None => Err(too_many()),
            })
        };
        fn_service(watch).and_then(http)
    })
}

/// The framework closes a connection whose beginning fails.
fn too_many() -> DispatchError {
    DispatchError::Io(io::ErrorKind::QuotaExceeded.into())
}
