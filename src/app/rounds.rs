//! What is done again and again for carts, orders and those who hear of them.

use std::sync::Arc;

use super::tasks::{ROUND, Tasks, log};
use crate::{
    cart::{Keeper, Notifications},
    config::Config,
    http::Door,
};

impl Tasks {
    /// Begins all of it.
    pub(super) fn go_round(
        &mut self,
        config: &Config,
        (keeper, notifications): (&Arc<Keeper>, &Arc<Notifications>),
        door: &Door,
    ) {
        self.rounds(keeper, config);
        self.notifications(notifications);
        self.relay(&keeper.desk, door, config);
        self.addresses(door, config);
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
