//! The server's own log: text or JSON lines on standard error, ids only, never SQL.

use std::{
    io::{self, IsTerminal},
    panic,
};

use anyhow::Context;
use tracing::{Level, Metadata, error};
use tracing_subscriber::{
    EnvFilter,
    filter::{ParseError, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, LoggingConfig};

/// Stays off whatever is asked for: statements carry visitors' words, and what becomes of a connection to a broker is told
/// once by ourselves, not with every try.
const NEVER: &str = "sqlx::query=off,sea_orm=warn,async_nats=off";

/// Our own crates: what they log, at any level, carries ids only.
const OWN: [&str; 3] = ["parloir", "parloir_client", "parloir_migrations"];

/// Whether something may be logged at all, whatever the operator's filter says. Other crates are heard from INFO on: at
/// DEBUG and TRACE, h2 and hyper log the frames and headers that pass, with callers' keys and platforms' tokens among
/// them, the HTTP client logs addresses with what stands in their queries, and the database logs statements with what
/// they are given. A list of those that do so would be out of date with the next version of any of them.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let crate_name = target.split("::").next().unwrap_or_default();
    OWN.contains(&crate_name) || *metadata.level() <= Level::INFO && target != "sqlx::query"
}

/// Sets the process's log up. Call it once; later calls are refused.
///
/// # Errors
///
/// When the filter cannot be read, or a log is set up already.
pub fn init(config: &LoggingConfig) -> anyhow::Result<()> {
    let registry = tracing_subscriber::registry()
        .with(filter_fn(may_be_logged))
        .with(filter(&config.filter).context("logging.filter")?);
    let lines = fmt::layer().with_writer(io::stderr);
    match config.format {
        LogFormat::Text => registry
            .with(lines.with_ansi(io::stderr().is_terminal()))
            .try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    // The default hook prints the message, and a message can hold what was being worked on.
    panic::set_hook(Box::new(|panic| {
        let at = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        error!(at, "a panic: an error in the program");
    }));
    Ok(())
}

/// What is logged.
///
/// # Errors
///
/// When the text is not a filter.
pub fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{text},{NEVER}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{info, subscriber::with_default};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .expect("not poisoned")
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn neither_statements_nor_headers_are_logged_whatever_is_asked_for() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry()
            .with(filter_fn(may_be_logged))
            .with(filter("trace,h2::codec=trace,sqlx=trace").expect("a filter"))
            .with(lines);
        with_default(subscriber, || {
            tracing::trace!(target: "h2::codec", header = "Bearer hello", "received");
            tracing::debug!(target: "hyper::proto", "hello");
            tracing::debug!(target: "sqlx::postgres", "hello");
            tracing::warn!(target: "sqlx::query", "slow: hello");
            info!(target: "sqlx::query", "insert into event values ('hello')");
            info!(conversation = "c1", "delivered");
        });
        let text =
            String::from_utf8(written.0.lock().expect("not poisoned").clone()).expect("text");
        let line: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!(
            (&line["message"], &line["conversation"]),
            (&"delivered".into(), &"c1".into())
        );
    }
}
