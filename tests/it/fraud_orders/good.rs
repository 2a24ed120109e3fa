//! Thirty orders that a risk lead lets through.

use super::{
    Case,
    order::{DAY, HOUR, MINUTE, Order, by},
};

/// Somebody who has bought now and then for two months.
fn known(name: &str) -> Vec<Order> {
    [55, 38, 20, 6].map(|days| by(name).ago(days * DAY)).into()
}

fn others(count: u64, of: impl Fn(u64, Order) -> Order) -> Vec<Order> {
    (0..count).map(|one| of(one, by(&format!("neighbor-{one}"))).ago((one + 1) * 2 * DAY)).collect()
}

pub(super) fn cases() -> Vec<Case> {
    let case = |name, past: Vec<Order>, order: Order| Case { name, past, order };
    let digits = |order: Order| order.email("ada18151852@freemail.example").account("ada", 730);
    let phone = |order: Order| order.email("13812345678@freemail.example");
    let expat = |order: Order| order.card_from("PL").bill("ulica 1", "PL");
    let locker = |order: Order| order.ship("locker 7", "DE");
    let office = |order: Order| order.ship("tower 1", "DE").ip("90.1.1.7", "DE");
    let hall = |order: Order| order.ship("hall 3", "DE").bill("hall 3", "DE").ip("91.1.1.9", "DE");
    let tunnel = |order: Order| order.ip("92.1.1.11", "NL");
    let again = |orders: Vec<Order>, with: &dyn Fn(Order) -> Order| -> Vec<Order> {
        orders.into_iter().map(with).collect()
    };
    vec![
        case("a known customer", known("ada"), by("ada")),
        case("digits in the address", again(known("ada"), &digits), digits(by("ada"))),
        case("a phone number as address", again(known("li"), &phone), phone(by("li"))),
        case("a phone number, first order", vec![], phone(by("li")).account("li", 0)),
        case("a guest's first order", vec![], by("bo").guest()),
        case("a new account's first order", vec![], by("bo").account("bo", 0)),
        case("at night", known("ada"), by("ada").ago(11 * HOUR)),
        case("a present", known("ada"), by("ada").ship("grandma's 2", "DE")),
        case("a present abroad", known("ada"), by("ada").ship("rue 2", "FR")),
        case("a locker of twelve", others(12, |_, order| locker(order)), locker(by("bo"))),
        case("an office of seven", others(7, |_, order| office(order)), office(by("bo"))),
        case("a dormitory of twenty", others(20, |_, order| hall(order)), hall(by("bo"))),
        case("a laptop", known("ada"), by("ada").euros(450)),
        case("three laptops", known("ada"), by("ada").euros(1_400).units(3)),
        case("a laptop, first order", vec![], by("bo").euros(450).account("bo", 90)),
        case("an expat", again(known("eva"), &expat), expat(by("eva"))),
        case("an expat's first order", vec![], by("eva").card_from("PL").guest()),
        case("on a journey", known("ada"), by("ada").ip("93.4.5.6", "ES")),
        case("through a tunnel", again(known("ada"), &tunnel), tunnel(by("ada"))),
        case("a new phone", known("ada"), by("ada").device("ada's new phone")),
        case("a new card", known("ada"), by("ada").card("ada's new card")),
        case("an agent", known("ada"), by("ada").agent()),
        case("a wallet, first order", vec![], by("bo").wallet().guest().seconds(12)),
        case("a download, first order", vec![], by("bo").digital().euros(10).guest()),
        case("a gift card", known("ada"), by("ada").gift_card().euros(25)),
        case("a discount, first order", vec![], by("bo").discount().account("bo", 0)),
        case("a typing error", vec![by("bo").ago(MINUTE).same_cart().failed()], by("bo")),
        case("a basket alone", vec![], by("bo").basket_alone()),
        case("an address alone", vec![], by("bo").mail_alone().euros(400)),
        case("no card told, first order", vec![], by("bo").without_card().guest()),
    ]
}
