//! With a real NATS server, which every test starts for itself: `tests/nats`.

mod broker;
mod doorbell;
mod guarded;
mod relayed;
