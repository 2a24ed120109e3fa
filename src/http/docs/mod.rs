//! What a developer reads: the OpenAPI document, the pages made of it, and what tools import.
//!
//! **Owns:** the table of operations, one entry for each method of each route, and everything that
//! is derived from it. **Invariant:** the table and the mounted routes are the same, in both
//! directions; every documented example is answered as documented; a field that is documented as
//! needed is refused when it is missing. `tests/it/http_docs.rs` sees to it.
//! **Not here:** what the routes do.
//!
//! Who adds a route adds a line to the table of its area: [`house`], [`ucp`], [`ucp01`], [`acp`],
//! or one of those of `/v1`.

mod acp;
pub mod errors;
pub mod fields;
mod guides;
mod house;
mod kept;
pub mod openapi;
pub mod operation;
mod page;
mod path;
pub mod postman;
mod reference;
mod refusals;
mod ucp;
mod ucp01;
mod v1_cases;
mod v1_fraud;
mod v1_keys;
mod v1_labels;
mod v1_orders;
mod v1_shop;
mod v1_webhooks;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, ServiceConfig},
};

use super::door::Door;
use kept::kept;
use operation::Operation;

/// Mounts what is to be read.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/openapi.json").get(openapi::get))
        .service(web::resource("/docs").get(get))
        .service(web::resource("/docs/postman.json").get(postman::get))
        .service(web::resource("/docs/{guide}").get(guides::get));
}

/// Serves the reference.
async fn get(door: web::Data<Door>, request: HttpRequest) -> HttpResponse {
    let page = kept("reference", &door.site().base_url, |base_url| {
        let areas = areas();
        page::page("Reference", &areas, &reference::main(&areas, base_url))
    });
    page::answer(page, &request)
}

/// Operations that belong together.
#[derive(Debug)]
pub struct Area {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub says: &'static str,
    /// What can be asked.
    pub operations: Vec<Operation>,
}

/// Everything that can be asked of this service, in the order in which it is told.
pub fn areas() -> Vec<Area> {
    let area = |name, says, operations| Area { name, says, operations };
    vec![
        area("Orders", "The express lane, and what becomes of an order.", v1_orders::operations()),
        area(
            "UCP",
            "The Universal Commerce Protocol, version 2026-04-08: what shopping agents speak.",
            ucp::operations(),
        ),
        area(
            "ACP",
            "The Agentic Commerce Protocol, version 2026-04-17: the same shop in other words.",
            acp::operations(),
        ),
        area(
            "UCP 2026-01-11",
            "The version before: a complete profile of its own over the same stock.",
            ucp01::operations(),
        ),
        area("Shop", "Products, stock, and the tariff.", v1_shop::operations()),
        area("Webhooks", "Who hears of what happens to orders.", v1_webhooks::operations()),
        area("Fraud", "Cases, rules, lists, labels, models.", v1_fraud::operations()),
        area("Keys", "Who may ask.", v1_keys::operations()),
        area("House", "For those who watch it, and those who read.", house::operations()),
    ]
}
