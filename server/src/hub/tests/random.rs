//! Anything may happen in any order: every reader gets exactly what its filter matches, in order, once.

use proptest::prelude::*;

use super::support::{Reader, World, agent_event, event, ids};
use crate::{
    domain::{EventKind, Position, StoredEvent},
    hub::{Concerns, Filter, Notice, Settings, Start},
};

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<(u8, u8, u8)>),
    /// Opens a reader after so many of the log's events, in hundredths.
    Open {
        filter: (u8, u8, u8),
        share: u64,
    },
    /// One reader, so many turns.
    Read {
        reader: usize,
        turns: usize,
    },
    Close {
        reader: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let sort = (0..5_u8, 0..3_u8, 0..3_u8);
    prop_oneof![
        4 => prop::collection::vec(sort.clone(), 1..12).prop_map(Step::Publish),
        2 => (sort, 0..=100_u64).prop_map(|(filter, share)| Step::Open { filter, share }),
        4 => (0..8_usize, 1..6_usize).prop_map(|(reader, turns)| Step::Read { reader, turns }),
        1 => (0..8_usize).prop_map(|reader| Step::Close { reader }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_reader_gets_exactly_what_its_filter_matches(
        steps in prop::collection::vec(step(), 1..60),
        ring_events in 1..40_usize,
        page_events in 1..20_usize,
        max_frame_bytes in 50..1000_usize,
    ) {
        let settings = Settings {
            ring_events,
            page_events,
            page_cache_bytes: 2000,
            max_frame_bytes,
            ..Settings::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(settings, steps));
    }
}

async fn play(settings: Settings, steps: Vec<Step>) {
    let world = World::new(settings);
    let mut readers: Vec<(Reader, Filter)> = Vec::new();
    for step in steps {
        match step {
            Step::Publish(sorts) => {
                world.publish(sorts.into_iter().map(stored).collect());
            }
            Step::Open { filter, share } => {
                let filter = chosen(&world, filter);
                let after = Position(world.hub.head().0 * share / 100);
                let opened = world.open(Start::After(after), filter.clone()).await;
                readers.push((opened.unwrap(), filter));
            }
            Step::Read { reader, turns } => {
                if let Some((reader, _)) = readers.get_mut(reader) {
                    for _ in 0..turns {
                        if let Some(Notice::Failed(error)) = reader.ready().await {
                            panic!("{error}");
                        }
                        tokio::task::yield_now().await;
                    }
                }
            }
            Step::Close { reader } if reader < readers.len() => {
                check(&world, readers.swap_remove(reader), false);
            }
            Step::Close { .. } => {}
        }
    }
    for (mut reader, filter) in readers {
        reader.drain(world.hub.head()).await;
        check(&world, (reader, filter), true);
    }
}

fn check(world: &World, (reader, filter): (Reader, Filter), whole: bool) {
    let after = reader.subscription.terms().after;
    let expected: Vec<u64> = world
        .log
        .all()
        .iter()
        .filter(|event| event.position > after && filter.matches(&Concerns::from(*event)))
        .map(|event| event.position.0)
        .collect();
    let seen = &reader.events;
    assert!(seen.len() == expected.len() || !whole, "all of it");
    assert_eq!(
        seen[..],
        expected[..seen.len()],
        "{filter:?} after {after:?}"
    );
}

const KINDS: [EventKind; 3] = [
    EventKind::AgentMessage,
    EventKind::VisitorMessage,
    EventKind::AvailabilityRequested,
];

fn stored((account, conversation, kind): (u8, u8, u8)) -> StoredEvent {
    let kind = KINDS[usize::from(kind)];
    match account {
        3 => agent_event("bot", kind),
        4 => agent_event("other", kind),
        some => event(
            ["a", "b", "c"][usize::from(some)],
            ["1", "2", "3"][usize::from(conversation)],
            kind,
        ),
    }
}

fn chosen(world: &World, (accounts, conversations, kinds): (u8, u8, u8)) -> Filter {
    let accounts: &[&str] =
        [&[][..], &["a"], &["c"], &["a", "b"], &["b", "c"]][usize::from(accounts)];
    let conversations: &[&str] = [&[][..], &[], &["1", "3"]][usize::from(conversations)];
    let kinds: &[EventKind] = [&[][..], &KINDS[..2], &KINDS[2..]][usize::from(kinds)];
    world.filter(ids(accounts), ids(conversations), kinds)
}
