//! Thirty orders that a risk lead stops.

use super::{
    Case,
    order::{DAY, HOUR, MINUTE, Order, by},
};

/// So many orders before, each by somebody else, this far apart.
fn before(count: u64, apart: u64, of: impl Fn(Order) -> Order) -> Vec<Order> {
    (1..=count).map(|one| of(stranger(one)).ago(one * apart)).collect()
}

/// Somebody nobody has seen.
fn stranger(number: u64) -> Order {
    let account = by(&format!("stranger-{number}")).account("new", 0);
    account.ip(&format!("45.{number}.9.1"), "DE").bin(&format!("5{number:07}"))
}

/// With a card of another country, from a third, to an address that is not the bill's.
fn mismatched(order: Order) -> Order {
    let order = order.card_from("US").bill("main street 5", "US").ip("46.7.8.9", "VN");
    order.ship("drop 9", "DE").seconds(20)
}

/// Somebody's account, in use for two months, on a device and in a network of somebody else.
fn taken() -> (Vec<Order>, Order) {
    let past = [50, 31, 22, 12, 4].map(|days| by("ada").ago(days * DAY)).into();
    let order = by("ada").device("another's laptop").ip("46.7.8.9", "VN").seconds(15);
    (past, order.euros(400))
}

fn testing() -> Vec<Case> {
    let case = |name, past: Vec<Order>| Case { name, past, order: stranger(0).euros(3) };
    let with = |name, past: Vec<Order>, order: Order| Case { name, past, order };
    let cart = |order: Order| order.failed();
    let in_cart = before(8, MINUTE, cart).into_iter().map(Order::same_cart).collect();
    let device = |order: Order| order.device("bot");
    let ip = |order: Order| order.ip("45.0.0.1", "DE");
    let email = |order: Order| order.email("tester@freemail.example");
    let address = |order: Order| order.ship("drop 1", "DE").bill("drop 1", "DE");
    let bin = |order: Order| order.bin("52345678");
    let order = || stranger(0).euros(3);
    vec![
        case("many cards on a cart", in_cart),
        with(
            "many cards on a device",
            before(12, 20 * MINUTE, |o| device(o).failed()),
            device(order()),
        ),
        with(
            "many cards of one network address",
            before(15, 12 * MINUTE, |o| ip(o).failed()),
            ip(order()),
        ),
        with(
            "many cards of one buyer",
            before(10, 30 * MINUTE, |o| email(o).failed()),
            email(order()),
        ),
        with(
            "many cards to one address",
            before(15, HOUR, |o| address(o).failed()),
            address(order()),
        ),
        with(
            "numbers that are counted through",
            before(30, MINUTE, |o| bin(o).failed()),
            bin(order()),
        ),
        with(
            "an hour between two cards",
            before(10, HOUR, |o| email(device(o)).failed()),
            email(device(order())),
        ),
        with(
            "one device, one network address",
            before(9, 25 * MINUTE, |o| ip(device(o)).failed()),
            ip(device(order())),
        ),
        with(
            "the card that worked at last",
            before(9, 9 * MINUTE, |o| device(o).failed()),
            mismatched(device(order())).euros(300),
        ),
    ]
}

fn stolen() -> Vec<Case> {
    let case = |name, past: Vec<Order>, order: Order| Case { name, past, order };
    let thief = || mismatched(stranger(0)).euros(350);
    let card = |number: u64| thief().card(&format!("stolen {number}"));
    let tried =
        |count: u64| (1..=count).map(|one| card(one).ago(one * 9 * MINUTE).failed()).collect();
    let bought = (1..=3).map(|one| card(one).ago(one * HOUR)).collect();
    vec![
        case("nothing matches", vec![], thief()),
        case("nothing matches, gift cards", vec![], thief().gift_card()),
        case("nothing matches, a guest", vec![], thief().guest()),
        case("after two cards that failed", tried(2), thief()),
        case("after four cards that failed", tried(4), thief()),
        case("the fourth card in a day", bought, thief()),
        case("a foreign card to a drop", vec![], thief().ip("80.1.2.3", "DE").euros(900)),
        case(
            "a foreign network to a drop",
            vec![],
            thief().card_from("DE").bill("road 1", "DE").euros(900),
        ),
    ]
}

fn takeover() -> Vec<Case> {
    let case = |name, with: &dyn Fn(Order) -> Order| {
        let (past, order) = taken();
        Case { name, past, order: with(order) }
    };
    vec![
        case("an account, goods to a drop", &|o| o.ship("drop 9", "DE")),
        case("an account, gift cards", &|o| o.gift_card()),
        case("an account with another card", &|o| o.card("stolen").ship("drop 9", "DE")),
        case("an account, goods abroad", &|o| o.ship("drop 9", "VN").euros(800)),
    ]
}

fn rings() -> Vec<Case> {
    let case = |name, past: Vec<Order>, order: Order| Case { name, past, order };
    let drop =
        |o: Order| o.ship("drop 4", "DE").card_from("US").bill("elm street", "US").euros(250);
    let far = |o: Order| drop(o).ip("46.1.2.3", "VN");
    let promotion =
        |o: Order| o.device("one phone").ship("home 1", "DE").bill("home 1", "DE").discount();
    let one_card = |o: Order| o.card("one card");
    let bots = |o: Order| o.ip("45.0.0.1", "DE").euros(200).seconds(3);
    vec![
        case("a drop of eight", before(8, 30 * HOUR, drop), drop(stranger(0))),
        case("a drop of fifteen", before(15, 20 * HOUR, drop), drop(stranger(0))),
        case("a drop from afar", before(8, 30 * HOUR, far), far(stranger(0))),
        case("a phone of eight accounts", before(8, 11 * HOUR, promotion), promotion(stranger(0))),
        case(
            "a phone of fifteen accounts",
            before(15, 3 * HOUR, promotion),
            promotion(stranger(0)),
        ),
        case("a card of six owners", before(6, HOUR, one_card), one_card(stranger(0)).euros(200)),
        case(
            "a card known for fraud",
            vec![stranger(1).card("x").ago(20 * DAY).fraud()],
            mismatched(stranger(0)).card("x"),
        ),
        case(
            "a device known for fraud",
            before(3, 9 * DAY, |o| o.device("x").fraud()),
            mismatched(stranger(0)).device("x"),
        ),
        case(
            "twelve of one network address",
            before(12, 5 * MINUTE, |o| bots(o).failed()),
            bots(stranger(0)),
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [testing(), stolen(), takeover(), rings()].into_iter().flatten().collect()
}
