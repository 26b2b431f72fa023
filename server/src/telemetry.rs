//! The server's own log: text or JSON lines on standard error, ids only, never SQL.

use std::{
    io::{self, IsTerminal},
    panic,
};

use anyhow::Context;
use tracing::error;
use tracing_subscriber::{
    EnvFilter, filter::ParseError, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::{LogFormat, LoggingConfig};

/// Stays off whatever is asked for: statements carry visitors' words.
const NEVER: &str = "sqlx::query=off,sea_orm=warn";

/// Sets the process's log up. Call it once; later calls are refused.
///
/// # Errors
///
/// When the filter cannot be read, or a log is set up already.
pub fn init(config: &LoggingConfig) -> anyhow::Result<()> {
    let registry =
        tracing_subscriber::registry().with(filter(&config.filter).context("logging.filter")?);
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
    fn statements_are_never_logged_whatever_is_asked_for() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry()
            .with(filter("trace").expect("a filter"))
            .with(lines);
        with_default(subscriber, || {
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
