//! `parloir tail`: follows events, for people and for programs.

mod json;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use anyhow::Result;
use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use parloir_client::{Consumer, Error, EventStream, Item, Outcome, Subscription};
use parloir_proto::v1::{AckResult, DeliveredEvent, EventKind};

use super::{connect::Connect, terminal};
pub(super) use json::{duration, timestamp};

/// Follows events: one readable line each, or one JSON object each.
///
/// Events go to standard output and nothing else does; what happens to the stream goes to standard error.
#[derive(Debug, Args)]
pub struct TailArgs {
    #[command(flatten)]
    connect: Connect,
    /// Begin after the event with this cursor.
    #[arg(long, value_name = "CURSOR", conflicts_with = "from")]
    after: Option<String>,
    /// Begin at one end of the log. Unless given: `latest`, and `earliest` with --until-caught-up.
    #[arg(long, value_enum)]
    from: Option<From>,
    /// Only events of this account; may be repeated.
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// Only events of this conversation; may be repeated.
    #[arg(long = "conversation", value_name = "ID")]
    conversations: Vec<String>,
    /// Only events of this kind; may be repeated.
    #[arg(long = "kind", value_name = "KIND", value_parser = kind_parser())]
    kinds: Vec<EventKind>,
    /// Print one JSON object per line, with the names of the contract.
    #[arg(long)]
    json: bool,
    /// Be a member of this named subscription: print each event and acknowledge it as done. It is created if there is none.
    #[arg(long, value_name = "NAME", requires = "member", conflicts_with_all = ["after", "until_caught_up"])]
    subscription: Option<String>,
    /// Which member of the named subscription this is.
    #[arg(long, value_name = "ID", requires = "subscription")]
    member: Option<String>,
    /// Stop when everything that is in the log has been printed.
    #[arg(long, visible_alias = "once")]
    until_caught_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// With the first event that is still in the log.
    Earliest,
    /// With the first event after now.
    Latest,
}

/// Follows events until it is interrupted, nobody reads any more, or all has been printed that was asked for.
///
/// # Errors
///
/// A server that cannot be reached, and whatever ends a subscription: an expired or foreign cursor, a bad filter.
pub async fn run(args: TailArgs) -> Result<()> {
    let client = args.connect.client().await?;
    if let Some((name, member)) = args.subscription.clone().zip(args.member.clone()) {
        let consumer = client.consume(args.subscription().named(name, member));
        let outcome = consume(consumer, args.json, &mut io::stdout()).await;
        return terminal::unless_nobody_reads(outcome);
    }
    let events = client.subscribe(args.subscription());
    let outcome = follow(events, args.json, args.until_caught_up, &mut io::stdout()).await;
    terminal::unless_nobody_reads(outcome)
}

impl TailArgs {
    fn subscription(&self) -> Subscription {
        let all = Subscription::new()
            .accounts(&self.accounts)
            .conversations(&self.conversations)
            .kinds(self.kinds.iter().copied());
        match (&self.after, self.from) {
            (Some(cursor), _) => all.after(cursor),
            (None, Some(From::Earliest)) => all.from_earliest(),
            (None, None) if self.until_caught_up => all.from_earliest(),
            (None, _) => all.from_latest(),
        }
    }
}

async fn follow(
    mut events: EventStream,
    json: bool,
    until_caught_up: bool,
    out: &mut impl Write,
) -> Result<()> {
    while let Some(item) = events.next().await {
        match item.map_err(explain)? {
            Item::Event(delivered) => print(&delivered, json, out)?,
            Item::CaughtUp(_) if until_caught_up => {
                if let Some(cursor) = events.processed() {
                    eprintln!("caught up; --after {cursor} goes on from here");
                }
                return Ok(());
            }
            item => note(&item),
        }
    }
    Ok(())
}

/// Prints and acknowledges.
async fn consume(mut consumer: Consumer, json: bool, out: &mut impl Write) -> Result<()> {
    while let Some(item) = consumer.item().await {
        match item.map_err(explain)? {
            Item::Event(delivered) => {
                print(&delivered, json, out)?;
                // What could not be acknowledged comes again.
                match consumer.ack(&delivered, Outcome::Done).await {
                    Ok(AckResult::Stale) => {
                        eprintln!("{}: its lease has moved, it comes again", delivered.cursor);
                    }
                    Ok(_) => {}
                    Err(error) => eprintln!("{}: not acknowledged: {error}", delivered.cursor),
                }
            }
            item => note(&item),
        }
    }
    Ok(())
}

fn print(delivered: &DeliveredEvent, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        writeln!(out, "{}", json::object(delivered))?;
    } else {
        writeln!(out, "{}", terminal::line(delivered))?;
    }
    // Whoever reads a pipe wants the event now.
    out.flush()
}

/// Says on standard error what a reader of events should know about the stream.
fn note(item: &Item) {
    match item {
        Item::Interrupted { error, retry_in } => {
            eprintln!("the stream broke, trying again in {retry_in:.1?}: {error}");
        }
        Item::Gap(gap) => eprintln!(
            "events after {} were removed by retention; going on after {}",
            gap.asked_cursor, gap.resumed_cursor
        ),
        Item::FellBehind(_) => {
            eprintln!("events come faster than they are read; nothing is lost");
        }
        _ => {}
    }
}

fn explain(error: Error) -> anyhow::Error {
    let context = match error.metadata("first_available_cursor") {
        Some(cursor) => format!(
            "the log no longer holds what comes after that cursor; the first that works is --after {cursor}"
        ),
        None => "the server ended the stream".to_owned(),
    };
    anyhow::Error::new(error).context(context)
}

/// Takes a kind by the name it has in `Event.body`.
fn kind_parser() -> impl TypedValueParser<Value = EventKind> {
    PossibleValuesParser::new(terminal::kinds().map(terminal::kind_name)).try_map(|name| {
        terminal::kinds()
            .find(|kind| terminal::kind_name(*kind) == name)
            .ok_or("no kind of event")
    })
}
