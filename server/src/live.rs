//! What is configured right now: agents, accounts and sources, from the configuration and from administrators. Swapped
//! as a whole, so that whoever looks sees one state of it, and never waits.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use crate::{
    config::{AccountConfig, AgentConfig, Problems, SourceConfig},
    domain::{
        Directory, Id,
        ports::{Agent, Source},
    },
};

/// One state of it.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub directory: Arc<Directory>,
    pub agents: HashMap<Id, Arc<dyn Agent>>,
    pub sources: HashMap<Id, Arc<dyn Source>>,
    /// What the agents were built from.
    pub agent_configs: HashMap<Id, AgentConfig>,
    /// What the sources were built from.
    pub source_configs: HashMap<Id, SourceConfig>,
}

/// What administrators have made, beside what the configuration declares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Managed {
    pub agents: Vec<AgentConfig>,
    pub sources: Vec<SourceConfig>,
    pub accounts: Vec<AccountConfig>,
    /// The agents to which nothing is sent for now, by name.
    pub paused: HashSet<String>,
}

/// Makes a state of what is declared and what is managed.
pub trait Assemble: fmt::Debug + Send + Sync {
    /// Refuses what does not hold together, and changes nothing then. Adapters whose configuration is the same as
    /// before are the same as before.
    fn assemble(&self, managed: &Managed, before: &Setup) -> Result<Setup, Problems>;
}

/// What is told of every new state.
type Follower = Box<dyn Fn(&Setup) + Send + Sync>;

/// The present state.
pub struct Live {
    setup: ArcSwap<Setup>,
    assembler: Option<Box<dyn Assemble>>,
    // One change after the other, and each told to all before the next.
    followers: Mutex<Vec<Follower>>,
}

impl Live {
    /// What `assembler` makes of the configuration alone.
    pub fn start(assembler: Box<dyn Assemble>) -> Result<Arc<Self>, Problems> {
        let setup = assembler.assemble(&Managed::default(), &Setup::default())?;
        Ok(Arc::new(Self {
            setup: ArcSwap::from_pointee(setup),
            assembler: Some(assembler),
            followers: Mutex::default(),
        }))
    }

    /// A state that nothing changes.
    pub fn fixed(setup: Setup) -> Arc<Self> {
        Arc::new(Self {
            setup: ArcSwap::from_pointee(setup),
            assembler: None,
            followers: Mutex::default(),
        })
    }

    /// The present state. Whoever needs two things of it takes both from one.
    pub fn setup(&self) -> Arc<Setup> {
        self.setup.load_full()
    }

    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.setup.load().directory)
    }

    pub fn agent(&self, name: &str) -> Option<Arc<dyn Agent>> {
        self.setup.load().agents.get(name).cloned()
    }

    pub fn source(&self, name: &str) -> Option<Arc<dyn Source>> {
        self.setup.load().sources.get(name).cloned()
    }

    /// A source drops what it holds in memory of a visitor. One that is gone holds nothing.
    pub fn forget(&self, source: &str, address: &str) {
        if let Some(source) = self.source(source) {
            source.forget(address);
        }
    }

    /// What administrators have made is this from now on. With a problem everything stays as it is. A problem with a
    /// managed thing has the key `agents[NAME]`, `accounts[NAME]` or `sources[NAME]` and, after a dot, its setting.
    pub fn replace(&self, managed: &Managed) -> Result<(), Problems> {
        let Some(assembler) = &self.assembler else {
            return Ok(());
        };
        // A panic elsewhere leaves a list that is still whole.
        let followers = (self.followers.lock()).unwrap_or_else(PoisonError::into_inner);
        let setup = Arc::new(assembler.assemble(managed, &self.setup())?);
        self.setup.store(Arc::clone(&setup));
        for follower in followers.iter() {
            follower(&setup);
        }
        Ok(())
    }

    /// Whether this could be what administrators have made; changes nothing.
    pub fn check(&self, managed: &Managed) -> Result<(), Problems> {
        match &self.assembler {
            Some(assembler) => assembler.assemble(managed, &self.setup()).map(drop),
            None => Ok(()),
        }
    }

    /// Tells `follower` of every state after this one, within the change. It must not wait.
    pub fn follow(&self, follower: impl Fn(&Setup) + Send + Sync + 'static) {
        let mut followers = (self.followers.lock()).unwrap_or_else(PoisonError::into_inner);
        followers.push(Box::new(follower));
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
