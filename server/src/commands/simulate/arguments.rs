//! The flags of `parloir simulate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use humantime::parse_duration;
use secrecy::SecretString;

use super::signing::SigningArgs;
use crate::simulate::{AnswerWord, FaultWords, WebhookWord};

const EXAMPLES: &str = "\
Examples:
  The shop assistant, for a Parloir on this machine:
    parloir simulate
  Your own dialogues, starting from a copy of the shop's:
    parloir simulate --print-script > my.toml
    parloir simulate --script my.toml
  The first two requests are refused, the third succeeds:
    parloir simulate --fault-status 503 --fault-retry-after 1s --fault-times 2
  Every webhook arrives twice, signed as Zendesk Support signs:
    parloir simulate --fault-webhooks duplicate --webhook-scheme zendesk_support --webhook-secret s3cret

To talk to it without Parloir:
  curl http://127.0.0.1:8090/converse/chat -H 'Authorization: demo-key' \\
    -H 'botid: 64656d6f2d626f742d303031' -H 'Content-Type: application/json' \\
    -d '{\"platformConversationId\":\"c-1\",\"eventType\":\"message\",\"text\":\"hello\"}'
The answer is an empty 200; what the bot says goes to the webhook URL.
Times are written as in 500ms, 3s, 2h 30m.";

/// Runs a simulated agent platform: it answers the agent API, plays dialogues from a script, and calls
/// Parloir's webhooks, with faults if wished.
///
/// Without flags it plays a shop assistant. Say hello, ask about a parcel, for mugs, for the team, or for
/// a human.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct SimulateArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    pub listen: String,
    /// The agent's name in Parloir's configuration, which its webhook URL ends in
    #[arg(long, default_value = "demo", value_name = "NAME")]
    pub agent: String,
    /// The bot's id, sent by callers in the header `botid`
    #[arg(long, default_value = "64656d6f2d626f742d303031", value_name = "ID")]
    pub bot_id: String,
    /// The API key, sent by callers in the header `Authorization` without a word before it
    #[arg(
        long,
        env = "PARLOIR_SIMULATE_KEY",
        hide_env_values = true,
        default_value = "demo-key",
        value_name = "KEY"
    )]
    pub key: SecretString,
    /// Where webhooks go; by default to `http://127.0.0.1:8080/webhooks/` with the agent's name behind it
    #[arg(long, value_name = "URL")]
    pub webhook_url: Option<String>,
    /// Where actions go, if not to the webhook URL
    #[arg(long, value_name = "URL")]
    pub action_url: Option<String>,
    /// The script to play, a TOML file [default: the shop assistant]
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Print the shop assistant's script, which explains the format, and exit
    #[arg(long)]
    pub print_script: bool,
    /// What a session begins with, in place of the script's; empty for nothing
    #[arg(long, value_name = "TEXT")]
    pub welcome: Option<String>,
    /// How long a session lives after the last message of either side
    #[arg(long, default_value = "2h", value_parser = parse_duration, value_name = "TIME")]
    pub session_duration: Duration,
    /// How long the bot thinks before it answers
    #[arg(long, default_value = "0s", value_parser = parse_duration, value_name = "TIME")]
    pub reply_delay: Duration,
    /// Print nothing but the summary at the start
    #[arg(long, short)]
    pub quiet: bool,
    /// How long a webhook may take before it counts as failed
    #[arg(long, default_value = "9s", value_parser = parse_duration, value_name = "TIME")]
    pub webhook_timeout: Duration,
    /// How often a message is sent again whose webhook failed
    #[arg(long, default_value_t = 0, value_name = "TIMES")]
    pub webhook_retries: u32,
    /// Answer 401 to an unknown bot id, in place of 404
    #[arg(long)]
    pub unknown_bot_is_unauthorized: bool,
    /// Answer 200 to a message without text and ignore it, in place of 400
    #[arg(long)]
    pub ignore_blank_messages: bool,
    #[command(flatten)]
    pub signing: SigningArgs,
    #[command(flatten)]
    pub fault: FaultArgs,
}

impl SimulateArgs {
    pub fn webhook_url(&self) -> String {
        let default = || format!("http://127.0.0.1:8080/webhooks/{}", self.agent);
        self.webhook_url.clone().unwrap_or_else(default)
    }
}

/// What goes wrong with every request; a script can give each dialogue faults of its own.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Faults")]
pub struct FaultArgs {
    /// Hold every answer back for this long
    #[arg(long = "fault-latency", value_parser = parse_duration, value_name = "TIME")]
    pub latency: Option<Duration>,
    /// Answer with this status, from 400 to 599
    #[arg(long = "fault-status", value_name = "CODE")]
    pub status: Option<u16>,
    /// With --fault-status: the time in a Retry-After header
    #[arg(long = "fault-retry-after", value_parser = parse_duration, value_name = "TIME")]
    pub retry_after: Option<Duration>,
    /// Answer wrongly
    #[arg(long = "fault-answer", value_name = "KIND")]
    pub answer: Option<AnswerWord>,
    /// Answer with a redirect to this URL
    #[arg(long = "fault-redirect", value_name = "URL")]
    pub redirect: Option<String>,
    /// Send webhooks wrongly
    #[arg(long = "fault-webhooks", value_name = "KIND")]
    pub webhooks: Option<WebhookWord>,
    /// With --fault-webhooks late: how long after the request
    #[arg(long = "fault-webhook-delay", value_parser = parse_duration, value_name = "TIME")]
    pub webhook_delay: Option<Duration>,
    /// Whether the bot reacts to a request that is answered wrongly [default: false with a status or a
    /// redirect, otherwise true]
    #[arg(long = "fault-processed", action = ArgAction::Set, value_name = "BOOL")]
    pub processed: Option<bool>,
    /// How many requests meet the fault [default: all]
    #[arg(long = "fault-times", value_name = "TIMES")]
    pub times: Option<u32>,
}

impl FaultArgs {
    pub(super) fn words(&self) -> FaultWords {
        FaultWords {
            latency: self.latency,
            status: self.status,
            retry_after: self.retry_after,
            answer: self.answer,
            redirect: self.redirect.clone(),
            webhooks: self.webhooks,
            webhook_delay: self.webhook_delay,
            processed: self.processed,
            times: self.times,
        }
    }
}
