//! Counts the connections of one listener, in all and by peer, and says when there are too many.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::metrics::{Listener, Metrics};

/// The count of one listener's connections. Clones share it.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

/// A connection's place in the count, given back on drop.
#[derive(Debug)]
pub struct Admission {
    gate: Gate,
    peer: IpAddr,
}

#[derive(Debug)]
struct Inner {
    listener: Listener,
    in_all: usize,
    per_peer: usize,
    metrics: Arc<Metrics>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    in_all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

impl Gate {
    /// A gate that lets `in_all` connections in at one time, of one peer at most `per_peer` (0: no such limit).
    /// Loopback peers are not counted by peer: they are this machine's own processes.
    pub fn new(listener: Listener, in_all: usize, per_peer: usize, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Inner {
            listener,
            in_all,
            per_peer,
            metrics,
            open: Mutex::default(),
        }))
    }

    /// A place for a connection from `peer`; `None` when there is none left.
    pub fn admit(&self, peer: IpAddr) -> Option<Admission> {
        let inner = &self.0;
        let mut open = inner.open();
        let from_peer = open.by_peer.get(&peer).copied().unwrap_or(0);
        let limited = inner.per_peer > 0 && !peer.to_canonical().is_loopback();
        if open.in_all >= inner.in_all || (limited && from_peer >= inner.per_peer) {
            inner.metrics.connections.refused(inner.listener);
            return None;
        }
        open.in_all += 1;
        open.by_peer.insert(peer, from_peer + 1);
        inner.metrics.connections.open(inner.listener, open.in_all);
        Some(Admission {
            gate: self.clone(),
            peer,
        })
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let inner = &self.gate.0;
        let mut open = inner.open();
        open.in_all -= 1;
        if let Some(count) = open.by_peer.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.by_peer.remove(&self.peer);
            }
        }
        inner.metrics.connections.open(inner.listener, open.in_all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(in_all: usize, per_peer: usize) -> Gate {
        Gate::new(Listener::Grpc, in_all, per_peer, Metrics::new())
    }

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_peer_cannot_take_all_places() {
        let gate = gate(10, 2);
        let kept = [gate.admit(peer(1)), gate.admit(peer(1))];
        assert!(kept.iter().all(Option::is_some));
        assert!(gate.admit(peer(1)).is_none());
        assert!(gate.admit(peer(2)).is_some());
    }

    #[test]
    fn a_place_given_back_can_be_taken_again() {
        let gate = gate(1, 1);
        let first = gate.admit(peer(1));
        assert!(first.is_some() && gate.admit(peer(2)).is_none());
        drop(first);
        assert!(gate.admit(peer(2)).is_some());
        assert!(gate.0.open().by_peer.is_empty());
    }

    #[test]
    fn loopback_peers_are_counted_in_all_only() {
        let gate = gate(3, 1);
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().expect("an address");
        let kept = [IpAddr::from([127, 0, 0, 1]), [127, 0, 0, 1].into(), mapped]
            .map(|peer| gate.admit(peer));
        assert!(kept.iter().all(Option::is_some));
        assert!(gate.admit([127, 0, 0, 1].into()).is_none());
    }
}
