//! What is typed on standard input.

use std::{
    io::{self, BufRead},
    thread,
};

use tokio::sync::mpsc;

/// Lines that were typed and not yet taken: a script may run ahead by so many, then its pipe waits.
const TYPED_AHEAD: usize = 16;

/// Standard input by lines. On a thread of its own, because reading it cannot be given up: a pool's thread would keep
/// the program from ending.
pub(super) fn typed_lines() -> io::Result<mpsc::Receiver<String>> {
    let (typed, lines) = mpsc::channel(TYPED_AHEAD);
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if typed.blocking_send(line).is_err() {
                    return;
                }
            }
        })?;
    Ok(lines)
}
