//! Visitors whom a source brings: the whole way from there to the agent and back, through real sockets.

mod accounts;
mod agent;
mod choices;
mod counter;
mod desk;
mod escalations;
mod found;
mod human;
mod live_person;
mod log;
mod messenger_flow;
mod messenger_messages;
mod messenger_ownership;
/// A page on Facebook Messenger, the one that the source's own tests stand on.
#[path = "../../server/src/sources/messenger/tests/fake.rs"]
#[expect(dead_code, reason = "the source's own tests use all of it")]
mod messenger_page;
mod page;
mod phrases;
mod refused;
mod social_flows;
mod social_messages;
mod social_ownership;
mod stage;
mod steady;
mod story;
mod tickets;
mod whatsapp;
mod widget;

use crate::support::platform as fake_server;
