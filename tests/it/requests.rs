//! Questions of the agent that wait: who answers them, when nobody does, and what everybody is told.

mod abandoned;
mod answered;
mod availability;
mod fallbacks;
mod proxies;
mod repeats;
