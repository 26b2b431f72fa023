//! The connections that subscriptions run on: shared by a bounded number each, left when they fall silent.

use std::sync::{Arc, Mutex, PoisonError};

use tonic::transport::{Channel, Endpoint};

use crate::builder::Settings;

#[derive(Debug)]
pub(crate) enum Pool {
    /// Connections that are opened as they are needed.
    Connections {
        endpoint: Box<Endpoint>,
        most: usize,
        lanes: Mutex<Vec<Lease>>,
    },
    /// The one channel that the caller made.
    Single(Lease),
}

/// A place on a connection. The connection counts its leases, so dropping one frees the place.
#[derive(Debug, Clone)]
pub(crate) struct Lease(Arc<Channel>);

impl Lease {
    pub(crate) fn channel(&self) -> Channel {
        Channel::clone(&self.0)
    }
}

impl Pool {
    pub(crate) fn of_connections(endpoint: Endpoint, settings: Settings) -> Self {
        let most = settings.subscriptions_per_connection.into();
        Self::Connections {
            endpoint: Box::new(endpoint),
            most,
            lanes: Mutex::default(),
        }
    }

    pub(crate) fn of(channel: Channel) -> Self {
        Self::Single(Lease(Arc::new(channel)))
    }

    /// A place on a connection that still has one, or on a new connection.
    pub(crate) fn lease(&self) -> Lease {
        match self {
            Self::Single(lease) => lease.clone(),
            Self::Connections {
                endpoint,
                most,
                lanes,
            } => {
                let mut lanes = lanes.lock().unwrap_or_else(PoisonError::into_inner);
                // The list holds one count of each itself.
                if let Some(free) = lanes
                    .iter()
                    .find(|lane| Arc::strong_count(&lane.0) <= *most)
                {
                    return free.clone();
                }
                let lease = Lease(Arc::new(endpoint.connect_lazy()));
                lanes.push(lease.clone());
                lease
            }
        }
    }

    /// Puts nobody on this connection any more, because it fell silent. Who is still on it finds out by itself.
    pub(crate) fn abandon(&self, silent: &Lease) {
        if let Self::Connections { lanes, .. } = self {
            let mut lanes = lanes.lock().unwrap_or_else(PoisonError::into_inner);
            lanes.retain(|lane| !Arc::ptr_eq(&lane.0, &silent.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(most: u16) -> Pool {
        let settings = Settings {
            subscriptions_per_connection: most,
            ..Settings::default()
        };
        Pool::of_connections(Endpoint::from_static("http://127.0.0.1:1"), settings)
    }

    fn same(a: &Lease, b: &Lease) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    #[tokio::test]
    async fn a_full_connection_is_followed_by_another() {
        let pool = pool(2);
        let (first, second, third) = (pool.lease(), pool.lease(), pool.lease());
        assert!(same(&first, &second));
        assert!(!same(&first, &third));
    }

    #[tokio::test]
    async fn a_place_that_became_free_is_taken_again() {
        let pool = pool(1);
        let first = pool.lease();
        let second = pool.lease();
        drop(first);
        assert!(!same(&pool.lease(), &second));
        let Pool::Connections { lanes, .. } = &pool else {
            panic!("made with connections")
        };
        assert_eq!(lanes.lock().expect("not poisoned").len(), 2);
    }

    #[tokio::test]
    async fn a_silent_connection_gets_no_more_subscriptions() {
        let pool = pool(10);
        let silent = pool.lease();
        pool.abandon(&silent);
        assert!(!same(&pool.lease(), &silent));
    }
}
