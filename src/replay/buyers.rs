//! The buyers: each invoice opens a checkout and completes it; what came back is sent back.

use futures_util::{StreamExt, stream};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::SetOnce;

use super::{
    money::{Money, Till},
    plan::{Plan, Sale},
    report::Outcome,
    returns::{Part, Return},
    setup::CURRENCY,
    shop::{Door, Shop, ShopFault},
    wire::{
        Adjustment, Buyer, Checkout, Item, LineItem, LineMoveIn, OpenCheckout, PAYMENT, Returned,
    },
};
use crate::base::Clock;

/// How often and how long a buyer waits for a payment whose outcome is not known yet.
const PATIENCE: (u32, Duration) = (300, Duration::from_millis(100));

/// What a shop says of a payment that it, or the buyer's bank, declined.
const DECLINED: &str = "payment_declined";

/// One thing that happens, in the order of time.
enum Event<'a> {
    Sale(usize, &'a Sale),
    Return(usize, &'a Return),
}

/// An order as placed: its id, and by SKU the number of its line (from 1).
#[derive(Debug)]
struct Order {
    id: String,
    lines: HashMap<String, u32>,
}

/// Everything the buyers share.
struct Replay<'a> {
    shop: &'a Shop,
    plan: &'a Plan,
    clock: &'a dyn Clock,
    /// What every idempotency key of this replay begins with.
    run: &'a str,
    /// By sale, once it is decided; `None` came to no order.
    orders: Vec<SetOnce<Option<Order>>>,
    till: Till,
    outcome: Mutex<Outcome>,
}

/// Lets the buyers in, `concurrency` at a time, in the order of the file. Calls `step` after each.
pub(super) async fn let_in(
    shop: &Shop,
    plan: &Plan,
    clock: &dyn Clock,
    run: &str,
    concurrency: usize,
    step: impl Fn(),
) -> Outcome {
    let orders = plan.sales.iter().map(|_| SetOnce::new()).collect();
    let outcome = Mutex::new(Outcome::default());
    let replay = Replay { shop, plan, clock, run, orders, till: Till::default(), outcome };
    let (replayed, began) = (&replay, clock.now());
    // A return waits for its sales, which stand before it: they have begun, so none waits for ever.
    stream::iter(events(plan))
        .for_each_concurrent(concurrency, |event| {
            let step = &step;
            async move {
                match event {
                    Event::Sale(index, sale) => replayed.buy(index, sale).await,
                    Event::Return(index, back) => replayed.send_back(index, back).await,
                }
                step();
            }
        })
        .await;
    let took = clock.now().since(began);
    stream::iter(replay.orders.iter().filter_map(|order| order.get()?.as_ref()))
        .for_each_concurrent(concurrency, |order| replayed.count_money(order))
        .await;
    let mut outcome = replay.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcome.took = took;
    outcome.sent_again = shop.sent_again();
    outcome
}

/// Sales and returns by time; of one moment, sales first.
fn events(plan: &Plan) -> Vec<Event<'_>> {
    let sales = plan.sales.iter().enumerate();
    let mut events: Vec<_> =
        sales.map(|(index, sale)| (sale.at, Event::Sale(index, sale))).collect();
    let returns = plan.returns.iter().enumerate();
    events.extend(returns.map(|(index, back)| (back.at, Event::Return(index, back))));
    // Stable, so sales stay before the returns of the same moment.
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

impl Replay<'_> {
    async fn buy(&self, index: usize, sale: &Sale) {
        let began = self.clock.now();
        let bought = self.check_out(index, sale).await;
        let took = self.clock.now().since(began);
        let order = self.note(|outcome| match bought {
            Ok(checkout) => {
                outcome.took(took);
                placed(outcome, sale, checkout)
            }
            Err(reason) if reason == DECLINED => {
                outcome.declined += 1;
                None
            }
            Err(reason) => {
                *outcome.refused.entry(reason).or_default() += 1;
                None
            }
        });
        drop(self.orders[index].set(order));
    }

    /// Opens a checkout and completes it; the error is the reason for the report.
    async fn check_out(&self, index: usize, sale: &Sale) -> Result<Checkout, String> {
        let email = match &sale.customer {
            Some(customer) => format!("customer-{customer}@replay.invalid"),
            None => format!("guest-{}@replay.invalid", sale.invoice),
        };
        let lines = sale.lines.iter().map(|line| LineItem {
            item: Item { id: self.plan.products[line.product].sku.as_str() },
            quantity: line.quantity,
        });
        let body = OpenCheckout {
            line_items: lines.collect(),
            buyer: Buyer { email: &email },
            currency: CURRENCY,
        };
        let key = format!("{}-open-{index}", self.run);
        let opened: Checkout =
            self.shop.post(Door::Rest, "/checkout-sessions", &key, &body).await.map_err(said)?;
        if opened.status != "ready_for_complete" {
            self.give_up(index, &opened).await;
            return Err(opened.reason());
        }
        self.pay(index, &opened).await
    }

    async fn pay(&self, index: usize, opened: &Checkout) -> Result<Checkout, String> {
        let path = format!("/checkout-sessions/{}", opened.id);
        let (key, body) = (format!("{}-pay-{index}", self.run), PAYMENT.as_bytes());
        let body: Box<serde_json::value::RawValue> =
            serde_json::from_slice(body).expect("invariant: the constant is JSON");
        let complete = format!("{path}/complete");
        let mut paid: Checkout =
            self.shop.post(Door::Rest, &complete, &key, &body).await.map_err(said)?;
        let (times, pause) = PATIENCE;
        for _ in 0..times {
            if paid.status != "complete_in_progress" {
                break;
            }
            tokio::time::sleep(pause).await;
            paid = self.shop.get(Door::Rest, &path).await.map_err(said)?;
        }
        if paid.order.is_none() {
            self.give_up(index, &paid).await;
            return Err(paid.reason());
        }
        Ok(paid)
    }

    /// Cancels what came to nothing, so that its units go back on sale. A refusal changes nothing.
    async fn give_up(&self, index: usize, checkout: &Checkout) {
        if !checkout.id.is_empty() {
            let key = format!("{}-cancel-{index}", self.run);
            let path = format!("/checkout-sessions/{}/cancel", checkout.id);
            let nothing = serde_json::Map::new();
            drop(self.shop.post::<_, Checkout>(Door::Rest, &path, &key, &nothing).await);
        }
    }

    async fn send_back(&self, index: usize, back: &Return) {
        let mut whole = true;
        for part in &back.parts {
            let booked = self.send_part(index, back, part).await;
            whole &= booked.is_ok();
            self.note(|outcome| match booked {
                Ok(()) => outcome.returned_units += part.quantity,
                Err(reason) => *outcome.returns_refused.entry(reason).or_default() += 1,
            });
        }
        self.note(|outcome| outcome.returns += u64::from(whole));
    }

    /// Ships the units that come back, then books them in and their price out: what never left
    /// cannot return, and what nobody paid for does not leave.
    async fn send_part(&self, index: usize, back: &Return, part: &Part) -> Result<(), String> {
        let order = self.orders[part.sale].wait().await.as_ref();
        let order = order.ok_or("its sale came to no order")?;
        let line = *order.lines.get(back.sku.as_str()).ok_or("its order has no such line")?;
        let paid = match self.till.look(self.shop, &order.id).await.map_err(said)? {
            Money::Taken(paid) => paid,
            unpaid => return Err(format!("its order is {}", unpaid.word())),
        };
        let Part { quantity, sale, .. } = *part;
        let key = |step| format!("{}-{step}-{index}-{sale}", self.run);
        let reason = back.invoice.as_str();
        let ship = format!("/v1/orders/{}/lines/{line}/ship", order.id);
        let body = LineMoveIn { quantity, reason };
        let _: serde::de::IgnoredAny =
            self.shop.post(Door::Office, &ship, &key("ship"), &body).await.map_err(said)?;
        let minor = i64::try_from(quantity).ok().zip(paid.unit_price(line));
        let minor = minor.and_then(|(quantity, price)| price.checked_mul(quantity));
        let body = Adjustment {
            lines: [Returned { line, kind: "return", quantity }],
            refund: minor.filter(|minor| *minor > 0),
            reason,
        };
        let adjust = format!("/v1/orders/{}/adjustments", order.id);
        let _: serde::de::IgnoredAny =
            self.shop.post(Door::Office, &adjust, &key("return"), &body).await.map_err(said)?;
        Ok(())
    }

    /// Counts what became of an order's money.
    async fn count_money(&self, order: &Order) {
        let found = self.till.look(self.shop, &order.id).await;
        self.note(|outcome| {
            let word = match &found {
                Ok(money) => money.word().to_owned(),
                Err(fault) => format!("not known: {}", fault.reason()),
            };
            *outcome.money.entry(word).or_default() += 1;
            if let Ok(Money::Taken(paid)) = found {
                outcome.captured_minor += paid.moved("capture");
                outcome.refunded_minor += paid.moved("refund");
            }
        });
    }

    fn note<T>(&self, note: impl FnOnce(&mut Outcome) -> T) -> T {
        note(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn said(fault: ShopFault) -> String {
    fault.reason()
}

/// Counts an order by what was really sold, which may be less than was wanted.
fn placed(outcome: &mut Outcome, sale: &Sale, checkout: Checkout) -> Option<Order> {
    let id = checkout.order?.id;
    outcome.orders += 1;
    outcome.lines += checkout.line_items.len() as u64;
    outcome.units += checkout.line_items.iter().map(|line| line.quantity).sum::<u64>();
    outcome.rows += sale.lines.iter().map(|line| u64::from(line.rows)).sum::<u64>();
    let numbered = checkout.line_items.into_iter().zip(1..);
    Some(Order { id, lines: numbered.map(|(line, number)| (line.item.id, number)).collect() })
}
