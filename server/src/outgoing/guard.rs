//! Names resolved: the addresses that may not be reached are left out, each time anew, and the connection is made to
//! those that are left. So nothing lies between looking and connecting in which a name could change its mind.

use std::{fmt::Debug, io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_private;

/// Asks who a name is.
#[async_trait]
pub(super) trait Lookup: Debug + Send + Sync {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// As the system is configured.
#[derive(Debug)]
pub(super) struct System;

/// Leaves out addresses that may not be reached: a name's owner decides where it points, and may change that between two
/// look-ups.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) lookup: Arc<dyn Lookup>,
    /// Private addresses may be reached.
    pub(super) private: bool,
    /// The operator named loopback in so many words.
    pub(super) loopback: bool,
}

#[async_trait]
impl Lookup for System {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (private, loopback) = (self.private, self.loopback);
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let mut found = lookup.look_up(name.as_str()).await?;
            found.retain(|address| {
                let ip = address.ip().to_canonical();
                private || !is_private(ip) || (loopback && ip.is_loopback())
            });
            if found.is_empty() {
                return Err(
                    "resolves to private addresses alone: set allow_private_addresses if that is meant"
                        .into(),
                );
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
