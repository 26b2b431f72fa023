//! The agent that a verb is about, from the configuration.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::config::{self, AgentConfig};

/// Which agent, and where it is configured.
#[derive(Debug, Clone, Args)]
pub struct OneAgent {
    /// The configuration file (TOML).
    #[arg(long, env = "PARLOIR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The agent's name in the configuration.
    #[arg(long, value_name = "NAME")]
    agent: String,
}

impl OneAgent {
    pub fn name(&self) -> &str {
        &self.agent
    }

    /// Its settings. No secret is read.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, or that it has no such agent.
    pub fn load(&self) -> Result<AgentConfig> {
        let loaded = config::load(self.config.as_deref(), config::environment())?;
        let mut agents = loaded.config.agents;
        if let Some(at) = agents.iter().position(|agent| agent.name == self.agent) {
            return Ok(agents.swap_remove(at));
        }
        let known: Vec<_> = agents.iter().map(|agent| agent.name.as_str()).collect();
        let known = if known.is_empty() {
            "none; --config names the file".to_owned()
        } else {
            known.join(", ")
        };
        bail!("there is no agent {:?}; configured: {known}", self.agent);
    }
}
