//! Chats played from a script against an agent that answers in a fixed way.

use std::{fmt::Write, time::Duration};

use anyhow::Result;
use parloir_client::{Client, Subscription};
use tokio::sync::mpsc;

use super::{Answering, outgoing::Outgoing, parameter, screen::Screen, talk::Talk};
use crate::commands::tests::agent::Agent;

const ALL: [Answering; 3] = [
    Answering::Action,
    Answering::Escalation,
    Answering::Availability,
];

/// What was printed, and what reached the server, when these lines come from a pipe.
async fn chat(lines: &[&str]) -> (String, Vec<String>) {
    chat_with("demo", &ALL, lines).await.expect("a chat")
}

async fn chat_with(
    account: &str,
    answered_here: &[Answering],
    lines: &[&str],
) -> Result<(String, Vec<String>)> {
    let agent = Agent::default();
    let client = Client::builder(agent.serve().await).connect().await?;
    let events = client.subscribe(Subscription::new().accounts([account]));
    let (typed, taken) = mpsc::channel(lines.len().max(1));
    for line in lines {
        typed.send((*line).to_owned()).await?;
    }
    drop(typed);
    let mut printed = Vec::new();
    let outgoing = Outgoing::new(client, account.to_owned(), "c-1".to_owned());
    let screen = Screen::new(&mut printed, false);
    let talk = Talk::new(
        outgoing,
        screen,
        answered_here.to_vec(),
        vec![parameter("city=Lyon")?],
        Some(Duration::from_millis(800)),
    );
    let ended = talk.run(events, taken).await;
    let mut printed = String::from_utf8(printed)?;
    // As the verb does it: the words go to the screen, the exit code to the script.
    match ended {
        Err(error) if error.to_string() == "not everything was answered" => {
            writeln!(printed, "exit code 1: {error}")?;
        }
        other => other?,
    }
    Ok((printed, agent.calls()))
}

#[tokio::test]
async fn a_chat_without_a_line_shows_the_welcome_and_ends() {
    let (printed, calls) = chat(&[]).await;
    assert_eq!(calls, ["start with 1 parameters"]);
    assert!(
        printed.contains(
            "agent: Welcome\n  [1] Track my order\n  [2] [Our shop -> https://shop.example]\n"
        ),
        "{printed}"
    );
}

#[tokio::test]
async fn each_line_waits_for_the_answer_to_the_one_before() {
    let (printed, calls) = chat(&["hello", "again"]).await;
    assert_eq!(calls[1..], ["say hello", "say again"]);
    let order = [
        "you: hello",
        "agent: You said hello",
        "you: again",
        "agent: You said again",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|line| printed.find(line).expect(line))
        .collect();
    assert!(places.is_sorted(), "{printed}");
}

#[tokio::test]
async fn a_number_presses_the_button_and_the_action_is_answered() {
    let (printed, calls) = chat(&["1", "status=on its way eta=Friday"]).await;
    assert_eq!(
        calls[1..],
        [
            "choose Track my order card None of e1",
            "results status=on its way; eta=Friday"
        ]
    );
    assert!(
        printed.contains("? The agent asks for fetch_order(order_number=A-1009)."),
        "{printed}"
    );
    assert!(
        printed.ends_with("agent: Your order is on its way\n"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_card_is_chosen_with_its_index_and_its_event() {
    let (printed, calls) = chat(&["shop", "2"]).await;
    assert_eq!(calls[2], "choose Buy card Some(1) of e3");
    assert!(
        printed.contains("  Card 2: Blue\n    [2] Buy\n"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_link_is_refused_with_a_word_and_nothing_is_sent() {
    let (printed, calls) = chat(&["2"]).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(printed.contains("! That is a link"), "{printed}");
}

#[tokio::test]
async fn a_number_is_a_word_where_no_button_is_offered() {
    let (_, calls) = chat(&["hello", "7"]).await;
    assert_eq!(calls[1..], ["say hello", "say 7"]);
}

#[tokio::test]
async fn a_number_beyond_the_buttons_is_said_only_when_that_is_meant() {
    let (printed, calls) = chat(&["7", "/say 7"]).await;
    assert_eq!(calls[1..], ["say 7"]);
    assert!(
        printed.contains("! The buttons go from 1 to 2"),
        "{printed}"
    );
}

#[tokio::test]
async fn an_escalation_is_answered_with_y() {
    let (printed, calls) = chat(&["human", "perhaps", "y"]).await;
    assert_eq!(calls[1..], ["say human", "escalation true"]);
    assert!(printed.contains("! Answer y or n"), "{printed}");
    assert!(
        printed.contains("* Now a human answers the visitor (an escalation was accepted)."),
        "{printed}"
    );
    assert!(!printed.contains("exit code"), "{printed}");
}

#[tokio::test]
async fn a_question_may_be_refused() {
    let (_, calls) = chat(&["1", "/fail no such order"]).await;
    assert_eq!(calls[2], "refused");
}

#[tokio::test]
async fn questions_that_are_not_answered_here_are_shown_and_left_to_others() {
    let (printed, calls) = chat_with("demo", &[Answering::Nothing], &["1"])
        .await
        .expect("a chat");
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(
        printed.contains("* action_requested: fetch_order(order_number=A-1009)"),
        "{printed}"
    );
}

#[tokio::test]
async fn trouble_with_a_delivery_is_a_sentence() {
    let (printed, _) = chat(&["down", "lost", "refused"]).await;
    for sentence in [
        "! Not sent yet",
        "! Sent, but whether the agent got it",
        "! Not delivered",
    ] {
        assert!(printed.contains(sentence), "{printed}");
    }
}

#[tokio::test]
async fn what_a_source_tells_reads_as_sentences_and_ends_the_wait() {
    let (printed, _) = chat(&["desk", "nobody knows"]).await;
    for line in [
        "* Now a human answers the visitor (the source says so). Note: angry\n",
        "* Ada joined.\n",
        "human, Ada: I am here\n",
        "! Not sent to the visitor's side: somebody else took over before it could be (OWNER_MOVED).\n",
        "* Now it cannot be told who answers the visitor, so the agent is silent (the source says so).\n",
    ] {
        assert!(printed.contains(line), "no {line:?} in {printed}");
    }
    assert!(!printed.contains("exit code"), "{printed}");
}

#[tokio::test]
async fn an_agent_that_says_nothing_is_not_waited_for_longer_than_asked() {
    let (printed, _) = chat(&["silence"]).await;
    assert!(printed.contains("! The agent did not answer"), "{printed}");
    assert!(printed.contains("exit code 1"), "{printed}");
}

#[tokio::test]
async fn commands_reach_their_calls() {
    let (printed, calls) = chat(&["/human she is angry", "/agent", "/end", "/help", "/edn"]).await;
    assert_eq!(
        calls[1..],
        [
            "transfer_conversation",
            "transfer_conversation",
            "end_conversation"
        ]
    );
    assert!(printed.contains("/say words"), "{printed}");
    assert!(printed.contains("! /edn is no command"), "{printed}");
}

#[tokio::test]
async fn quit_leaves_before_the_lines_behind_it() {
    let (_, calls) = chat(&["/quit", "hello"]).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
}

#[tokio::test]
async fn an_account_that_there_is_not_ends_the_chat_with_the_reason() {
    let error = chat_with("nobody", &ALL, &["hello"])
        .await
        .expect_err("no such account");
    assert!(
        format!("{error:#}").contains("no such account"),
        "{error:#}"
    );
}

#[test]
fn a_parameter_is_written_with_an_equals_sign() {
    assert_eq!(parameter("a=b=c").expect("a parameter").value, "b=c");
    assert!(parameter("a").is_err());
    assert!(parameter("=a").is_err());
}
