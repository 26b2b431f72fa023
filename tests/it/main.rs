//! What takes the whole: the shape of the code, and a running server seen from outside.

mod access;
mod admin_verbs;
mod administration;
mod architecture;
mod besieged;
mod checks;
mod commands;
mod contract;
mod crash;
mod delivery;
mod flush;
mod journal;
mod lifecycle;
mod malformed;
mod ownership;
mod pages;
mod privacy;
mod process;
mod requests;
mod secrets;
mod sources;
mod subscriptions;
mod support;
mod tenants;
mod webhook;
mod webhooks;
