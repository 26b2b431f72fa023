//! What must hold of deliveries, looked at with each commit and with each request that arrives.

use std::sync::Arc;

use super::{life::Life, replica::SEND_TIMEOUT, world::World};
use crate::{
    delivery::BEGUN_WITHIN,
    domain::{Delivery, DeliveryState, Subject, Timestamp},
};

/// A row is committed by a life.
pub(super) fn committed(world: &World, life: &Life, now: Timestamp, after: &Delivery) {
    let (before, begun_by) = {
        let database = world.database();
        let before = database.rows.deliveries.get(&after.id).cloned();
        (before, database.begun.get(&after.id).copied())
    };
    if let Some(before) = &before
        && let Some(wrong) = forbidden(before, after)
    {
        world.wrong(format!("{wrong}: {}", name(after)));
    }
    if let Some(before) = &before
        && before.state == DeliveryState::Attempting
        && begun_by != Some(life.number)
        && now.since(before.attempted_at) < BEGUN_WITHIN + SEND_TIMEOUT
    {
        let age = now.since(before.attempted_at);
        world.wrong(format!(
            "{} was changed by life {} {age:?} after {begun_by:?} had begun it",
            name(after),
            life.number
        ));
    }
    if after.state == DeliveryState::Attempting {
        let mut database = world.database();
        database.begun.insert(after.id.clone(), life.number);
        let remembered = (life.number, after.id.clone());
        database.remembered.insert(remembered, after.clone());
    }
}

fn forbidden(before: &Delivery, after: &Delivery) -> Option<&'static str> {
    if before.state.is_final() && before.state != after.state {
        return Some("a final delivery was changed");
    }
    if after.attempt < before.attempt {
        return Some("an attempt was forgotten");
    }
    let was_sent = matches!(
        after.state,
        DeliveryState::Delivered | DeliveryState::Unknown
    );
    if was_sent && before.state == DeliveryState::Queued {
        return Some("a delivery that was not begun has an outcome");
    }
    None
}

/// A request of a life reaches the platform.
pub(super) fn arrives(world: &World, life: &Arc<Life>, subject: &Subject) {
    let (row, begun_by) = {
        let database = world.database();
        let mut rows = database.rows.deliveries.values();
        let row = rows.rfind(|row| row.subject == *subject).cloned();
        let begun_by = row.as_ref().and_then(|row| database.begun.get(&row.id));
        (row.clone(), begun_by.copied())
    };
    let Some(row) = row else {
        return world.wrong(format!("{subject:?} was sent and is not in the log"));
    };
    if row.state != DeliveryState::Attempting || begun_by != Some(life.number) {
        world.wrong(format!(
            "{} was sent by life {} while it was {:?}, begun by {begun_by:?}",
            name(&row),
            life.number,
            row.state
        ));
    }
}

fn name(delivery: &Delivery) -> String {
    format!("{} {:?}", delivery.key.id, delivery.subject)
}
