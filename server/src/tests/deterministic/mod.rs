//! A deterministic simulation: several replicas of the real committer, log tail, hub, delivery lanes and named subscriptions over a database in
//! memory, in virtual time. One seed decides about everything: what is to be done, what goes wrong and when, how long each
//! way takes and who goes first. So a run that fails can be run again, as often as it takes to understand it.
//!
//! `PARLOIR_SEED=17` runs that seed alone and tells its story; `PARLOIR_SEEDS=200000` runs so many.

mod agent;
mod bells;
mod callers;
mod chance;
mod check;
mod database;
mod groups;
mod journal;
mod lanes;
mod life;
mod members;
mod plan;
mod readers;
mod replica;
mod run;
mod scenes;
mod seeds;
mod store;
mod trace;
mod transaction;
mod trouble;
mod turns;
mod world;
