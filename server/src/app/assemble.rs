//! Agents, accounts and sources as the configuration declares them and administrators have made them, put together.

use std::{collections::HashSet, sync::Arc};

use super::settings;
use crate::{
    agents,
    config::{self, Config, Problems},
    domain::{Clock, Id},
    keys::Custody,
    live::{Assemble, Managed, Setup},
    sources::{self, Means},
};

/// Puts managed things beside the declared ones.
#[derive(Debug)]
pub struct Assembler {
    pub declared: Config,
    pub clock: Arc<dyn Clock>,
    pub custody: Arc<Custody>,
}

impl Assemble for Assembler {
    fn assemble(&self, managed: &Managed, before: &Setup) -> Result<Setup, Problems> {
        let config = self.with(managed);
        // What is declared alone was checked when it was read.
        if *managed != Managed::default() {
            self.check(&config)?;
        }
        let mut setup = Setup::default();
        let mut problems = Problems::default();
        for agent in &config.agents {
            let name = Id::trusted(agent.name.as_str());
            let same = before.agent_configs.get(&name) == Some(agent);
            let adapter = match before.agents.get(&name).filter(|_| same) {
                Some(adapter) => Ok(Arc::clone(adapter)),
                None => agents::build(agent, Arc::clone(&self.clock)),
            };
            match adapter {
                Ok(adapter) => drop(setup.agents.insert(name.clone(), adapter)),
                Err(error) => {
                    problems.add(format!("agents[{name}].platform"), format!("{error:#}"));
                }
            }
            setup.agent_configs.insert(name, agent.clone());
        }
        for source in &config.sources {
            let name = Id::trusted(source.name.as_str());
            let same = before.source_configs.get(&name) == Some(source);
            let adapter = match before.sources.get(&name).filter(|_| same) {
                Some(adapter) => Ok(Arc::clone(adapter)),
                None => sources::build(source, self.means()),
            };
            match adapter {
                Ok(adapter) => drop(setup.sources.insert(name.clone(), adapter)),
                Err(error) => {
                    problems.add(format!("sources[{name}].system"), format!("{error:#}"));
                }
            }
            setup.source_configs.insert(name, source.clone());
        }
        problems.into_result()?;
        let directory = settings::directory(&config, &setup.sources, &managed.paused);
        setup.directory = Arc::new(directory);
        Ok(setup)
    }
}

impl Assembler {
    fn means(&self) -> Means {
        Means {
            clock: Arc::clone(&self.clock),
            custody: Some(Arc::clone(&self.custody)),
        }
    }

    fn with(&self, managed: &Managed) -> Config {
        let mut config = self.declared.clone();
        config.agents.extend(managed.agents.iter().cloned());
        config.accounts.extend(managed.accounts.iter().cloned());
        config.sources.extend(managed.sources.iter().cloned());
        config
    }

    /// Problems name each thing by its name: its number is the server's own business.
    fn check(&self, config: &Config) -> Result<(), Problems> {
        let mut problems = config::check_objects(config, self.declared.sources.len());
        for problem in &mut problems.0 {
            problem.key = named(config, &problem.key);
        }
        // One thing may be found wrong twice, once from each side.
        let mut seen = HashSet::new();
        problems
            .0
            .retain(|problem| seen.insert((problem.key.clone(), problem.text.clone())));
        problems.into_result()
    }
}

/// `agents[0].name` becomes `agents[support].name`.
fn named(config: &Config, key: &str) -> String {
    let parts = key.split_once('[').and_then(|(list, rest)| {
        let (number, rest) = rest.split_once(']')?;
        Some((list, number.parse::<usize>().ok()?, rest))
    });
    let Some((list, number, rest)) = parts else {
        return key.to_owned();
    };
    let name = match list {
        "agents" => config.agents.get(number).map(|agent| &agent.name),
        "accounts" => config.accounts.get(number).map(|account| &account.name),
        "sources" => config.sources.get(number).map(|source| &source.name),
        _ => None,
    };
    name.map_or_else(|| key.to_owned(), |name| format!("{list}[{name}]{rest}"))
}

#[cfg(test)]
mod tests;
