//! What takes the whole: the shape of the code, and a running server seen from outside.

mod architecture;
mod crash;
mod flush;
mod journal;
mod process;
mod webhook;
mod commands;
mod journal;
mod support;
mod webhooks;
