//! Streams over real sockets, with the generated client, on a log in memory.

mod endings;
mod refusals;
mod stage;
mod streams;
