//! Visitors whom a source brings: the whole way from there to the agent and back, through real sockets.

mod agent;
mod desk;
mod log;
mod social_flows;
mod stage;
