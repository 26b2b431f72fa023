//! `parloir check-config`: shows the settings in force and where each comes from, or everything that is wrong.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use toml::{Table, Value};

use crate::config::{self, Loaded, Origins, check_secrets};

/// Shows the settings in force and where each comes from, or everything that is wrong (exit code 1).
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// The configuration file (TOML).
    #[arg(long, env = "PARLOIR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the reference of all settings as Markdown instead.
    #[arg(long)]
    reference: bool,
}

/// Checks the configuration, secrets included.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn run(args: &CheckConfig) -> Result<()> {
    if args.reference {
        print!("{}", config::reference::markdown());
        return Ok(());
    }
    let loaded = config::load(args.config.as_deref(), config::environment())?;
    check_secrets(&loaded.config)?;
    for line in lines(&loaded) {
        println!("{line}");
    }
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}

/// One line per setting: key, value, source. Secrets are shown by the place that holds them.
fn lines(loaded: &Loaded) -> Vec<String> {
    let settings = Table::try_from(&loaded.config).unwrap_or_default();
    let mut lines = Vec::new();
    collect(&Value::Table(settings), "", &loaded.origins, &mut lines);
    lines
}

fn collect(value: &Value, key: &str, origins: &Origins, lines: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                let inner = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                collect(value, &inner, origins, lines);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                collect(value, &format!("{key}[{index}]"), origins, lines);
            }
        }
        value => {
            let origin = origins.get(key).map_or("default", String::as_str);
            lines.push(format!("{key} = {value}  ({origin})"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_shown_with_its_source_and_a_secret_by_its_place() {
        let variables = [
            ("PARLOIR__GRPC__LISTEN", "127.0.0.1:1"),
            ("PARLOIR__AGENTS__0__NAME", "bot"),
            ("PARLOIR__AGENTS__0__PLATFORM__ZENDESK__BOT_ID", "1"),
            (
                "PARLOIR__AGENTS__0__PLATFORM__ZENDESK__BASE_URL",
                "https://example.com",
            ),
            (
                "PARLOIR__AGENTS__0__PLATFORM__ZENDESK__API_KEY__ENV",
                "BOT_KEY",
            ),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let loaded = config::load(None, variables.into_iter()).expect("valid");
        let lines = lines(&loaded);
        let shown = |line: &str| {
            assert!(
                lines.iter().any(|shown| shown == line),
                "no {line} in {lines:#?}"
            );
        };
        shown("grpc.listen = \"127.0.0.1:1\"  (PARLOIR__GRPC__LISTEN)");
        shown("grpc.max_streams = 20000  (default)");
        shown(
            "agents[0].platform.zendesk.api_key.env = \"BOT_KEY\"  (PARLOIR__AGENTS__0__PLATFORM__ZENDESK__API_KEY__ENV)",
        );
    }
}
