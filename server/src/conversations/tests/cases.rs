//! Histories that once went wrong.

use super::{
    play,
    setup::Setup,
    steps::{Age, Expects, Fate, Held, Reading, Step, Tells, Word},
};

const PLAIN: Setup = Setup {
    fence: true,
    reads_owner: false,
    reads_back: false,
    hands_over: false,
    with_text: false,
    takes_escalations: false,
    enforces: false,
    accepts_unanswered: false,
    settles: false,
    unknown_then_human: false,
    in_two_parts: false,
};

const ESCALATES: Step = Step::AgentEscalates {
    contact: 0,
    back: 0,
    expired: false,
};

/// Plays the steps, each to its rest.
fn goes_well(setup: Setup, steps: &[Step]) {
    let history: Vec<_> = steps.iter().map(|step| (step.clone(), true)).collect();
    if let Err(error) = play(setup, &history) {
        panic!("{error}");
    }
}

fn speaks(owner: Option<Word>, age: Age, post: bool) -> Step {
    Step::VisitorSpeaks {
        contact: 0,
        owner,
        age,
        post,
    }
}

fn plainly() -> Step {
    speaks(None, Age::Now, false)
}

fn transfers(to_human: bool) -> Step {
    Step::Transfer {
        contact: 0,
        to_human,
        expects: Expects::Nothing,
    }
}

#[test]
fn a_reading_that_began_before_a_transfer_does_not_undo_it() {
    let setup = Setup {
        reads_owner: true,
        ..PLAIN
    };
    let held = Step::ReadingWill(Reading::Truth, true);
    goes_well(setup, &[held, plainly(), transfers(true), Step::Release(1)]);
}

#[test]
fn a_late_word_of_the_source_does_not_change_the_owner_back() {
    let late = speaks(Some(Word::Agent), Age::Old, true);
    let now = speaks(Some(Word::Human), Age::Now, false);
    let arrives = Step::PostArrives {
        which: 0,
        again: false,
    };
    goes_well(PLAIN, &[late, now, arrives]);
}

#[test]
fn a_source_that_is_lost_again_and_again_does_not_silence_everybody_for_ever() {
    let lost = Step::SourceIsLost(0);
    let passes = Step::TimePasses(61);
    goes_well(
        PLAIN,
        &[
            lost.clone(),
            passes.clone(),
            lost,
            passes,
            Step::Housekeeping,
        ],
    );
}

#[test]
fn a_handover_phrase_answers_an_escalation_that_is_open() {
    let asks = Step::VisitorAsksForHuman(0);
    goes_well(PLAIN, &[plainly(), ESCALATES, asks]);
}

#[test]
fn a_visitor_who_leaves_closes_what_the_agent_waits_for() {
    goes_well(PLAIN, &[plainly(), ESCALATES, Step::VisitorLeaves(0)]);
}

#[test]
fn an_owner_who_is_not_told_answers_an_escalation_that_is_open() {
    let setup = Setup {
        reads_owner: true,
        ..PLAIN
    };
    let refused = Step::ReadingWill(Reading::Refused, false);
    let later = Step::TimePasses(130);
    goes_well(setup, &[plainly(), ESCALATES, later, refused, plainly()]);
}

#[test]
fn nobody_is_promised_a_human_whom_a_newer_owner_has_overtaken() {
    let setup = Setup {
        hands_over: true,
        ..PLAIN
    };
    let held = Step::SourceWill(Fate::Acknowledged, Held::ArrivesFirst);
    let lost = Step::SourceIsLost(0);
    goes_well(
        setup,
        &[plainly(), held, transfers(true), lost, Step::Release(1)],
    );
}

#[test]
fn what_becomes_of_one_part_does_not_make_the_whole_delivered() {
    let setup = Setup {
        in_two_parts: true,
        ..PLAIN
    };
    let unclear = Step::SourceWill(Fate::Unclear { arrives: false }, Held::No);
    let says = Step::AgentSpeaks {
        contact: 0,
        back: 0,
    };
    let reports = Step::SourceReports {
        which: 0,
        failed: false,
    };
    goes_well(setup, &[plainly(), unclear, says, reports]);
}

#[test]
fn words_that_wait_long_after_a_reading_wait_for_another() {
    let setup = Setup {
        reads_owner: true,
        ..PLAIN
    };
    let later = Step::ReadingWill(Reading::Later, false);
    goes_well(
        setup,
        &[
            plainly(),
            transfers(true),
            Step::TimePasses(61),
            later,
            plainly(),
            transfers(false),
            Step::TimePasses(130),
        ],
    );
}

#[test]
fn what_was_under_way_when_the_owner_changed_is_read_back() {
    let setup = Setup {
        reads_back: true,
        ..PLAIN
    };
    let arrives = Fate::Unclear { arrives: true };
    let held = Step::SourceWill(arrives, Held::ArrivesFirst);
    let says = Step::AgentSpeaks {
        contact: 0,
        back: 0,
    };
    goes_well(
        setup,
        &[plainly(), held, says, transfers(true), Step::Release(1)],
    );
}

/// The one case that cannot be told apart, so that it stays one.
#[test]
fn only_late_words_after_a_handback_under_the_same_id_look_like_those_of_today() {
    let setup = Setup {
        fence: false,
        ..PLAIN
    };
    let late = Step::AgentSpeaks {
        contact: 0,
        back: 1,
    };
    let human_there = Step::HumanAtSource {
        contact: 0,
        takes: true,
        tells: Tells::Owner,
    };
    goes_well(
        setup,
        &[
            plainly(),
            transfers(true),
            late.clone(),
            transfers(false),
            late.clone(),
            human_there,
            late,
        ],
    );
}
