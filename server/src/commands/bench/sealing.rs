//! What sealing costs: the time of one event's body, in this process and without a server.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use crate::keys::{DataKey, Place};

/// Short rounds, many of them, the best one: what the machine did besides makes a round longer, never shorter.
const CALLS: u32 = 2_000;
const ROUNDS: usize = 300;

/// The time that one body takes.
#[derive(Debug)]
pub struct Figures(Vec<(usize, Duration, Duration)>);

/// Seals and opens bodies of 300 bytes and 1 KiB.
pub fn measure() -> Figures {
    let each = [300, 1024].map(|bytes| {
        let (key, _) = DataKey::generate();
        let body = vec![b'x'; bytes];
        let sealed = key.seal(place("1"), &body);
        let sealing = best(|position| {
            // As the log does it: the position as text, and a fresh nonce.
            let row = position.to_string();
            black_box(key.seal(place(&row), black_box(&body)));
        });
        let opening = best(|_| {
            let opened = key.open(place("1"), black_box(&sealed));
            black_box(opened.is_ok());
        });
        (bytes, sealing, opening)
    });
    Figures(each.to_vec())
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "event",
        row,
        column: "body",
    }
}

/// The time of one call.
fn best(call: impl Fn(u32)) -> Duration {
    let round = || {
        let begun = Instant::now();
        for number in 0..CALLS {
            call(number);
        }
        begun.elapsed()
    };
    let fastest = (0..ROUNDS).map(|_| round()).min();
    fastest.unwrap_or_default() / CALLS
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if cfg!(debug_assertions) {
            writeln!(f, "not optimised: build with --release")?;
        }
        for (bytes, sealing, opening) in &self.0 {
            let (sealing, opening) = (sealing.as_nanos(), opening.as_nanos());
            writeln!(
                f,
                "{bytes} bytes: sealing {sealing} ns, opening {opening} ns an event"
            )?;
        }
        Ok(())
    }
}
