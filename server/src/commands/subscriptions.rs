//! `parloir subscriptions`: named subscriptions of a running server: how far they are, what is parked, and what to do
//! about it.

mod shown;

use std::io;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use parloir_client::{Client, Error};
use parloir_proto::v1::{
    CreateSubscriptionRequest, DeleteSubscriptionRequest, EventFilter, GetSubscriptionRequest,
    ListParkedEventsRequest, ListSubscriptionsRequest, MoveSubscriptionRequest, NamedSubscription,
    RedriveParkedEventsRequest, StartPosition, SubscriptionPolicy, UpdateSubscriptionRequest,
    WhenParked, create_subscription_request, move_subscription_request,
};

use super::{connect::Connect, terminal};
use shown::Output;

/// Shows and administers named subscriptions.
///
/// Needs a key with the scope `admin`, once the server knows any caller. What changes something is in the audit log.
#[derive(Debug, Args)]
pub struct SubscriptionsArgs {
    #[command(flatten)]
    connect: Connect,
    /// Print JSON with the names of the contract, one object a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists them with their lag.
    List,
    /// Shows one with its policy, members and lag.
    Get { name: String },
    /// Shows how far one is behind.
    Lag { name: String },
    /// Creates one before its first member comes.
    Create(CreateArgs),
    /// Changes how one hands out. What is not given stays as it is.
    Update {
        name: String,
        #[command(flatten)]
        policy: PolicyArgs,
    },
    /// Deletes one, with its position and all that is parked.
    Delete { name: String },
    /// Lists what is parked.
    Parked { name: String },
    /// Hands out again what is parked.
    Redrive(RedriveArgs),
    /// Moves the position of one, forward or back. What members have in hand counts no more.
    Move {
        name: String,
        #[command(flatten)]
        to: PlaceArgs,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    name: String,
    /// Only events of this account; may be repeated.
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// Only events of this conversation; may be repeated.
    #[arg(long = "conversation", value_name = "ID")]
    conversations: Vec<String>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    start: PlaceArgs,
}

/// A place in the log.
#[derive(Debug, Args)]
struct PlaceArgs {
    /// After the event with this cursor.
    #[arg(long, value_name = "CURSOR", conflicts_with = "from")]
    after: Option<String>,
    /// At one end of the log. Unless given: `latest`.
    #[arg(long, value_enum)]
    from: Option<From>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// With the first event that is still in the log.
    Earliest,
    /// With the first event after now.
    Latest,
}

#[derive(Debug, Args)]
struct PolicyArgs {
    /// How long a member has for an event, for example 30s.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    ack_deadline: Option<std::time::Duration>,
    /// How often an event is handed out before it is parked.
    #[arg(long, value_name = "COUNT")]
    max_attempts: Option<u32>,
    /// What happens to the conversation of a parked event.
    #[arg(long, value_enum)]
    when_parked: Option<Parking>,
    /// How many events of one conversation may be in flight.
    #[arg(long, value_name = "COUNT")]
    window: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Parking {
    /// It goes on without the event.
    Release,
    /// It waits until the event is done.
    Block,
}

#[derive(Debug, Args)]
struct RedriveArgs {
    name: String,
    /// Only of this account.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only of this conversation of the account.
    #[arg(long, value_name = "ID", requires = "account")]
    conversation: Option<String>,
    /// Only the event with this cursor; may be repeated.
    #[arg(long = "cursor", value_name = "CURSOR")]
    cursors: Vec<String>,
    /// Only count what would be handed out again.
    #[arg(long)]
    preview: bool,
}

/// Does it, and shows what came of it.
///
/// # Errors
///
/// What was refused, with the field and the remedy; a server that cannot be reached.
pub async fn run(args: SubscriptionsArgs) -> Result<()> {
    let client = args.connect.client().await?;
    let mut stdout = io::stdout();
    let mut output = Output::new(args.json, &mut stdout);
    let done = act(&client, args.what, &mut output).await;
    terminal::unless_nobody_reads(done)
}

async fn act(client: &Client, what: What, output: &mut Output<'_>) -> Result<()> {
    match what {
        What::List => list(client, output).await,
        What::Get { name } => output.whole(&get(client, name).await?),
        What::Lag { name } => output.line(&get(client, name).await?),
        What::Create(args) => {
            let request = args.request();
            let made = client.create_subscription(request).await?;
            output.whole(&made.subscription.unwrap_or_default())
        }
        What::Update { name, policy } => {
            let before = get(client, name.clone()).await?;
            let request = UpdateSubscriptionRequest {
                name,
                policy: Some(policy.over(before.policy.unwrap_or_default())),
                etag: before.etag,
            };
            let changed = client.update_subscription(request).await?;
            output.whole(&changed.subscription.unwrap_or_default())
        }
        What::Delete { name } => {
            let request = DeleteSubscriptionRequest {
                name: name.clone(),
                ..DeleteSubscriptionRequest::default()
            };
            client.delete_subscription(request).await?;
            output.remark(&format!("deleted {name}"))
        }
        What::Parked { name } => parked(client, name, output).await,
        What::Redrive(args) => {
            let preview = args.preview;
            let response = client.redrive_parked_events(args.request()).await?;
            output.count(response.count, preview)
        }
        What::Move { name, to } => {
            let request = MoveSubscriptionRequest {
                name,
                to: Some(to.destination()),
            };
            let moved = client.move_subscription(request).await?;
            output.whole(&moved.subscription.unwrap_or_default())
        }
    }
}

async fn get(client: &Client, name: String) -> Result<NamedSubscription, Error> {
    let found = client.get_subscription(GetSubscriptionRequest { name });
    Ok(found.await?.subscription.unwrap_or_default())
}

async fn list(client: &Client, output: &mut Output<'_>) -> Result<()> {
    let mut request = ListSubscriptionsRequest::default();
    loop {
        let page = client.list_subscriptions(request.clone()).await?;
        for subscription in &page.subscriptions {
            output.line(subscription)?;
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = page.next_page_token;
    }
}

async fn parked(client: &Client, name: String, output: &mut Output<'_>) -> Result<()> {
    let mut request = ListParkedEventsRequest {
        name,
        ..ListParkedEventsRequest::default()
    };
    loop {
        let page = client.list_parked_events(request.clone()).await?;
        for event in &page.events {
            output.parked(event)?;
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = page.next_page_token;
    }
}

impl CreateArgs {
    fn request(self) -> CreateSubscriptionRequest {
        let start = match (self.start.after, self.start.from) {
            (Some(cursor), _) => create_subscription_request::Start::AfterCursor(cursor),
            (None, from) => create_subscription_request::Start::Position(position(from).into()),
        };
        CreateSubscriptionRequest {
            subscription: Some(NamedSubscription {
                name: self.name,
                filter: Some(EventFilter {
                    accounts: self.accounts,
                    conversation_ids: self.conversations,
                    kinds: Vec::new(),
                }),
                policy: Some(self.policy.over(SubscriptionPolicy::default())),
                ..NamedSubscription::default()
            }),
            start: Some(start),
        }
    }
}

impl PlaceArgs {
    fn destination(self) -> move_subscription_request::To {
        match (self.after, self.from) {
            (Some(cursor), _) => move_subscription_request::To::AfterCursor(cursor),
            (None, from) => move_subscription_request::To::Position(position(from).into()),
        }
    }
}

fn position(from: Option<From>) -> StartPosition {
    match from {
        Some(From::Earliest) => StartPosition::Earliest,
        Some(From::Latest) | None => StartPosition::Latest,
    }
}

impl PolicyArgs {
    fn over(&self, before: SubscriptionPolicy) -> SubscriptionPolicy {
        let when_parked = self.when_parked.map(|parking| match parking {
            Parking::Release => WhenParked::Release,
            Parking::Block => WhenParked::Block,
        });
        let deadline = self.ack_deadline.and_then(|time| time.try_into().ok());
        SubscriptionPolicy {
            ack_deadline: deadline.or(before.ack_deadline),
            max_attempts: self.max_attempts.unwrap_or(before.max_attempts),
            when_parked: when_parked.map_or(before.when_parked, Into::into),
            window: self.window.unwrap_or(before.window),
        }
    }
}

impl RedriveArgs {
    fn request(self) -> RedriveParkedEventsRequest {
        RedriveParkedEventsRequest {
            name: self.name,
            account: self.account.unwrap_or_default(),
            conversation_id: self.conversation.unwrap_or_default(),
            cursors: self.cursors,
            preview: self.preview,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: SubscriptionsArgs,
    }

    fn parse(line: &[&str]) -> Result<What, clap::Error> {
        let words = ["subscriptions"].iter().chain(line);
        Line::try_parse_from(words).map(|line| line.args.what)
    }

    #[test]
    fn what_is_not_given_of_a_policy_stays_as_it_is() {
        let Ok(What::Update { policy, .. }) = parse(&["update", "crm", "--max-attempts", "9"])
        else {
            panic!("an update");
        };
        let before = SubscriptionPolicy {
            max_attempts: 5,
            window: 3,
            when_parked: WhenParked::Block.into(),
            ..SubscriptionPolicy::default()
        };
        let after = SubscriptionPolicy {
            max_attempts: 9,
            ..before
        };
        assert_eq!(policy.over(before), after);
    }

    #[test]
    fn a_conversation_is_named_with_its_account() {
        assert!(parse(&["redrive", "crm", "--conversation", "c"]).is_err());
        assert!(parse(&["redrive", "crm", "--account", "a", "--conversation", "c"]).is_ok());
    }
}
