//! Hot copies that all replicas share, on a server that forgets, refuses and keeps what is old.

use async_trait::async_trait;
use doorbuster::{
    base::CheckoutId,
    sessions::{HotCopy, HotFault, HotSessions},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::chaos::Chaos;

/// The cache.
pub(crate) struct Cache {
    chaos: Arc<Chaos>,
    copies: Mutex<BTreeMap<CheckoutId, HotCopy>>,
}

impl Cache {
    pub(crate) fn new(chaos: Arc<Chaos>) -> Self {
        Self { chaos, copies: Mutex::default() }
    }

    async fn is_there(&self) -> Result<(), HotFault> {
        tokio::time::sleep(self.chaos.between(0, 2)).await;
        if self.chaos.strikes(self.chaos.plan.rates.cache) {
            return Err(HotFault("the simulated cache is away".into()));
        }
        if self.chaos.strikes(self.chaos.plan.rates.cache / 10) {
            self.copies.lock().unwrap().clear();
        }
        Ok(())
    }
}

#[async_trait]
impl HotSessions for Cache {
    async fn find(&self, checkout: CheckoutId) -> Result<Option<HotCopy>, HotFault> {
        self.is_there().await?;
        Ok(self.copies.lock().unwrap().get(&checkout).cloned())
    }

    async fn put(&self, checkout: CheckoutId, copy: HotCopy) -> Result<(), HotFault> {
        self.is_there().await?;
        // A write that is lost leaves an old copy.
        if !self.chaos.strikes(self.chaos.plan.rates.cache) {
            let mut copies = self.copies.lock().unwrap();
            let newer = copies.get(&checkout).is_some_and(|kept| kept.version > copy.version);
            if !newer {
                copies.insert(checkout, copy);
            }
        }
        Ok(())
    }

    async fn ping(&self) -> Result<(), HotFault> {
        self.is_there().await
    }
}
