//! The life of a rule under load: saved off, put in shadow, tried on the history that was made
//! meanwhile, put live; no restart, and no checkout that is answered with a fault.

use actix_web::http::Method;
use doorbuster::catalog::StockPolicy;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

use super::{
    http_shop::Shop,
    http_ucp::{SESSIONS, cart, pay},
};

const RULE: &str = "/v1/rules/stop_testers";
const EXPRESSION: &str = "email_domain == \"testers.example\"";

/// Checkouts that run at any time.
const SHOPPERS: usize = 4;

/// Checkouts of testers that lie within a stage, begun and ended, before the next one comes.
const SEEN: usize = 6;

/// Where the rule is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unknown,
    Off,
    Shadow,
    Live,
    OffAgain,
}

/// A checkout that lay within one stage.
struct Seen {
    stage: Stage,
    tester: bool,
    checkout: String,
    status: String,
}

/// A sale under way, and what was seen of it.
struct Sale<'a> {
    shop: &'a Shop,
    stage: Cell<Option<Stage>>,
    over: Cell<bool>,
    /// Testers' checkouts begun, and those that ended.
    testers: Cell<(u64, u64)>,
    numbers: Cell<u64>,
    seen: RefCell<Vec<Seen>>,
}

impl Sale<'_> {
    /// Buys until the sale is over. Every second buyer is one that the rule is about.
    async fn shopper(&self) {
        while !self.over.get() {
            let number = self.numbers.replace(self.numbers.get() + 1);
            let tester = number.is_multiple_of(2);
            let domain = if tester { "testers.example" } else { "buyers.example" };
            let began = self.stage.get();
            let (of_testers, ended) = self.testers.get();
            self.testers.set((of_testers + u64::from(tester), ended));
            let (checkout, status) = self.buys(&format!("buyer{number}@{domain}")).await;
            let (of_testers, ended) = self.testers.get();
            self.testers.set((of_testers, ended + u64::from(tester)));
            // While the rule is changed there is no stage.
            if let Some(stage) = began.filter(|_| began == self.stage.get()) {
                self.seen.borrow_mut().push(Seen { stage, tester, checkout, status });
            }
        }
    }

    async fn buys(&self, email: &str) -> (String, String) {
        let mut cart = cart(&[("EVERY", 1)]);
        cart["buyer"]["email"] = json!(email);
        let created = self.shop.post(SESSIONS, &cart).await;
        assert_eq!(created.status, 201, "{}", created.json());
        let id = created.json()["id"].as_str().expect("an id").to_owned();
        let path = format!("{SESSIONS}/{id}/complete");
        let paid = self.shop.post(&path, &pay("success_token")).await;
        assert_eq!(paid.status, 200, "no checkout is refused or fails: {}", paid.json());
        (id, paid.json()["status"].as_str().expect("a status").to_owned())
    }

    /// Changes the rule, and lets checkouts run from their beginning to their end under it.
    async fn comes_to(&self, stage: Stage, path: &str, body: &Value) {
        self.stage.set(None);
        let changed = self.shop.ask(Method::PUT, path, body).await;
        assert_eq!(changed.status, 200, "{}", changed.json());
        self.runs(stage).await;
    }

    async fn runs(&self, stage: Stage) {
        self.stage.set(Some(stage));
        let of_stage = |seen: &&Seen| seen.stage == stage && seen.tester;
        while self.seen.borrow().iter().filter(of_stage).count() < SEEN {
            tokio::task::yield_now().await;
        }
    }

    /// Tries the rule on what was judged so far: it stops the testers, and nobody else.
    async fn is_tried(&self) {
        let (_, ended) = self.testers.get();
        let body = json!({"rule": {"expression": EXPRESSION, "action": "block"}});
        let tried = self.shop.post("/v1/backtests", &body).await;
        assert_eq!(tried.status, 200, "{}", tried.json());
        let (begun, _) = self.testers.get();
        let report = tried.json()["report"].clone();
        let matched = report["matched"].as_u64().expect("a number");
        assert!((ended..=begun).contains(&matched), "{ended} to {begun} testers: {report}");
        let attempts = report["attempts"].as_u64().expect("a number");
        assert!(attempts > matched && attempts <= self.numbers.get(), "{report}");
    }
}

#[actix_web::test]
async fn a_rule_lives_from_off_to_shadow_to_a_backtest_to_live_under_load() {
    let shop = Shop::open().await;
    shop.sells("EVERY", 1990, StockPolicy::Untracked, 0).await;
    let sale = Sale {
        shop: &shop,
        stage: Cell::new(Some(Stage::Unknown)),
        over: Cell::new(false),
        testers: Cell::new((0, 0)),
        numbers: Cell::new(0),
        seen: RefCell::default(),
    };
    let life = async {
        sale.runs(Stage::Unknown).await;
        let saved = json!({
            "expression": EXPRESSION, "action": "block", "mode": "off", "reason": "card testers",
        });
        sale.comes_to(Stage::Off, RULE, &saved).await;
        let mode = format!("{RULE}/mode");
        let shadow = json!({"mode": "shadow", "reason": "see what it stops"});
        sale.comes_to(Stage::Shadow, &mode, &shadow).await;
        sale.is_tried().await;
        let live = json!({"mode": "live", "reason": "it stops testers alone"});
        sale.comes_to(Stage::Live, &mode, &live).await;
        let off = json!({"mode": "off", "reason": "they are gone"});
        sale.comes_to(Stage::OffAgain, &mode, &off).await;
        sale.over.set(true);
    };
    let shoppers = futures_util::future::join_all((0..SHOPPERS).map(|_| sale.shopper()));
    futures_util::future::join(life, shoppers).await;
    for seen in &sale.seen.take() {
        is_as_its_stage_says(&shop, seen).await;
    }
}

/// What the record of a checkout's judgement says of the rule, and what became of the checkout.
async fn is_as_its_stage_says(shop: &Shop, seen: &Seen) {
    let path = format!("/v1/orders/{}/assessments", seen.checkout);
    let judged = shop.get(&path).await.json();
    let judged = &judged["items"][0];
    let rules = judged["rules"].as_array().expect("a list");
    let hit = rules.iter().find(|hit| hit["rule"] == "stop_testers");
    let shadow = hit.map(|hit| hit["shadow"].as_bool().expect("said"));
    let expected = match seen.stage {
        Stage::Shadow if seen.tester => Some(true),
        Stage::Live if seen.tester => Some(false),
        _ => None,
    };
    assert_eq!(shadow, expected, "{:?}, tester {}: {judged}", seen.stage, seen.tester);
    if expected == Some(false) {
        assert_eq!(judged["outcome"], "decline", "{judged}");
        assert_eq!(judged["decided_by"], json!({"rule": "stop_testers"}), "{judged}");
        assert_eq!(seen.status, "ready_for_complete", "declined, and open for another try");
    } else {
        assert_ne!(judged["outcome"], "decline", "{judged}");
        assert_eq!(seen.status, "completed", "{:?}: {judged}", seen.stage);
    }
}
