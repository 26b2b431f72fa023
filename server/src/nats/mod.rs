//! NATS: the doorbell between replicas, and streams that events are relayed to.

mod doorbell;
mod link;
mod stream;

pub use self::{
    doorbell::NatsDoorbell,
    link::Link,
    stream::{JetStream, StreamSettings},
};
