//! Our own interface: the express lane and the back office.
//!
//! **Owns:** its routes and wire formats. **Invariant:** refusals are problems; a change and its
//! key are one commit, but for acts that are several commits each done once
//! (see [`once`](super::idempotency::once)).
//! **Not here:** what agents speak (see [`ucp`](super::ucp)).

pub mod assessments;
pub mod backtests;
pub mod case_actions;
pub(in crate::http) mod case_blocks;
pub(in crate::http) mod case_bulk;
pub mod case_links;
pub(in crate::http) mod case_view;
pub mod cases;
pub mod drift;
pub mod exchange;
pub mod express;
pub mod fraud_overview;
pub mod keys;
pub mod labels;
pub mod models;
pub mod movements;
pub mod order_answer;
pub mod order_changes;
pub mod order_money;
pub mod order_view;
pub mod orders;
pub mod page;
pub mod price_lists;
pub mod product_groups;
mod product_patches;
pub(in crate::http) mod product_removal;
pub mod products;
pub(in crate::http) mod reconciliations;
pub mod rule_lists;
pub mod rule_snoozes;
pub mod rules;
pub mod stock;
pub mod tariff;
pub mod testing;
pub mod webhook_deliveries;
pub mod webhook_endpoints;

use actix_web::web::{self, ServiceConfig};

/// Mounts the routes below `/v1`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(tariff::routes)
        .configure(price_lists::routes)
        .configure(exchange::routes)
        .configure(webhook_endpoints::routes)
        .configure(webhook_deliveries::routes)
        .configure(keys::routes)
        .configure(cases_and_models)
        .configure(rules_and_lists)
        .service(web::resource("/orders").post(express::place).get(orders::list))
        .service(web::resource("/orders/{id}").get(orders::get))
        .service(web::resource("/orders/{id}/shipments").post(order_changes::ship))
        .service(web::resource("/orders/{id}/adjustments").post(order_changes::adjust))
        .service(web::resource("/orders/{id}/lines/{line}/{kind}").post(order_changes::shift))
        .service(web::resource("/orders/{id}/cancel").post(order_money::cancel))
        .service(web::resource("/orders/{id}/capture").post(order_money::capture))
        .service(web::resource("/orders/{id}/void").post(order_money::void))
        .service(web::resource("/orders/{id}/assessments").get(cases::list_assessments))
        .service(web::resource("/orders/{id}/labels").get(labels::list).post(labels::add))
        .service(web::resource("/payments/breaks").get(reconciliations::breaks))
        .service(web::resource("/payments/reconciliations").get(reconciliations::runs))
        .service(web::resource("/product-groups").get(product_groups::list))
        .service(
            web::resource("/product-groups/{id}")
                .get(product_groups::get)
                .put(product_groups::save)
                .delete(product_groups::remove),
        )
        .service(web::resource("/products").get(products::list))
        .service(web::resource("/products/bulk").post(product_patches::save_many))
        .service(
            web::resource("/products/{sku}")
                .get(products::get)
                .put(products::save)
                .delete(product_removal::remove),
        )
        .service(web::resource("/products/{sku}/references").get(product_removal::references))
        .service(web::resource("/testing/clock").get(testing::get).post(testing::advance))
        .service(web::resource("/stock").get(stock::list))
        .service(web::resource("/stock/movements").post(movements::record))
        .service(web::resource("/stock/{sku}").get(stock::get))
        .service(web::resource("/stock/{sku}/movements").get(movements::list));
}

/// What a risk team works with.
fn cases_and_models(config: &mut ServiceConfig) {
    config
        .service(web::resource("/fraud/overview").get(fraud_overview::get))
        .service(web::resource("/labels/bulk").post(labels::add_many))
        .service(web::resource("/assessments").get(assessments::list))
        .service(web::resource("/backtests").post(backtests::run))
        .service(web::resource("/models").get(models::list).post(models::add))
        .service(web::resource("/models/comparison").get(models::comparison))
        .service(web::resource("/models/rollback").post(models::rollback))
        .service(web::resource("/models/{version}/watch").post(models::watch))
        .service(web::resource("/models/{version}/unwatch").post(models::unwatch))
        .service(web::resource("/models/{version}/promote").post(models::promote))
        .service(web::resource("/models/{version}/approve").post(models::approve))
        .service(web::resource("/cases").get(cases::list))
        .service(web::resource("/cases/claim").post(case_actions::claim_next))
        .service(web::resource("/cases/decide").post(case_bulk::decide))
        .service(web::resource("/cases/{order}").get(cases::get))
        .service(web::resource("/cases/{order}/links").get(case_links::list))
        .service(web::resource("/cases/{order}/{action}").post(case_actions::act))
        .service(web::resource("/models/drift").get(drift::get))
        .service(web::resource("/models/{version}").get(models::get));
}

/// What it writes.
fn rules_and_lists(config: &mut ServiceConfig) {
    config
        .service(web::resource("/rules").get(rules::list))
        .service(web::resource("/rules/language").get(rules::language))
        .service(web::resource("/rules/check").post(rules::check))
        .service(
            web::resource("/rules/{name}").get(rules::get).put(rules::save).delete(rules::remove),
        )
        .service(web::resource("/rules/{name}/mode").put(rules::set_mode))
        .service(web::resource("/rules/{name}/versions").get(rules::versions))
        .service(
            web::resource("/rules/{name}/snoozes")
                .get(rule_snoozes::list)
                .post(rule_snoozes::snooze),
        )
        .service(web::resource("/rules/{name}/snoozes/{kind}/{value:.+}").delete(rule_snoozes::end))
        .service(web::resource("/lists").get(rule_lists::list))
        .service(
            web::resource("/lists/{name}")
                .get(rule_lists::get)
                .put(rule_lists::save)
                .delete(rule_lists::remove_list),
        )
        .service(
            web::resource("/lists/{name}/entries").get(rule_lists::entries).post(rule_lists::add),
        )
        .service(web::resource("/lists/{name}/entries/{value:.+}").delete(rule_lists::remove));
}
