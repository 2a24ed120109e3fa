//! The crowd: closed-loop buyers, each of whom does what buyers do.

use anyhow::Context;
use rand::Rng;
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, task::JoinHandle};

use super::{
    buyer::{Buyer, Stuck, lines_of},
    sale::{HOT, SCARCE, Sale, TAIL},
    stocker,
};
use crate::drive::{
    cart::{Pick, Picker},
    request::Line,
};

/// How long buyers wait for their last answer: longer than an unknown payment may stay unknown.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of a hundred buyers, how many want the hot SKU, and how many the scarce one.
const WANTS: (u32, u32) = (45, 12);

/// A crowd at work.
#[derive(Debug)]
pub struct Crowd {
    sale: Arc<Sale>,
    runtime: Handle,
    buyers: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Lets so many buyers in, and somebody who keeps the shelves filled.
    pub fn open(sale: &Arc<Sale>, runtime: &Handle, buyers: u32, seed: u64) -> Self {
        let popular = Picker::new(Pick::Zipf(1.0), TAIL, 1, 1);
        let mut crowd = Self { sale: sale.clone(), runtime: runtime.clone(), buyers: Vec::new() };
        for number in 0..buyers {
            let seed = seed.wrapping_mul(10_007).wrapping_add(u64::from(number));
            let buyer = Buyer::new(sale, format!("b{number}"), seed);
            let mut shopper = Shopper { buyer, popular: popular.clone(), cart: Vec::new() };
            crowd.buyers.push(runtime.spawn(async move {
                while !shopper.buyer.sale.is_over() {
                    let Ok(()) = shopper.visit().await else { return };
                }
            }));
        }
        crowd.buyers.push(runtime.spawn(stocker::keep_filled(sale.clone())));
        crowd
    }

    /// Nobody begins anything new; everybody brings what they began to its end.
    ///
    /// # Errors
    /// When a buyer ends unexpectedly.
    pub fn close(self) -> anyhow::Result<()> {
        self.sale.close(PATIENCE);
        for buyer in self.buyers {
            self.runtime.block_on(buyer).context("a buyer")?;
        }
        Ok(())
    }
}

struct Shopper {
    buyer: Buyer,
    popular: Picker,
    cart: Vec<Line>,
}

impl Shopper {
    /// One way through the shop.
    async fn visit(&mut self) -> Result<(), Stuck> {
        self.fill();
        let cart = std::mem::take(&mut self.cart);
        let done = match self.buyer.chance.random_range(0..100) {
            0..20 => {
                let token = self.token();
                self.buyer.express(&cart, token).await
            }
            way => self.checkout(&cart, way).await,
        };
        self.cart = cart;
        done
    }

    async fn checkout(&mut self, cart: &[Line], way: u32) -> Result<(), Stuck> {
        let Some((id, mut heard)) = self.buyer.create(cart).await? else { return Ok(()) };
        if (20..33).contains(&way) {
            let more = |line: &Line| Line { quantity: line.quantity + 1, ..*line };
            let more: Vec<Line> = cart.iter().map(more).collect();
            heard = self.buyer.update(&id, &more).await?;
        }
        let ready = heard.body["status"] == "ready_for_complete";
        match way {
            // Holds are left for the end of the run: they must be there then.
            33..38 if ready => Ok(()),
            38..48 => self.buyer.cancel(&id).await,
            _ if ready => {
                let token = self.token();
                self.buyer.pay(&id, &lines_of(&heard.body), token).await
            }
            // Something is short, and half a cart is not wanted.
            _ => self.buyer.cancel(&id).await,
        }
    }

    fn fill(&mut self) {
        let chance = &mut self.buyer.chance;
        let lines = if chance.random_range(0..100) < 15 { 2 } else { 1 };
        self.cart.clear();
        while self.cart.len() < lines {
            let sku = match chance.random_range(0..100) {
                point if point < WANTS.0 => HOT,
                point if point < WANTS.0 + WANTS.1 => SCARCE,
                _ => {
                    let mut one = Vec::new();
                    self.popular.fill(chance, &mut one);
                    one[0].sku + SCARCE + 1
                }
            };
            if self.cart.iter().all(|line| line.sku != sku) {
                self.cart.push(Line { sku, quantity: chance.random_range(1..=2) });
            }
        }
    }

    /// Mostly good money, and some of each kind that makes trouble.
    fn token(&mut self) -> &'static str {
        match self.buyer.chance.random_range(0..100) {
            0..5 => "fail_token",
            5..8 => "flaky_token",
            8..10 => "lost_token",
            _ => "success_token",
        }
    }
}
