//! The agent's questions that wait to be answered here, the oldest first.

use std::collections::VecDeque;

use parloir_proto::v1::{
    ActionRequested, ActionResults, AvailabilityAnswer, AvailabilityRequested, EscalationDecision,
    EscalationRequested, Parameter, RequestFailure, event::Body, respond_to_agent_request::Answer,
};

use super::Answering;
use crate::commands::terminal;

#[derive(Default)]
pub(super) struct Questions(VecDeque<Question>);

pub(super) struct Question {
    pub(super) request_id: String,
    /// What to ask the one who sits at the terminal.
    pub(super) words: String,
    kind: Answering,
}

impl Questions {
    pub(super) fn push(&mut self, question: Question) {
        self.0.push_back(question);
    }

    pub(super) fn first(&self) -> Option<&Question> {
        self.0.front()
    }

    /// It was answered, or is no longer waited for. Whether it was open here.
    pub(super) fn close(&mut self, request_id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|question| question.request_id != request_id);
        self.0.len() < before
    }
}

impl Question {
    /// The question in an event, if it waits for one and is one of those that are answered here.
    pub(super) fn of(body: &Body, answered_here: &[Answering]) -> Option<Self> {
        let (kind, request_id, words) = match body {
            Body::ActionRequested(action) => {
                (Answering::Action, &action.request_id, action_words(action))
            }
            Body::EscalationRequested(escalation) => (
                Answering::Escalation,
                &escalation.request_id,
                escalation_words(escalation),
            ),
            Body::AvailabilityRequested(check) => (
                Answering::Availability,
                &check.request_id,
                availability_words(check),
            ),
            _ => return None,
        };
        let open = !request_id.is_empty() && answered_here.contains(&kind);
        open.then(|| Self {
            request_id: request_id.clone(),
            words,
            kind,
        })
    }

    /// The answer that a line gives. An error says how to write one.
    pub(super) fn answer(&self, line: &str) -> Result<Answer, &'static str> {
        match self.kind {
            Answering::Action => {
                let results = results(line).ok_or("Write the results as key=value, or /fail.")?;
                Ok(Answer::ActionResults(ActionResults { results }))
            }
            Answering::Escalation => {
                let accepted = yes(line).ok_or("Answer y or n, or /fail.")?;
                Ok(Answer::Escalation(EscalationDecision { accepted }))
            }
            Answering::Availability => {
                let online = yes(line).ok_or("Answer y or n, or /fail.")?;
                Ok(Answer::Availability(AvailabilityAnswer { online }))
            }
            Answering::Nothing => Err("Nothing is answered here."),
        }
    }
}

pub(super) fn refusal(reason: String) -> Answer {
    Answer::Failure(RequestFailure { reason })
}

/// Personal values too: who answers needs them.
fn action_words(action: &ActionRequested) -> String {
    let handed_over = action.parameters.iter();
    let handed_over: Vec<_> = handed_over
        .map(|p| format!("{}={}", p.key, p.values.join(", ")))
        .collect();
    format!(
        "The agent asks for {}({}). Results as key=value, empty line to send nothing, /fail to refuse.",
        action.name,
        handed_over.join(", ")
    )
}

fn escalation_words(escalation: &EscalationRequested) -> String {
    format!(
        "The agent wants to hand over to a human{}. Accept? y/n",
        terminal::cause(&escalation.target)
    )
}

fn availability_words(check: &AvailabilityRequested) -> String {
    let team = if check.team.is_empty() {
        "anybody"
    } else {
        &check.team
    };
    format!("The agent asks whether {team} is online. y/n")
}

fn yes(line: &str) -> Option<bool> {
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// `status=on its way eta=Friday`: a word with `=` begins a result, others belong to the value before them.
fn results(line: &str) -> Option<Vec<Parameter>> {
    let mut results: Vec<Parameter> = Vec::new();
    for word in line.split_whitespace() {
        match (word.split_once('='), results.last_mut()) {
            (Some((key, value)), _) if !key.is_empty() => results.push(Parameter {
                key: key.to_owned(),
                value: value.to_owned(),
                personal: false,
            }),
            (_, Some(last)) => {
                last.value.push(' ');
                last.value.push_str(word);
            }
            (_, None) => return None,
        }
    }
    Some(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: Answering) -> Question {
        Question {
            request_id: "r-1".into(),
            words: String::new(),
            kind,
        }
    }

    fn pairs(line: &str) -> Vec<(String, String)> {
        let results = results(line).expect("results");
        results.into_iter().map(|p| (p.key, p.value)).collect()
    }

    #[test]
    fn values_may_hold_spaces_and_equals_signs() {
        assert_eq!(
            pairs("status=on its way  link=https://x.example/?a=b"),
            [
                ("status".into(), "on its way".into()),
                ("link".into(), "https://x.example/?a=b".into())
            ]
        );
    }

    #[test]
    fn an_empty_line_sends_no_results() {
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn words_without_a_key_are_asked_for_again() {
        assert!(question(Answering::Action).answer("shipped").is_err());
        assert!(question(Answering::Action).answer("=shipped").is_err());
    }

    #[test]
    fn yes_and_no_are_understood_and_nothing_else() {
        let escalation = question(Answering::Escalation);
        assert_eq!(
            escalation.answer("Yes"),
            Ok(Answer::Escalation(EscalationDecision { accepted: true }))
        );
        assert!(escalation.answer("").is_err());
        assert_eq!(
            question(Answering::Availability).answer("n"),
            Ok(Answer::Availability(AvailabilityAnswer { online: false }))
        );
    }

    #[test]
    fn what_waits_for_no_answer_or_is_not_answered_here_is_no_question() {
        let check = |request_id: &str| {
            Body::AvailabilityRequested(AvailabilityRequested {
                request_id: request_id.into(),
                ..AvailabilityRequested::default()
            })
        };
        assert!(Question::of(&check("r-1"), &[Answering::Availability]).is_some());
        assert!(Question::of(&check(""), &[Answering::Availability]).is_none());
        assert!(Question::of(&check("r-1"), &[Answering::Action]).is_none());
    }

    #[test]
    fn a_question_is_asked_with_what_the_agent_hands_over() {
        let action = ActionRequested {
            request_id: "r-1".into(),
            name: "fetch_order".into(),
            parameters: vec![parloir_proto::v1::ActionParameter {
                key: "order_number".into(),
                values: vec!["A-1009".into()],
                ..Default::default()
            }],
            ..ActionRequested::default()
        };
        let question = Question::of(&Body::ActionRequested(action), &[Answering::Action]);
        assert_eq!(
            question.expect("a question").words,
            "The agent asks for fetch_order(order_number=A-1009). Results as key=value, empty line to send nothing, \
             /fail to refuse."
        );
    }
}
