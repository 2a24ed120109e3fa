//! What this version mounts outside its own path, as the operator chooses: the whole service at the
//! root of the shop, with its profile at `/.well-known/ucp`, and what tests may simulate.

use actix_web::{
    HttpRequest,
    dev::RequestHead,
    guard,
    http::header,
    web::{self, ServiceConfig},
};

use super::{
    BASE_PATH, discovery, orders,
    simulation::{self, SimulationSecret},
};

/// Marks an app in which this version is at the root.
#[derive(Debug, Clone, Copy)]
pub struct AtRoot;

impl AtRoot {
    /// Whether this version is what answers this request, if it is for the root.
    pub fn speaks(request: &HttpRequest) -> bool {
        request.app_data::<Self>().is_some() && !wants_page(request.head())
    }
}

/// What is mounted beside [`routes`](super::routes).
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Whether this version is what platforms find when they ask for no version.
    pub at_root: bool,
    /// Who knows it may simulate.
    pub simulation: Option<SimulationSecret>,
}

impl Beside {
    /// Mounts it. To be called before the other routes, whose profile it may stand before.
    pub fn mount(self, config: &mut ServiceConfig) {
        if let Some(secret) = self.simulation {
            config.app_data(secret);
            for base in ["", BASE_PATH] {
                let path = format!("{base}/testing/simulate-shipping/{{id}}");
                config.service(web::resource(path).post(simulation::ship));
            }
        }
        if self.at_root {
            config.app_data(AtRoot);
            config.service(web::resource("/.well-known/ucp").get(discovery::get));
            super::sessions(config);
            // People who follow a link to their order get its page.
            let orders = web::resource("/orders/{id}")
                .guard(guard::fn_guard(|request| !wants_page(request.head())));
            config.service(orders.get(orders::get).put(orders::update));
        }
    }
}

/// Whether a person with a browser asks: for the page of an order, where there is one.
fn wants_page(head: &RequestHead) -> bool {
    let accepts = head.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|text| text.contains("text/html"))
}
