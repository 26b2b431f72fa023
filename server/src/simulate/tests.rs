//! The simulator over real sockets: the checks of its behaviour by their numbers, then faults and scripts.

mod actions;
mod endpoints;
mod exports;
mod faults;
mod requests;
mod sessions;
mod signatures;
mod support;
mod tool;
