//! `parloir chat`: talks to an agent in the terminal, through a running server.

mod awaited;
mod deliveries;
mod input;
mod offers;
mod outgoing;
mod questions;
mod screen;
mod talk;

#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use parloir_client::{Client, Code, Subscription};
use parloir_proto::v1::{Parameter, RespondToAgentRequest};
use uuid::Uuid;

use super::{connect::Connect, keyboard::typed_lines, terminal};
use outgoing::Outgoing;
use screen::Screen;
use talk::Talk;

/// Talks to an agent: type words, or the number of a button; /help names the rest.
///
/// Fed from a pipe it sends one line at a time, waits for the agent's answer after each, and ends once the last one is
/// answered; with exit code 1 if one was not:
///
///   printf 'Show me a mug\n2\n' | parloir chat --account demo
#[derive(Debug, Args)]
pub struct ChatArgs {
    #[command(flatten)]
    connect: Connect,
    /// The account to talk to.
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// The conversation to open or to resume; a new one unless given.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// A session parameter to begin with; may be repeated.
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = parameter)]
    params: Vec<Parameter>,
    /// Which of the agent's questions are asked here; those that are not are left to other subscribers.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "action,escalation,availability"
    )]
    answer: Vec<Answering>,
    /// Not typed by hand: how long to wait for each answer of the agent.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10s")]
    wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answering {
    /// Actions: do something or fetch data.
    Action,
    /// Escalations: hand over to a human.
    Escalation,
    /// Availability checks of this account's agent, whichever conversation they are about.
    Availability,
    /// None.
    Nothing,
}

/// Talks until `/quit`, or until standard input ends and what was sent has been answered.
///
/// # Errors
///
/// A server that cannot be reached, and a conversation that cannot be started.
pub async fn run(args: ChatArgs) -> Result<()> {
    let client = args.connect.client().await?;
    let by_hand = io::stdin().is_terminal();
    let mut answering = args.answer;
    if !answering.contains(&Answering::Nothing) && !may_answer(&client).await {
        eprintln!(
            "What the agent asks is left to others: the key's caller lacks the scope respond."
        );
        answering = vec![Answering::Nothing];
    }
    // Without a conversation in the filter, because availability checks belong to none.
    let events = client.subscribe(Subscription::new().accounts([&args.account]).from_latest());
    let conversation = args
        .conversation
        .unwrap_or_else(|| Uuid::now_v7().to_string());
    let outgoing = Outgoing::new(client, args.account, conversation);
    let screen = Screen::new(io::stdout(), by_hand);
    let wait = (!by_hand).then_some(args.wait);
    let talk = Talk::new(outgoing, screen, answering, args.params, wait);
    terminal::unless_nobody_reads(talk.run(events, typed_lines()?).await)
}

/// Whether the caller may answer what an agent asks: nobody should type an answer that is refused. No call tells, so a
/// question is answered that does not exist.
async fn may_answer(client: &Client) -> bool {
    let nothing = RespondToAgentRequest {
        request_id: format!("parloir-chat-{}", Uuid::now_v7()),
        answer: Some(questions::refusal(String::new())),
        ..RespondToAgentRequest::default()
    };
    let refused = client.respond_to_agent(nothing).await.err();
    refused.is_none_or(|error| error.code() != Code::PermissionDenied)
}

fn parameter(text: &str) -> Result<Parameter> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Parameter {
            key: key.to_owned(),
            value: value.to_owned(),
            personal: false,
        }),
        _ => bail!("write it as KEY=VALUE"),
    }
}
