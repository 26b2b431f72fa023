//! Tests of this source: the checks of its contract by their numbers, and what is promised beyond them.

mod answers;
mod calls;
mod connector;
mod handovers;
mod late;
mod platform;
mod repeats;
mod settings;
mod tokens;
