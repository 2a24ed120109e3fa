//! Where replicas are, taken in turn: a load balancer that knows nothing but round-robin.

use std::{
    net::SocketAddr,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The addresses of all replicas. A request goes to the next one, whoever sends it.
#[derive(Debug, Default)]
pub struct Streets {
    open: RwLock<Vec<SocketAddr>>,
    turn: AtomicUsize,
}

impl Streets {
    /// From now on requests go there, too.
    pub fn open(&self, address: SocketAddr) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).push(address);
    }

    /// From now on they do not.
    pub fn close(&self, address: SocketAddr) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|known| *known != address);
    }

    /// The next one, if there is any.
    pub fn next(&self) -> Option<SocketAddr> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (!open.is_empty()).then(|| open[turn % open.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::Streets;

    #[test]
    fn everybody_has_their_turn() {
        let streets = Streets::default();
        assert_eq!(streets.next(), None);
        let addresses = [1, 2, 3].map(|port| ([127, 0, 0, 1], port).into());
        addresses.into_iter().for_each(|address| streets.open(address));
        let mut seen: Vec<_> = (0..6).filter_map(|_| streets.next()).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [addresses[0], addresses[0], addresses[1], addresses[1], addresses[2], addresses[2]]
        );
        streets.close(addresses[1]);
        assert!((0..6).filter_map(|_| streets.next()).all(|address| address != addresses[1]));
    }
}
