//! Who has to know when agents, accounts or sources change.

use std::sync::Arc;

use crate::{
    access::Limits,
    delivery::Lanes,
    domain::Id,
    hub::Hub,
    live::Live,
    metrics::{Living, Metrics},
};

/// Tells all of them from now on.
pub fn follow(
    live: &Live,
    (hub, lanes): (&Arc<Hub>, &Arc<Lanes>),
    (limits, metrics): (&Arc<Limits>, &Arc<Metrics>),
) {
    // They hold the live state themselves.
    let (hub, lanes) = (Arc::downgrade(hub), Arc::downgrade(lanes));
    let (limits, metrics) = (Arc::clone(limits), Arc::clone(metrics));
    live.follow(move |setup| {
        limits.reconfigure(&setup.directory);
        if let Some(hub) = hub.upgrade() {
            hub.reconfigure(&setup.directory);
        }
        if let Some(lanes) = lanes.upgrade() {
            lanes.reconfigure(&setup.directory);
        }
        let names = |names: &mut dyn Iterator<Item = &Id>| names.map(Id::to_string).collect();
        metrics.living(Living {
            agents: names(&mut setup.agents.keys()),
            sources: names(&mut setup.sources.keys()),
        });
    });
}
