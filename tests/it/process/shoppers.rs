//! Shoppers who never give up: each request is sent under its key until it has an answer. What they
//! were told is written down, to be held against the service afterwards.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::till::{self, Till, fresh_key};

/// Where sessions are opened.
pub(super) const SESSIONS: &str = "/ucp/checkout-sessions";

/// Everything the shoppers were told.
#[derive(Debug, Default)]
pub(super) struct Diary {
    /// Every request with its answer.
    pub(super) deeds: Vec<Deed>,
    /// Orders acknowledged.
    pub(super) orders: Vec<String>,
    /// Checkouts whose payment was still unknown when they were answered.
    pub(super) pending: Vec<String>,
    /// Sessions acknowledged with their units, not paid.
    pub(super) held: Vec<String>,
    /// How long each refusal with 503 took.
    pub(super) refused: Vec<Duration>,
    /// Requests that got no answer.
    pub(super) silences: Vec<String>,
}

/// A request with its answer.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) status: u16,
    pub(super) answer: Vec<u8>,
}

/// A sale under way.
pub(super) struct Sale {
    shared: Arc<Shared>,
    shoppers: JoinSet<()>,
}

struct Shared {
    till: Till,
    skus: Vec<String>,
    tokens: Vec<&'static str>,
    diary: Mutex<Diary>,
    orders: AtomicUsize,
    over: AtomicBool,
}

/// Mostly good money, and some of each kind that makes trouble.
pub(super) const MIXED: &[&str] = &[
    "success_token",
    "success_token",
    "success_token",
    "success_token",
    "success_token",
    "success_token",
    "fail_token",
    "flaky_token",
    "lost_token",
];

impl Sale {
    /// Lets so many shoppers in.
    pub(super) fn open(
        till: &Till,
        shoppers: u64,
        seed: u64,
        skus: &[&str],
        tokens: &[&'static str],
    ) -> Self {
        let shared = Arc::new(Shared {
            till: till.clone(),
            skus: skus.iter().map(|sku| (*sku).to_owned()).collect(),
            tokens: tokens.to_vec(),
            diary: Mutex::default(),
            orders: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let mut crowd = JoinSet::new();
        for number in 0..shoppers {
            let shared = shared.clone();
            let mut dice = StdRng::seed_from_u64(seed.wrapping_mul(1000) + number);
            crowd.spawn(async move {
                while !shared.over.load(Ordering::SeqCst) {
                    shared.visit(&mut dice).await;
                }
            });
        }
        Self { shared, shoppers: crowd }
    }

    /// Orders acknowledged so far.
    pub(super) fn orders(&self) -> usize {
        self.shared.orders.load(Ordering::SeqCst)
    }

    /// Waits until so many more orders were acknowledged.
    pub(super) async fn sells(&self, more: usize, within: Duration) {
        let (goal, late) = (self.orders() + more, Instant::now() + within);
        while self.orders() < goal {
            let sold = self.orders() + more - goal;
            let silences = self.shared.diary().silences.last().cloned();
            assert!(Instant::now() < late, "{sold} of {more} in {within:?}, {silences:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until somebody was refused since `before` refusals.
    pub(super) async fn refuses(&self, before: usize, within: Duration) {
        let late = Instant::now() + within;
        while self.refusals() <= before {
            assert!(Instant::now() < late, "nobody was refused within {within:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// How often somebody was refused with 503.
    pub(super) fn refusals(&self) -> usize {
        self.shared.diary().refused.len()
    }

    /// Nobody begins anything new; what was begun is brought to its answer.
    pub(super) async fn close(self, within: Duration) -> Diary {
        self.shared.over.store(true, Ordering::SeqCst);
        let mut shoppers = self.shoppers;
        let all = async {
            while let Some(done) = shoppers.join_next().await {
                done.expect("a shopper who is not surprised");
            }
        };
        let done = tokio::time::timeout(within, all).await;
        let diary = std::mem::take(&mut *self.shared.diary());
        assert!(done.is_ok(), "shoppers wait after {within:?}: {:?}", diary.silences.last());
        diary
    }
}

impl Shared {
    fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn visit(&self, dice: &mut StdRng) {
        let sku = &self.skus[dice.random_range(0..self.skus.len())];
        let token = self.tokens[dice.random_range(0..self.tokens.len())];
        let quantity = dice.random_range(1..=2);
        if dice.random_bool(0.5) {
            self.express(sku, quantity, token).await;
        } else {
            let pays = dice.random_bool(0.85);
            self.checkout(sku, quantity, pays.then_some(token)).await;
        }
    }

    async fn express(&self, sku: &str, quantity: u32, token: &str) {
        let body = json!({
            "lines": [{"sku": sku, "quantity": quantity}],
            "buyer": {"email": "ada@example.com"},
            "payment": {"token": token},
        });
        let (status, answer) = self.insist("/v1/orders", &body).await;
        let id = |name: &str| answer[name].as_str().expect("an id").to_owned();
        match status {
            201 => self.ordered(id("id")),
            202 => self.diary().pending.push(id("checkout_id")),
            402 | 409 | 422 => {}
            other => panic!("{other}: {answer}"),
        }
    }

    async fn checkout(&self, sku: &str, quantity: u32, token: Option<&str>) {
        let line = json!({"item": {"id": sku}, "quantity": quantity});
        let body = json!({"line_items": [line], "buyer": {"email": "ada@example.com"}});
        let (status, answer) = self.insist(SESSIONS, &body).await;
        let Some(id) = answer["id"].as_str().map(str::to_owned) else {
            assert_eq!(status, 200, "{answer}");
            return;
        };
        let Some(token) = token else { return self.diary().held.push(id) };
        let (status, answer) =
            self.insist(&format!("{SESSIONS}/{id}/complete"), &payment(token)).await;
        assert_eq!(status, 200, "{answer}");
        match answer["status"].as_str() {
            Some("completed") => {
                self.ordered(answer["order"]["id"].as_str().expect("an order").to_owned());
            }
            Some("complete_in_progress") => self.diary().pending.push(id),
            Some("ready_for_complete") => self.diary().held.push(id),
            other => panic!("{other:?}: {answer}"),
        }
    }

    fn ordered(&self, order: String) {
        self.diary().orders.push(order);
        self.orders.fetch_add(1, Ordering::SeqCst);
    }

    /// Sends under one key until there is an answer that is one.
    async fn insist(&self, path: &str, body: &Value) -> (u16, Value) {
        let key = fresh_key();
        loop {
            let began = Instant::now();
            match self.till.post(&key, path, body).await {
                Err(fault) => {
                    let silence = format!("{path} after {:?}: {fault}", began.elapsed());
                    self.diary().silences.push(silence);
                }
                Ok(answer) if answer.status == 503 => {
                    assert!(answer.retry_after.is_some(), "{}", till::text(&answer));
                    self.diary().refused.push(began.elapsed());
                }
                Ok(answer) => {
                    let told = till::json(&answer);
                    if told["code"] != "idempotency_in_flight" {
                        let (status, path) = (answer.status, path.to_owned());
                        let (body, answer) = (body.clone(), answer.body);
                        self.diary().deeds.push(Deed { key, path, body, status, answer });
                        return (status, told);
                    }
                }
            }
            sleep(Duration::from_millis(30)).await;
        }
    }
}

/// A payment by token.
pub(super) fn payment(token: &str) -> Value {
    json!({"payment": {"instruments": [{
        "id": "pi_1", "handler_id": "sandbox", "type": "card", "selected": true,
        "credential": {"type": "token", "token": token},
    }]}})
}
