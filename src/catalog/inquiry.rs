//! Questions to the shelf, put together: while one is on its way, those that come are gathered and
//! asked as one.
//!
//! A sale over a million SKUs finds hardly any of them at hand, and would ask with one query for
//! each checkout. Nobody waits for a question that began before they came, so nobody is told
//! anything older than if they had asked alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;

use super::{Product, shelf::Shelf};
use crate::{base::Sku, ledger::store::LedgerFault};

/// Products by SKU; those that do not exist are left out.
pub(super) type Found = Arc<BTreeMap<Sku, Arc<Product>>>;

/// The way to the shelf. Clones share it.
#[derive(Clone)]
pub(super) struct Inquiry(Arc<Shared>);

struct Shared {
    shelf: Arc<dyn Shelf>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Whether somebody asks, or is about to.
    busy: bool,
    waiting: Vec<Waiting>,
}

struct Waiting {
    skus: Vec<Sku>,
    tell: oneshot::Sender<Told>,
}

enum Told {
    /// What was found of all that were asked for.
    Found(Found),
    /// Nothing could be asked.
    Failed(LedgerFault),
    /// It is your turn to ask, for yourself and for all who wait.
    Turn(Turn),
    /// One of the products does not read; ask for yours alone.
    Alone,
}

/// The right to ask. Whoever drops it, having asked or given up, passes it on.
struct Turn(Inquiry);

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut line = self.0.line();
            let next = line.waiting.pop();
            line.busy = next.is_some();
            next
        };
        if let Some(next) = next {
            // Who has gone drops it, and it goes on to the next.
            let _gone = next.tell.send(Told::Turn(Self(self.0.clone())));
        }
    }
}

impl Inquiry {
    /// Questions to this shelf.
    pub(super) fn to(shelf: Arc<dyn Shelf>) -> Self {
        Self(Arc::new(Shared { shelf, line: Mutex::default() }))
    }

    /// The shelf itself.
    pub(super) fn shelf(&self) -> &dyn Shelf {
        &*self.0.shelf
    }

    /// These products, and maybe others that somebody asked for at the same time.
    ///
    /// # Errors
    /// When the shelf cannot be asked, or one of these products does not read.
    pub(super) async fn find(&self, skus: &[Sku]) -> Result<Found, LedgerFault> {
        loop {
            let turn = match self.line_up(skus) {
                Ok(turn) => turn,
                Err(told) => match told.await {
                    Ok(Told::Found(found)) => return Ok(found),
                    Ok(Told::Failed(fault)) => return Err(fault),
                    Ok(Told::Alone) => return self.ask(skus.iter().cloned().collect()).await,
                    Ok(Told::Turn(turn)) => turn,
                    // Whoever asked for this one, too, went away before there was an answer.
                    Err(_) => continue,
                },
            };
            return self.ask_for_all(skus, turn).await;
        }
    }

    /// The turn, if nobody has it; otherwise a place in line.
    fn line_up(&self, skus: &[Sku]) -> Result<Turn, oneshot::Receiver<Told>> {
        let mut line = self.line();
        if line.busy {
            let (tell, told) = oneshot::channel();
            line.waiting.push(Waiting { skus: skus.to_vec(), tell });
            return Err(told);
        }
        line.busy = true;
        drop(line);
        Ok(Turn(self.clone()))
    }

    async fn ask_for_all(&self, skus: &[Sku], turn: Turn) -> Result<Found, LedgerFault> {
        let others = std::mem::take(&mut self.line().waiting);
        let mut all: BTreeSet<Sku> = skus.iter().cloned().collect();
        all.extend(others.iter().flat_map(|other| other.skus.iter().cloned()));
        let found = self.ask(all).await;
        // The next question leaves before the answers to this one are told.
        drop(turn);
        let is_alone = others.is_empty();
        for other in others {
            let told = match &found {
                Ok(found) => Told::Found(found.clone()),
                Err(LedgerFault::Broken(_)) => Told::Alone,
                Err(fault) => Told::Failed(fault.clone()),
            };
            let _gone = other.tell.send(told);
        }
        match found {
            Err(LedgerFault::Broken(_)) if !is_alone => {
                self.ask(skus.iter().cloned().collect()).await
            }
            found => found,
        }
    }

    async fn ask(&self, skus: BTreeSet<Sku>) -> Result<Found, LedgerFault> {
        let skus: Vec<Sku> = skus.into_iter().collect();
        let found = self.0.shelf.find(&skus).await?;
        let named = |product: Product| (product.sku.clone(), Arc::new(product));
        Ok(Arc::new(found.into_iter().map(named).collect()))
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Timestamp, catalog::demo};
    use async_trait::async_trait;
    use futures_util::{FutureExt, future::join_all};
    use tokio::sync::Semaphore;

    /// Answers when it is let, and remembers how much it was asked at once.
    struct Slow {
        products: Vec<Product>,
        let_go: Semaphore,
        asked: Mutex<Vec<usize>>,
    }

    #[async_trait]
    impl Shelf for Slow {
        async fn find(&self, skus: &[Sku]) -> Result<Vec<Product>, LedgerFault> {
            self.asked.lock().expect("not poisoned").push(skus.len());
            self.let_go.acquire().await.expect("open").forget();
            if skus.iter().any(|sku| sku.as_str() == "DAMAGED") {
                return Err(LedgerFault::Broken("a row does not read".into()));
            }
            let is_wanted = |product: &&Product| skus.contains(&product.sku);
            Ok(self.products.iter().filter(is_wanted).cloned().collect())
        }

        async fn list(&self, _: Option<&Sku>, _: u32) -> Result<Vec<Product>, LedgerFault> {
            Ok(Vec::new())
        }

        async fn save(&self, _: &[Product]) -> Result<(), LedgerFault> {
            Ok(())
        }
    }

    fn shelf() -> (Arc<Slow>, Inquiry, Vec<[Sku; 1]>) {
        let rows = demo(Timestamp::from_micros(0));
        let products: Vec<Product> = rows.into_iter().map(|row| row.product).collect();
        let skus = products.iter().map(|product| [product.sku.clone()]).collect();
        let (let_go, asked) = (Semaphore::new(0), Mutex::default());
        let slow = Arc::new(Slow { products, let_go, asked });
        (slow.clone(), Inquiry::to(slow), skus)
    }

    fn asked(slow: &Slow) -> Vec<usize> {
        slow.asked.lock().expect("not poisoned").clone()
    }

    #[tokio::test]
    async fn those_who_come_meanwhile_are_asked_for_together() {
        let (slow, inquiry, skus) = shelf();
        let mut all = join_all(skus[..5].iter().map(|sku| inquiry.find(sku))).boxed();
        assert!(all.as_mut().now_or_never().is_none());
        slow.let_go.add_permits(100);
        for (sku, found) in skus.iter().zip(all.await) {
            assert_eq!(found.expect("it finds")[&sku[0]].sku, sku[0]);
        }
        assert_eq!(asked(&slow), [1, 4]);
        inquiry.find(&skus[0]).await.expect("the line is free again");
    }

    #[tokio::test]
    async fn whoever_goes_away_is_in_nobodys_way() {
        let (slow, inquiry, skus) = shelf();
        let [mut first, mut second, mut third, mut fourth] =
            [0, 1, 2, 3].map(|at: usize| inquiry.find(&skus[at]).boxed());
        for one in [&mut first, &mut second, &mut third] {
            assert!(one.now_or_never().is_none());
        }
        // The one who asks, and the one whose turn would be next, before hearing of it.
        drop(first);
        drop(third);
        slow.let_go.add_permits(1);
        assert!(second.as_mut().await.expect("its turn").contains_key(&skus[1][0]));
        // One that has asked for others, too.
        assert!(fourth.as_mut().now_or_never().is_none());
        let mut fifth = inquiry.find(&skus[4]).boxed();
        let mut sixth = inquiry.find(&skus[5]).boxed();
        assert!(fifth.as_mut().now_or_never().is_none() && sixth.as_mut().now_or_never().is_none());
        slow.let_go.add_permits(1);
        fourth.await.expect("it finds");
        assert!(sixth.as_mut().now_or_never().is_none(), "asks for the fifth as well");
        drop(sixth);
        slow.let_go.add_permits(1);
        assert!(fifth.await.expect("it finds").contains_key(&skus[4][0]));
    }

    #[tokio::test]
    async fn a_product_that_does_not_read_fails_nobody_elses_question() {
        let (slow, inquiry, skus) = shelf();
        let damaged = [Sku::parse("DAMAGED").expect("a SKU")];
        let questions = [&skus[0], &damaged, &skus[1]].map(|sku| inquiry.find(sku));
        let mut found = join_all(questions).boxed();
        assert!(found.as_mut().now_or_never().is_none());
        slow.let_go.add_permits(100);
        let found = found.await;
        assert_eq!(asked(&slow), [1, 2, 1, 1]);
        let is_found: Vec<bool> = found.iter().map(Result::is_ok).collect();
        assert_eq!(is_found, [true, false, true]);
    }
}
