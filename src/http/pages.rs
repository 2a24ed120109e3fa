//! Small pages that answers link to: policies, the problems explained, and where a buyer lands.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};

use super::{kinds::Kind, problem::Problem};

/// Mounts the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/policies/{name}").get(policy))
        .service(web::resource("/problems/{code}").get(problem))
        .service(web::resource("/orders/{id}").get(order))
        .service(web::resource("/checkouts/{id}").get(checkout));
}

async fn policy(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let text = match name.as_str() {
        "privacy" => {
            "Privacy policy\n\nThis shop has not published its own policy yet. What is kept about \
             a buyer: name, e-mail, phone, addresses and network address, for the order alone.\n"
        }
        "terms" => "Terms of service\n\nThis shop has not published its own terms yet.\n",
        "payments" => {
            "Payments\n\nSend a token of the payment handler, never a card number. The sandbox \
             takes success_token, fail_token, insufficient_funds_token, challenge_token, \
             slow_token, lost_token and flaky_token.\n"
        }
        _ => return Err(Problem::new(Kind::NotFound, "There is no such page.")),
    };
    Ok(page(text.to_owned()))
}

async fn problem(code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let row = Kind::ALL.iter().map(|kind| kind.row()).find(|row| row.code == code.as_str());
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such problem."))?;
    Ok(page(format!("{}\n\n{}, HTTP status {}\n", row.title, row.code, row.status)))
}

/// The address says nothing about the order: whoever has it may not be the buyer.
async fn order(id: web::Path<String>) -> HttpResponse {
    page(format!("Order {}\n\nThe confirmation goes to the buyer by e-mail.\n", plain(&id)))
}

async fn checkout(id: web::Path<String>) -> HttpResponse {
    page(format!("Checkout {}\n\nGo on where you started it.\n", plain(&id)))
}

fn plain(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect()
}

fn page(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(("x-content-type-options", "nosniff"))
        .body(text)
}
