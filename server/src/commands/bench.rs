//! `parloir bench`: what streams cost a running server, measured from a process of their own.

mod calls;
mod idle;
mod memory;
mod processor;
mod sealing;
mod streams;
mod stuck;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use memory::Resident;
use streams::Source;

/// Measures a running server on this machine.
///
/// Start the server anew for each measurement and let nothing else talk to it: what closed streams leave behind is used
/// again and would hide what new ones cost.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The memory of streams on which nothing happens.
    ///
    /// Opens streams, holds them, and prints the server's resident memory before, after a warm-up of one connection,
    /// and with them.
    IdleStreams(IdleStreams),
    /// What asking who calls, and counting what they ask for, costs.
    ///
    /// Starts two servers of its own, one that asks for a key and counts every limit and one that does neither, makes
    /// the same calls to both in alternating rounds, and prints the processor time of each server per call.
    Calls(calls::Calls),
    /// The memory of streams that are never read, and what they cost a reader that reads.
    ///
    /// Opens streams with small windows, reads nothing from them, and makes events: once before, once beside them. The
    /// events are parameters of a conversation of its own that has no session, so the agent behind the account hears
    /// of it twice only; but it must answer (`parloir simulate` will do), or its queue fills up.
    StuckStreams(StuckStreams),
    /// The time that sealing one event takes, and opening it. Needs no server.
    Sealing,
}

#[derive(Debug, Args)]
struct IdleStreams {
    #[command(flatten)]
    crowd: Crowd,
    /// How long they are held before the memory is read again.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    hold: Duration,
}

#[derive(Debug, Args)]
struct StuckStreams {
    #[command(flatten)]
    crowd: Crowd,
    /// The account whose events flow.
    #[arg(long)]
    account: String,
    /// How many events are made in each of the two parts.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    events: usize,
}

/// How many streams, and where.
#[derive(Debug, Args)]
struct Crowd {
    /// The gRPC address of the running server.
    #[arg(
        long,
        env = "PARLOIR_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:50051"
    )]
    server: String,
    /// The process whose memory is read: the server's.
    #[arg(long, value_name = "PID")]
    server_pid: u32,
    /// How many streams are opened.
    #[arg(long, value_name = "NUMBER", default_value_t = 5000)]
    streams: usize,
    /// How many of them share a connection.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = at_least_one)]
    per_connection: usize,
}

/// Measures, and prints what was found.
///
/// # Errors
///
/// A server that cannot be reached or refuses streams, and a process whose memory cannot be read.
pub async fn run(args: BenchArgs) -> Result<()> {
    match args.what {
        What::Calls(args) => print!("{}", calls::measure(&args).await?),
        What::Sealing => print!("{}", sealing::measure()),
        What::IdleStreams(args) => {
            let figures = idle::measure(&args.crowd, args.hold).await?;
            print!("{figures}");
        }
        What::StuckStreams(args) => {
            let source = Source::new(&args.crowd.server, args.account).await?;
            let figures = stuck::measure(&args.crowd, source, args.events).await?;
            print!("{figures}");
        }
    }
    Ok(())
}

impl Crowd {
    fn resident(&self) -> Result<Resident> {
        memory::resident(self.server_pid)
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a number".to_owned()),
    }
}
