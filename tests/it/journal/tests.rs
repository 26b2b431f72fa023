//! Faults planted in journals of a run that never happened: each is found, and nothing else is.

use super::{Entry, Fact, Fault, Journal, Logged, Settled, check};

/// A faultless run: conversation `c` with four messages, each acknowledged before the next is asked for; conversation
/// `d` with one webhook. One subscriber follows all and reconnects once, another follows `d`.
struct Run {
    log: Vec<Logged>,
    entries: Vec<Entry>,
}

fn logged(position: u64, conversation: &str, sequence: u64, fact: Fact) -> Logged {
    Logged {
        position,
        event_id: format!("e{position}"),
        conversation: conversation.to_owned(),
        sequence,
        fact,
    }
}

fn key(n: u64) -> String {
    format!("m{n}")
}

fn delivered(subscriber: &str, connection: u32, logged: &Logged) -> Entry {
    Entry::Delivered {
        subscriber: subscriber.to_owned(),
        connection,
        logged: logged.clone(),
    }
}

fn run() -> Run {
    let mut log = Vec::new();
    let mut entries = vec![
        Entry::Subscribed {
            subscriber: "all".to_owned(),
            after: 0,
            conversations: Vec::new(),
        },
        Entry::Subscribed {
            subscriber: "d".to_owned(),
            after: 0,
            conversations: vec!["d".to_owned()],
        },
    ];
    for n in 1..=4 {
        let message = Fact::Operation {
            key: key(n),
            owed: true,
        };
        log.push(logged(2 * n - 1, "c", 2 * n - 1, message));
        log.push(logged(
            2 * n,
            "c",
            2 * n,
            Fact::Settled {
                key: key(n),
                how: Settled::Delivered,
            },
        ));
        entries.push(Entry::Asked {
            tick: 10 * n,
            conversation: "c".to_owned(),
            key: key(n),
        });
        entries.push(Entry::AgentSaw {
            conversation: "c".to_owned(),
            key: key(n),
        });
        entries.push(Entry::Acknowledged {
            tick: 10 * n + 5,
            key: key(n),
        });
    }
    log.push(logged(
        9,
        "d",
        1,
        Fact::Operation {
            key: "w".to_owned(),
            owed: false,
        },
    ));
    entries.push(Entry::Asked {
        tick: 12,
        conversation: "d".to_owned(),
        key: "w".to_owned(),
    });
    entries.push(Entry::Acknowledged {
        tick: 60,
        key: "w".to_owned(),
    });
    entries.extend(log[..5].iter().map(|logged| delivered("all", 1, logged)));
    // The fifth comes again after the reconnect: that is allowed.
    entries.extend(log[4..].iter().map(|logged| delivered("all", 2, logged)));
    entries.push(delivered("d", 1, &log[8]));
    Run { log, entries }
}

impl Run {
    /// One more event that everybody got whom it concerns.
    fn append(&mut self, logged: Logged) {
        self.entries.push(delivered("all", 2, &logged));
        if logged.conversation == "d" {
            self.entries.push(delivered("d", 1, &logged));
        }
        self.log.push(logged);
    }

    fn faults(self) -> Vec<Fault> {
        check(&[Journal(self.entries)], &self.log).faults
    }

    /// The place of the subscriber's n-th delivery among the entries.
    fn delivery(&self, n: usize) -> usize {
        let is_delivery = |entry: &Entry| matches!(entry, Entry::Delivered { .. });
        let mut places = (0..self.entries.len()).filter(|at| is_delivery(&self.entries[*at]));
        places.nth(n).expect("the run has that many deliveries")
    }
}

#[test]
fn a_faultless_run_has_no_faults() {
    let Run { log, entries } = run();
    let report = check(&[Journal(entries)], &log);
    assert_eq!(report.faults, []);
    assert_eq!(
        (
            report.events,
            report.operations,
            report.acknowledged,
            report.deliveries
        ),
        (9, 5, 5, 11)
    );
}

#[test]
fn an_acknowledged_message_that_is_not_in_the_log_is_lost() {
    let mut run = run();
    run.entries.push(Entry::Asked {
        tick: 70,
        conversation: "c".to_owned(),
        key: key(5),
    });
    run.entries.push(Entry::Acknowledged {
        tick: 75,
        key: key(5),
    });
    assert_eq!(run.faults(), [Fault::Lost { key: key(5) }]);
}

#[test]
fn a_message_that_was_never_acknowledged_may_be_missing() {
    let mut run = run();
    run.entries.push(Entry::Asked {
        tick: 70,
        conversation: "c".to_owned(),
        key: key(5),
    });
    assert_eq!(run.faults(), []);
}

#[test]
fn a_retried_operation_that_is_in_the_log_twice_is_repeated() {
    let mut run = run();
    run.append(logged(
        10,
        "d",
        2,
        Fact::Operation {
            key: "w".to_owned(),
            owed: false,
        },
    ));
    assert_eq!(
        run.faults(),
        [Fault::Repeated {
            key: "w".to_owned()
        }]
    );
}

#[test]
fn a_dropped_event_of_a_batch_is_skipped_for_its_subscriber() {
    let mut run = run();
    let at = run.delivery(2);
    run.entries.remove(at);
    assert_eq!(
        run.faults(),
        [Fault::Skipped {
            subscriber: "all".to_owned(),
            position: 3
        }]
    );
}

#[test]
fn a_subscriber_that_never_comes_to_the_end_has_missed_the_rest() {
    let mut run = run();
    run.append(logged(10, "c", 9, Fact::Other));
    run.entries.pop();
    let subscriber = "all".to_owned();
    assert_eq!(
        run.faults(),
        [Fault::Skipped {
            subscriber,
            position: 10
        }]
    );
}

#[test]
fn two_events_swapped_on_the_way_are_out_of_order() {
    let mut run = run();
    let at = run.delivery(1);
    run.entries.swap(at, at + 1);
    let subscriber = || "all".to_owned();
    assert_eq!(
        run.faults(),
        [
            Fault::Skipped {
                subscriber: subscriber(),
                position: 2
            },
            Fault::OutOfOrder {
                subscriber: subscriber(),
                position: 2
            },
        ]
    );
}

#[test]
fn a_duplicate_without_a_reconnect_is_out_of_order() {
    let mut run = run();
    let at = run.delivery(3);
    run.entries.insert(at, run.entries[at].clone());
    assert_eq!(
        run.faults(),
        [Fault::OutOfOrder {
            subscriber: "all".to_owned(),
            position: 4
        }]
    );
}

#[test]
fn an_event_seen_before_the_crash_and_gone_after_it_is_not_in_the_log() {
    let mut run = run();
    let phantom = logged(10, "d", 2, Fact::Other);
    run.entries.push(delivered("d", 1, &phantom));
    assert_eq!(
        run.faults(),
        [Fault::NotInLog {
            subscriber: "d".to_owned(),
            position: 10
        }]
    );
}

#[test]
fn a_position_that_was_given_out_twice_is_not_in_the_log() {
    let mut run = run();
    let other = Logged {
        event_id: "another".to_owned(),
        ..run.log[8].clone()
    };
    let last = run.entries.len() - 1;
    run.entries[last] = delivered("d", 1, &other);
    assert_eq!(
        run.faults(),
        [Fault::NotInLog {
            subscriber: "d".to_owned(),
            position: 9
        }]
    );
}

#[test]
fn a_message_that_the_agent_got_twice_was_sent_twice_unless_someone_asked_for_it() {
    let again = || Entry::AgentSaw {
        conversation: "c".to_owned(),
        key: key(4),
    };
    let mut unasked = run();
    unasked.entries.push(again());
    assert_eq!(unasked.faults(), [Fault::SentTwice { key: key(4) }]);

    let mut asked = run();
    asked.entries.push(Entry::Resent { key: key(4) });
    asked.entries.push(again());
    assert_eq!(asked.faults(), []);
}

#[test]
fn a_message_that_the_agent_never_got_is_a_fault_unless_its_outcome_is_unknown() {
    let unseen = |how| {
        let mut run = run();
        run.entries
            .retain(|entry| !matches!(entry, Entry::AgentSaw { key, .. } if *key == self::key(4)));
        run.log[7].fact = Fact::Settled { key: key(4), how };
        let at = run.delivery(8);
        run.entries[at] = delivered("all", 2, &run.log[7]);
        run.faults()
    };
    assert_eq!(
        unseen(Settled::Delivered),
        [Fault::NeverDelivered { key: key(4) }]
    );
    assert_eq!(unseen(Settled::Unknown), []);
}

#[test]
fn a_message_that_is_still_waiting_at_the_end_was_never_delivered() {
    let mut run = run();
    run.append(logged(
        10,
        "c",
        9,
        Fact::Operation {
            key: key(5),
            owed: true,
        },
    ));
    assert_eq!(run.faults(), [Fault::NeverDelivered { key: key(5) }]);
}

#[test]
fn a_hole_in_a_sequence_and_a_hole_in_the_log_are_gaps() {
    let mut sequence = run();
    sequence.append(logged(10, "d", 3, Fact::Other));
    let conversation = "d".to_owned();
    assert_eq!(
        sequence.faults(),
        [Fault::SequenceGap {
            conversation,
            after: 1,
            next: 3
        }]
    );

    let mut position = run();
    position.append(logged(11, "d", 2, Fact::Other));
    assert_eq!(
        position.faults(),
        [Fault::PositionGap { after: 9, next: 11 }]
    );
}

#[test]
fn acknowledgements_that_do_not_overlap_fix_the_order_in_the_log() {
    let mut run = run();
    // The third was acknowledged before the fourth was asked for; the log tells it the other way round.
    let (third, fourth) = (run.log[4].fact.clone(), run.log[6].fact.clone());
    run.log[4].fact = fourth;
    run.log[6].fact = third;
    run.entries
        .retain(|entry| !matches!(entry, Entry::Delivered { .. } | Entry::AgentSaw { .. }));
    let faults = run.faults();
    assert!(
        faults.contains(&Fault::AcknowledgedEarlier {
            key: key(3),
            behind: key(4)
        }),
        "{faults:?}"
    );
}

#[test]
fn the_agent_sees_the_order_of_the_log() {
    let mut run = run();
    let saw: Vec<_> = (0..run.entries.len())
        .filter(|at| matches!(run.entries[*at], Entry::AgentSaw { .. }))
        .collect();
    run.entries.swap(saw[1], saw[2]);
    assert_eq!(run.faults(), [Fault::AgentOutOfOrder { key: key(2) }]);
}

#[test]
fn a_journal_is_read_back_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("journal.jsonl");
    let journal = Journal(run().entries);
    journal.write(&path).expect("it can be written");
    assert_eq!(Journal::read(&path).expect("it can be read"), journal);
}
