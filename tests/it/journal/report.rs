//! What the checker found.

use std::fmt;

/// One broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Acknowledged, and not in the log.
    Lost { key: String },
    /// Acknowledged or not: more than once in the log.
    Repeated { key: String },
    /// The log says that the agent got it, or that it is still to get it, and it never came.
    NeverDelivered { key: String },
    /// A position that is missing in the log.
    PositionGap { after: u64, next: u64 },
    /// A `sequence` that is missing in its conversation.
    SequenceGap {
        conversation: String,
        after: u64,
        next: u64,
    },
    /// A subscriber was owed this position and got a later one.
    Skipped { subscriber: String, position: u64 },
    /// A subscriber got an event that the log does not hold at that position.
    NotInLog { subscriber: String, position: u64 },
    /// A subscriber got an event again, or an earlier one, on the same connection.
    OutOfOrder { subscriber: String, position: u64 },
    /// Acknowledged before the other was asked for, and behind it in the log.
    AcknowledgedEarlier { key: String, behind: String },
    /// The agent got two messages of a conversation in another order than the log's.
    AgentOutOfOrder { key: String },
    /// The agent got a message twice that nobody asked to resend.
    SentTwice { key: String },
}

/// The journals held against the log.
#[derive(Debug, Default)]
pub struct Report {
    /// Events in the log.
    pub events: usize,
    /// Operations that were asked for, and those of them that were acknowledged.
    pub operations: usize,
    pub acknowledged: usize,
    /// Events that reached subscribers.
    pub deliveries: usize,
    pub faults: Vec<Fault>,
}

impl Report {
    fn count(&self, which: fn(&Fault) -> bool) -> usize {
        self.faults.iter().filter(|fault| which(fault)).count()
    }

    pub fn lost(&self) -> usize {
        self.count(|fault| {
            matches!(
                fault,
                Fault::Lost { .. }
                    | Fault::Repeated { .. }
                    | Fault::NeverDelivered { .. }
                    | Fault::NotInLog { .. }
            )
        })
    }

    pub fn gaps(&self) -> usize {
        self.count(|fault| {
            matches!(
                fault,
                Fault::PositionGap { .. } | Fault::SequenceGap { .. } | Fault::Skipped { .. }
            )
        })
    }

    pub fn out_of_order(&self) -> usize {
        self.count(|fault| {
            matches!(
                fault,
                Fault::OutOfOrder { .. }
                    | Fault::AcknowledgedEarlier { .. }
                    | Fault::AgentOutOfOrder { .. }
            )
        })
    }

    pub fn sent_twice(&self) -> usize {
        self.count(|fault| matches!(fault, Fault::SentTwice { .. }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events, {} operations of which {} acknowledged, {} deliveries to subscribers",
            self.events, self.operations, self.acknowledged, self.deliveries
        )?;
        write!(
            f,
            "{} lost, {} gaps, {} out of order, {} sent twice",
            self.lost(),
            self.gaps(),
            self.out_of_order(),
            self.sent_twice()
        )?;
        // The first ones name the cause; a thousand more hide it.
        self.faults
            .iter()
            .take(20)
            .try_for_each(|fault| write!(f, "\n  {fault:?}"))
    }
}
