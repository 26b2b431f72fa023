//! What a seed makes of a run: how much there is to do, and what may go wrong. Each run has a few kinds of trouble only,
//! because many at once hide what two of them do together.

use super::chance::Chance;

/// Sizes and odds, in percent, of one run.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub replicas: usize,
    pub conversations: u64,
    pub messages: u64,
    pub readers: u64,
    pub members: u64,
    /// Of the subscription at one time.
    pub max_members: usize,
    /// Of the subscription that they share.
    pub window: u32,
    pub max_attempts: u32,
    pub parked_blocks: bool,
    pub all_kinds: bool,
    /// For how many seconds there is trouble.
    pub troubled: u64,
    pub kinds: Vec<Kind>,
    /// The slowest way to another machine, in microseconds.
    pub slowest_way: u64,
    pub bells_lost: u64,
    pub bells_doubled: u64,
    pub reads_failing: u64,
    /// Of reading what is handed out again.
    pub bodies_failing: u64,
    pub commits_unclear: u64,
    pub requests_failing: u64,
    pub max_batch: usize,
    /// How much of the log stays in memory, and comes from the database at once.
    pub ring: usize,
    pub page: usize,
}

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Crash,
    StandStill,
    /// A replica cannot reach the database.
    CutOff,
    /// A replica hears no bell, and rings none.
    Deaf,
    /// The clock of a machine is set.
    Clock,
    /// The database ends all connections.
    Database,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Crash,
        Self::StandStill,
        Self::CutOff,
        Self::Deaf,
        Self::Clock,
        Self::Database,
    ];
}

/// A fault that is put into the house, to see whether it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// Positions are drawn before the commit, as from a sequence, and not under the lock of the head.
    EarlyPositions,
    /// A commit is answered before it is durable.
    EarlyAnswers,
    /// How an attempt ended counts, whoever has the row by now.
    NoFencing,
    /// What members acknowledged is answered and not kept.
    ForgottenAcks,
}

impl Plan {
    pub(super) fn draw(chance: &Chance) -> Self {
        let mut kinds: Vec<_> = Kind::ALL
            .into_iter()
            .filter(|_| chance.percent(40))
            .collect();
        if kinds.is_empty() {
            kinds.push(*chance.pick(&Kind::ALL));
        }
        let rarely = |often: u64| if chance.percent(30) { often } else { 0 };
        let mut plan = Self {
            replicas: 2 + chance.index(2),
            conversations: chance.within(2..5),
            messages: chance.within(2..6),
            readers: chance.within(1..3),
            members: chance.within(0..4),
            max_members: 10,
            window: *chance.pick(&[1, 2, 4]),
            max_attempts: *chance.pick(&[2, 5, 100]),
            parked_blocks: chance.percent(20),
            all_kinds: chance.percent(30),
            troubled: chance.within(6..18),
            kinds,
            slowest_way: *chance.pick(&[50_000, 400_000, 2_000_000]),
            bells_lost: *chance.pick(&[0, 10, 60, 100]),
            bells_doubled: rarely(30),
            reads_failing: rarely(3),
            bodies_failing: 0,
            commits_unclear: rarely(4),
            requests_failing: rarely(25),
            max_batch: *chance.pick(&[1, 3, 128]),
            ring: *chance.pick(&[2, 16, 8192]),
            page: *chance.pick(&[2, 7, 256]),
        };
        if plan.reads_failing > 0 {
            plan.bodies_failing = 40;
        }
        plan
    }
}
