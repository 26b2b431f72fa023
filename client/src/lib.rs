//! Client of Parloir: the generated client behind a typed builder, and a subscription that resumes by itself.
//!
//! ```no_run
//! use parloir_client::{Client, Item, Subscription};
//!
//! # async fn example(stored: String) -> Result<(), parloir_client::Error> {
//! let client = Client::builder("http://127.0.0.1:50051").connect().await?;
//!
//! client.start("demo", "order-1009", "start-1").await?;
//! client.say("demo", "order-1009", "message-1", "Where is my order?").await?;
//!
//! let mut events = client.subscribe(Subscription::new().accounts(["demo"]).after(stored));
//! while let Some(item) = events.next().await {
//!     if let Item::Event(delivered) = item? {
//!         println!("{:?}", delivered.event);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Three things are worth knowing:
//!
//! - **Ids are yours.** Every call that changes something takes an idempotency key (`message_id`, `command_id`) that
//!   you make and keep. Because of it the client may repeat a call that met UNAVAILABLE without doing it twice.
//! - **Every unary call has a deadline** ([`Builder::deadline`], 10 seconds), repeats included. A subscription has
//!   none; it watches the heartbeat that the server announces instead.
//! - **The cursor follows your work**, not the network: see [`EventStream`].
//!
//! Several processes that share the work of one subscription use [`Client::consume`]: the server keeps the position, and
//! hands an event to another member when one dies.

mod admin;
mod admin_subscriptions;
mod backoff;
mod builder;
mod calls;
mod client;
mod consumer;
mod credentials;
mod error;
mod pool;
mod shortcuts;
mod stream;
mod subscription;

pub use parloir_proto::v1;
/// The codes of [`Error::code`].
pub use tonic::Code;

pub use builder::Builder;
pub use client::Client;
pub use consumer::{Consumer, Outcome};
pub use error::{Error, FieldViolation};
pub use stream::{EventStream, Item};
pub use subscription::Subscription;
