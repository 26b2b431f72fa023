//! What must be true of every log, seen from outside.

use std::collections::HashMap;

use parloir_client::v1::{DeliveryState, Event, delivery_changed::Subject, event::Body};

/// How each delivery ended, by what it carries: a visitor's words, the agent's or a human's words, or the name of the
/// event that hands over.
pub type Endings = Vec<(String, DeliveryState)>;

/// Sequences without holes, epochs that grow by one with each change of the owner, and no agent message that is
/// delivered under another epoch than its own. Answers how the deliveries ended, in the order of what they carry.
pub fn check(log: &[Event]) -> Endings {
    let mut conversations: HashMap<&str, Vec<&Event>> = HashMap::new();
    for event in log.iter().filter(|event| event.sequence > 0) {
        let known = conversations.entry(&event.conversation_id).or_default();
        known.push(event);
    }
    assert!(!conversations.is_empty(), "an empty log proves nothing");
    let mut endings = Endings::new();
    for events in conversations.values() {
        endings.extend(check_conversation(events));
    }
    endings
}

fn check_conversation(events: &[&Event]) -> Endings {
    let mut carried: Vec<(Subject, String, u64)> = Vec::new();
    let mut states: HashMap<String, DeliveryState> = HashMap::new();
    let mut spoken: Vec<Subject> = Vec::new();
    let mut epoch = events.first().map_or(0, |event| event.owner_epoch);
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.sequence, index as u64 + 1, "{event:?}");
        match event.body.as_ref().expect("a body") {
            Body::OwnerChanged(changed) => {
                assert_eq!(changed.owner_epoch, epoch + 1, "{event:?}");
                epoch = changed.owner_epoch;
            }
            Body::DeliveryChanged(changed) => {
                let subject = changed.subject.clone().expect("a subject");
                let found = carried.iter().find(|(known, ..)| *known == subject);
                if let Some((_, words, of)) = found
                    && spoken.contains(&subject)
                    && changed.state() == DeliveryState::Delivered
                {
                    assert_eq!(*of, epoch, "delivered under another epoch: {words}");
                }
                states.insert(format!("{subject:?}"), changed.state());
                continue;
            }
            body => carried.extend(what_is_carried(event, body)),
        }
        if let Some(Body::VisitorMessage(message)) = &event.body
            && message.held
        {
            let subject = Subject::MessageId(message.message_id.clone());
            states.insert(format!("{subject:?}"), DeliveryState::Held);
        }
        if let Some(Body::AgentMessage(_)) = &event.body {
            spoken.push(Subject::EventId(event.event_id.clone()));
        }
        if let Some(Body::OwnerChanged(_)) = &event.body {
            let subject = Subject::EventId(event.event_id.clone());
            carried.push((subject, "OwnerChanged".to_owned(), epoch));
        }
    }
    let ending = |(subject, words, _): &(Subject, String, u64)| {
        let state = states.get(&format!("{subject:?}"))?;
        Some((words.clone(), *state))
    };
    carried.iter().filter_map(ending).collect()
}

fn what_is_carried(event: &Event, body: &Body) -> Option<(Subject, String, u64)> {
    use parloir_client::v1::visitor_message::Content;
    let by_event = Subject::EventId(event.event_id.clone());
    let (subject, words) = match body {
        Body::VisitorMessage(message) => {
            let words = match message.content.as_ref()? {
                Content::Text(text) => text.clone(),
                Content::Choice(choice) => choice.label.clone(),
            };
            (Subject::MessageId(message.message_id.clone()), words)
        }
        Body::AgentMessage(message) => (by_event, message.text.clone()),
        Body::HumanMessage(message) => (by_event, message.text.clone()),
        Body::EscalationRequested(_) => (by_event, "EscalationRequested".to_owned()),
        _ => return None,
    };
    Some((subject, words, event.owner_epoch))
}
