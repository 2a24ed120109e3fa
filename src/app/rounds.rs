//! What is done again and again for carts, orders and those who hear of them.

use std::{sync::Arc, time::Duration};

use super::tasks::{ROUND, Tasks, log};
use crate::{
    cart::{Keeper, Notifications},
    config::Config,
    http::Door,
    reconcile::Reconciler,
};

/// Time between two looks for addresses that were kept long enough: that is a matter of days.
const ADDRESSES: Duration = Duration::from_secs(60 * 60);

/// Time between two looks whether yesterday was compared with the gateways: whoever comes first
/// does it, and a gateway that could not be reached is asked again.
const RECONCILED: Duration = Duration::from_secs(10 * 60);

impl Tasks {
    /// Begins all of it.
    pub(super) fn go_round(
        &mut self,
        config: &Config,
        (keeper, notifications, reconciler): (&Arc<Keeper>, &Arc<Notifications>, &Arc<Reconciler>),
        door: &Door,
    ) {
        self.rounds(keeper, config);
        self.notifications(notifications);
        self.reconcile(reconciler);
        self.relay(&keeper.desk, door, config);
        self.addresses(door, config);
    }

    /// Forgets the addresses of customers who do not come back.
    fn addresses(&mut self, door: &Door, config: &Config) {
        let (addresses, clock) = (door.addresses.clone(), door.clock.clone());
        let keep = Duration::from_secs(u64::from(config.retention.addresses_days) * 24 * 60 * 60);
        self.every(ADDRESSES, move || {
            let (addresses, since) = (addresses.clone(), clock.now().minus(keep));
            async move { log(addresses.forget_unused(since).await.err()) }
        });
    }

    /// Compares each gateway's list of yesterday with the ledger, once.
    fn reconcile(&mut self, reconciler: &Arc<Reconciler>) {
        let reconciler = reconciler.clone();
        self.every(RECONCILED, move || {
            let reconciler = reconciler.clone();
            async move { log(reconciler.round().await.err()) }
        });
    }

    /// Looks into what gateways have told.
    fn notifications(&mut self, notifications: &Arc<Notifications>) {
        let notifications = notifications.clone();
        self.every(ROUND, move || {
            let notifications = notifications.clone();
            async move { log(notifications.round().await.err()) }
        });
    }
}
