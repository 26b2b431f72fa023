//! What there is to say about deliveries: trouble once, and when it is over.

use std::collections::HashMap;

use parloir_proto::v1::DeliveryState;

use crate::commands::terminal;

/// The state last heard of each message and command that was sent here.
#[derive(Default)]
pub(super) struct Deliveries(HashMap<String, DeliveryState>);

impl Deliveries {
    /// It is on its way now. Only what is said here is heard of later.
    pub(super) fn sent(&mut self, id: String) {
        self.0.insert(id, DeliveryState::Attempting);
    }

    pub(super) fn is_ours(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// The sentence for a state that was reached, if it is news. A reply and an event tell of the same state.
    pub(super) fn news(
        &mut self,
        id: &str,
        reached: DeliveryState,
        reason: &str,
    ) -> Option<String> {
        let last = self.0.get_mut(id)?;
        let before = std::mem::replace(last, reached);
        if before == reached {
            return None;
        }
        if before == DeliveryState::Queued && reached == DeliveryState::Delivered {
            return Some("Now it is delivered.".to_owned());
        }
        terminal::delivery_trouble(reached, reason)
    }
}

/// Whether the agent will never see it, so that no answer needs to be waited for.
pub(super) fn is_lost(reached: DeliveryState) -> bool {
    matches!(
        reached,
        DeliveryState::Failed | DeliveryState::Held | DeliveryState::Superseded
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_once_and_its_end_too() {
        let mut deliveries = Deliveries::default();
        deliveries.sent("m-1".into());
        let mut news = |reached| deliveries.news("m-1", reached, "");
        assert!(news(DeliveryState::Queued).is_some());
        assert!(news(DeliveryState::Queued).is_none());
        assert!(news(DeliveryState::Delivered).is_some());
        assert!(news(DeliveryState::Delivered).is_none());
    }

    #[test]
    fn what_goes_well_is_not_mentioned() {
        let mut deliveries = Deliveries::default();
        deliveries.sent("m-1".into());
        assert_eq!(deliveries.news("m-1", DeliveryState::Delivered, ""), None);
    }

    #[test]
    fn what_others_sent_is_not_mentioned() {
        assert_eq!(
            Deliveries::default().news("m-1", DeliveryState::Failed, ""),
            None
        );
    }
}
