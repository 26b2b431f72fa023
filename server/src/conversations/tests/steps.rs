//! What may happen next.

use proptest::prelude::*;

/// One thing that happens, and whether the house comes to rest before the next does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Through the source. `post`: it arrives only later, if at all.
    VisitorSpeaks {
        contact: u8,
        owner: Option<Word>,
        age: Age,
        post: bool,
    },
    VisitorAsksForHuman(u8),
    VisitorOpens(u8),
    VisitorLeaves(u8),
    VisitorSends(u8),
    /// The newest words but so many.
    Resend(u8),
    Start(u8),
    UpdateParameters(u8),
    End(u8),
    /// From the newest session but so many, under the id that it had.
    AgentSpeaks {
        contact: u8,
        back: u8,
    },
    AgentEscalates {
        contact: u8,
        back: u8,
        expired: bool,
    },
    CallerAnswers {
        which: u8,
        answer: Reply,
    },
    Transfer {
        contact: u8,
        to_human: bool,
        expects: Expects,
    },
    HumanSpeaks {
        contact: u8,
        expects: Expects,
    },
    HumanAtSource {
        contact: u8,
        takes: bool,
        tells: Tells,
    },
    SourceIsLost(u8),
    SourceReports {
        which: u8,
        failed: bool,
    },
    PostArrives {
        which: u8,
        again: bool,
    },
    AgentWill(Fate, Held),
    SourceWill(Fate, Held),
    ReadingWill(Reading, bool),
    Release(u8),
    /// So many seconds.
    TimePasses(u8),
    Housekeeping,
    Restart,
}

/// What a source says of the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Agent,
    Human,
    Unknown,
}

/// When it happened by the source's clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Age {
    Untold,
    Now,
    Old,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Reply {
    Accept,
    Refuse,
    Fail,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Expects {
    Nothing,
    Today,
    Before,
}

/// Whether a human who takes over at the source, or hands back, is told of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tells {
    Nothing,
    Owner,
    Later,
    Doubt,
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Acknowledged,
    NotSent,
    Busy,
    NotNow,
    Unclear { arrives: bool },
    Refused,
    NotOwner,
}

/// Whether it takes until it is released, and when it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    No,
    ArrivesFirst,
    ArrivesLast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Truth,
    Later,
    Refused,
    Unknown,
}

/// A visitor speaks first: nothing else can happen to a conversation that is not there.
pub(super) fn histories() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let first = Step::VisitorSpeaks {
        contact: 0,
        owner: None,
        age: Age::Now,
        post: false,
    };
    let steps = prop::collection::vec((step(), prop::bool::weighted(0.6)), 4..48);
    steps.prop_map(move |mut steps| {
        steps.insert(0, (first.clone(), true));
        steps
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => visitor(),
        7 => agent(),
        7 => caller(),
        6 => at_source(),
        6 => fates(),
        2 => (0..4_u8).prop_map(Step::Release),
        3 => prop_oneof![Just(1_u8), Just(10), Just(61), Just(130)].prop_map(Step::TimePasses),
        1 => Just(Step::Housekeeping),
        3 => Just(Step::Restart),
    ]
}

/// Mostly one conversation, sometimes its neighbour.
fn contact() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(0_u8), 1 => Just(1)]
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![3 => Just(Word::Agent), 3 => Just(Word::Human), 1 => Just(Word::Unknown)]
}

fn visitor() -> impl Strategy<Value = Step> {
    let age = prop_oneof![1 => Just(Age::Untold), 3 => Just(Age::Now), 1 => Just(Age::Old)];
    let speaks = (
        contact(),
        prop::option::weighted(0.4, word()),
        age,
        prop::bool::weighted(0.2),
    );
    prop_oneof![
        6 => speaks.prop_map(|(contact, owner, age, post)| Step::VisitorSpeaks { contact, owner, age, post }),
        1 => contact().prop_map(Step::VisitorAsksForHuman),
        1 => contact().prop_map(Step::VisitorOpens),
        1 => contact().prop_map(Step::VisitorLeaves),
        2 => contact().prop_map(Step::VisitorSends),
        1 => (0..3_u8).prop_map(Step::Resend),
    ]
}

fn agent() -> impl Strategy<Value = Step> {
    let back = || prop_oneof![3 => Just(0_u8), 1 => 1..4_u8];
    prop_oneof![
        3 => (contact(), back()).prop_map(|(contact, back)| Step::AgentSpeaks { contact, back }),
        1 => (contact(), back(), prop::bool::weighted(0.2))
            .prop_map(|(contact, back, expired)| Step::AgentEscalates { contact, back, expired }),
    ]
}

fn caller() -> impl Strategy<Value = Step> {
    let expects = || prop_oneof![2 => Just(Expects::Nothing), 1 => Just(Expects::Today), 1 => Just(Expects::Before)];
    let reply =
        prop_oneof![2 => Just(Reply::Accept), 1 => Just(Reply::Refuse), 1 => Just(Reply::Fail)];
    prop_oneof![
        3 => (0..3_u8, reply).prop_map(|(which, answer)| Step::CallerAnswers { which, answer }),
        4 => (contact(), any::<bool>(), expects())
            .prop_map(|(contact, to_human, expects)| Step::Transfer { contact, to_human, expects }),
        2 => (contact(), expects()).prop_map(|(contact, expects)| Step::HumanSpeaks { contact, expects }),
        1 => contact().prop_map(Step::Start),
        1 => contact().prop_map(Step::UpdateParameters),
        1 => contact().prop_map(Step::End),
    ]
}

fn at_source() -> impl Strategy<Value = Step> {
    let tells = prop_oneof![1 => Just(Tells::Nothing), 2 => Just(Tells::Owner), 1 => Just(Tells::Later), 1 => Just(Tells::Doubt)];
    prop_oneof![
        4 => (contact(), any::<bool>(), tells)
            .prop_map(|(contact, takes, tells)| Step::HumanAtSource { contact, takes, tells }),
        1 => contact().prop_map(Step::SourceIsLost),
        1 => (0..3_u8, any::<bool>()).prop_map(|(which, failed)| Step::SourceReports { which, failed }),
        2 => (0..3_u8, any::<bool>()).prop_map(|(which, again)| Step::PostArrives { which, again }),
    ]
}

fn fates() -> impl Strategy<Value = Step> {
    let fate = || {
        prop_oneof![
            3 => Just(Fate::Acknowledged),
            1 => Just(Fate::NotSent),
            1 => Just(Fate::Busy),
            1 => Just(Fate::NotNow),
            2 => any::<bool>().prop_map(|arrives| Fate::Unclear { arrives }),
            1 => Just(Fate::Refused),
        ]
    };
    let at_source = prop_oneof![6 => fate(), 1 => Just(Fate::NotOwner)];
    let held = || {
        prop_oneof![
            Just(Held::No),
            Just(Held::ArrivesFirst),
            Just(Held::ArrivesLast)
        ]
    };
    let reading = prop_oneof![3 => Just(Reading::Truth), 1 => Just(Reading::Later), 1 => Just(Reading::Refused), 1 => Just(Reading::Unknown)];
    prop_oneof![
        2 => (fate(), held()).prop_map(|(fate, held)| Step::AgentWill(fate, held)),
        4 => (at_source, held()).prop_map(|(fate, held)| Step::SourceWill(fate, held)),
        2 => (reading, any::<bool>()).prop_map(|(reading, held)| Step::ReadingWill(reading, held)),
    ]
}
