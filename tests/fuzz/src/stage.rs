//! Agents and sources as an operator would configure them, one for each way to verify a webhook.

use std::{fs, io::Write, path::Path, sync::Arc};

use parloir::{
    agents,
    config::{self, Config},
    domain::{
        Clock, Timestamp,
        ports::{Agent, Source},
    },
    sources,
};

/// What signs; nothing else trusts it. Of the files in `secrets/`, the others are made of it.
pub const SECRET: &str = "an-obvious-secret-of-the-fuzz-targets";
/// When everything happens: 2026-11-20 00:00 UTC.
pub const NOW: i64 = 1_795_132_800;

/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

const CONFIGURATION: &str = include_str!("stage.toml");

/// A clock that stands still.
#[derive(Debug)]
pub struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(NOW * 1_000_000)
    }
}

/// The agents of `stage.toml`, in its order.
pub fn agents() -> Vec<Arc<dyn Agent>> {
    let config = configuration(NOWHERE);
    let build = |agent| agents::build(agent, Arc::new(Standing)).expect("a valid agent");
    config.agents.iter().map(build).collect()
}

/// The sources of `stage.toml` whose names begin with `system`, in its order.
pub fn sources(system: &str) -> Vec<Arc<dyn Source>> {
    let config = configuration(NOWHERE);
    let of_system = (config.sources.iter()).filter(|source| source.name.starts_with(system));
    let build = |source| {
        sources::build(source, sources::Means::without_keys(Arc::new(Standing)))
            .expect("a valid source")
    };
    of_system.map(build).collect()
}

/// `stage.toml`, with everything it calls at `base`.
pub fn configuration(base: &str) -> Config {
    let secrets = Path::new(env!("CARGO_MANIFEST_DIR")).join("secrets");
    let text = CONFIGURATION
        .replace("{secrets}", &secrets.display().to_string())
        .replace("{base}", base);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("a writable file");
    let loaded = config::load(Some(file.path()), std::iter::empty());
    loaded
        .unwrap_or_else(|problems| panic!("{problems}"))
        .config
}

/// A file of `secrets/`.
pub fn secret(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("secrets")
        .join(name);
    fs::read_to_string(file).expect("a readable file")
}
