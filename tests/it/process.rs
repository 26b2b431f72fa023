//! The binary as a process: configured by a file in a temporary folder, started, killed, started again.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::net::TcpStream;

/// The bot that the configured agent is, and its key.
pub const BOT: &str = "65f0c1a2b3d4e5f60718293a";
pub const KEY: &str = "2f7c0d7be0a94d5f8a6f";

/// The account that is configured, and its agent.
pub const ACCOUNT: &str = "demo";
pub const AGENT: &str = "shop";

/// A debug build on a busy machine, with recovery of what a kill left, takes well under a second.
const LONGEST_START: Duration = Duration::from_secs(20);

/// The hard deadline of a stop is shorter in every configuration here.
const LONGEST_STOP: Duration = Duration::from_secs(40);

/// A folder with a configuration and a database, and the addresses that stay the same over all starts.
pub struct Setup {
    folder: TempDir,
    pub grpc: SocketAddr,
    pub webhooks: SocketAddr,
    ops: SocketAddr,
}

impl Setup {
    /// With one agent at `agent_url`; `settings` is TOML that goes before the tables.
    pub fn new(agent_url: &str, settings: &str) -> Self {
        Self::with_source(agent_url, settings, "")
    }

    /// As [`Setup::new`]; `source` is TOML that goes into the account's table and after it.
    pub fn with_source(agent_url: &str, settings: &str, source: &str) -> Self {
        let setup = Self::with_addresses();
        let database = format!("sqlite:{}", setup.path("parloir.db").display());
        setup.write(setup.configuration(agent_url, settings, "", source, &database));
        setup
    }

    /// One of the replicas that share the database at this URL; `agent` is TOML that goes into the agent's table.
    pub fn replica(agent_url: &str, settings: &str, agent: &str, database: &str) -> Self {
        let setup = Self::with_addresses();
        setup.write(setup.configuration(agent_url, settings, agent, "", database));
        setup
    }

    fn with_addresses() -> Self {
        let host = own_host();
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            grpc: free_address(host),
            webhooks: free_address(host),
            ops: free_address(host),
        }
    }

    fn write(&self, configuration: String) {
        fs::write(self.path("api-key"), KEY).expect("the key can be written");
        fs::write(self.path("parloir.toml"), configuration)
            .expect("the configuration can be written");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn grpc_url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    pub fn ops(&self) -> SocketAddr {
        self.ops
    }

    pub fn webhook_url(&self) -> String {
        format!("http://{}/webhooks/{AGENT}", self.webhooks)
    }

    fn configuration(
        &self,
        agent_url: &str,
        settings: &str,
        agent: &str,
        source: &str,
        database: &str,
    ) -> String {
        let Self {
            grpc,
            webhooks,
            ops,
            ..
        } = self;
        let key = self.path("api-key");
        let key = key.display();
        format!(
            r#"
            {settings}
            grpc.listen = "{grpc}"
            webhooks.listen = "{webhooks}"
            ops.listen = "{ops}"
            database.url = "{database}"

            [[agents]]
            name = "{AGENT}"
            {agent}
            [agents.platform.zendesk]
            bot_id = "{BOT}"
            base_url = "{agent_url}"
            api_key = {{ file = "{key}" }}

            [[accounts]]
            name = "{ACCOUNT}"
            agent = "{AGENT}"
            {source}
            "#
        )
    }

    /// Starts the server, under another program if one is given.
    pub fn start(&self, under: &[&str]) -> Server {
        let binary = binary();
        let mut words = under.iter().map(Path::new).chain([binary.as_path()]);
        let log = self.path("server.log");
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("the log can be opened");
        let child = Command::new(words.next().expect("the binary at least"))
            .args(words)
            .args(["serve", "--config"])
            .arg(self.path("parloir.toml"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a handle can be copied"))
            .stderr(output)
            .spawn()
            .expect("the server can be started: build it first (`tests/run build`)");
        Server {
            child,
            log,
            grpc: self.grpc,
            webhooks: self.webhooks,
        }
    }
}

/// A running server. Dropped, it is killed.
pub struct Server {
    child: Child,
    log: PathBuf,
    grpc: SocketAddr,
    webhooks: SocketAddr,
}

impl Server {
    /// Returns once both listeners accept.
    pub async fn ready(&mut self) {
        let connected = async {
            for address in [self.grpc, self.webhooks] {
                while TcpStream::connect(address).await.is_err() {
                    self.still_runs();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        if tokio::time::timeout(LONGEST_START, connected)
            .await
            .is_err()
        {
            panic!(
                "the server does not listen after {LONGEST_START:?}:\n{}",
                self.last_words()
            );
        }
    }

    fn still_runs(&mut self) {
        let ended = self.has_ended();
        assert!(
            ended.is_none(),
            "the server ended, {ended:?}:\n{}",
            self.last_words()
        );
    }

    /// How it ended, where it has ended by itself.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    /// SIGKILL. Returns once it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself, which `still_runs` tells from the exit code.
        let _ = self.child.kill();
        self.child.wait().expect("a child can be waited for");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        // The shell's own `kill` is there on every machine.
        let told = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.child.id())])
            .status();
        assert!(told.expect("a shell").success());
    }

    /// Waits until it has ended by itself.
    pub async fn exited(&mut self) -> ExitStatus {
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = tokio::time::timeout(LONGEST_STOP, ended).await;
        ended.unwrap_or_else(|_| {
            let words = self.last_words();
            panic!("the server still runs after {LONGEST_STOP:?}:\n{words}")
        })
    }

    /// The most memory that it had at one time, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("a number of KiB") * 1024
    }

    /// The end of what it logged, over all starts.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Test binaries stand in `target/<profile>/deps`, the binary one folder above.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its file");
    let profile = own
        .ancestors()
        .nth(2)
        .expect("test binaries stand two folders below the profile's");
    profile.join("parloir")
}

/// An address that stays the same over restarts, so port 0 does not do. Between two lives of a server its port is free,
/// and any outgoing connection of a neighbouring test may get it: so it is one of a loopback host of its own.
fn free_address(host: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).expect("a free port");
    listener
        .local_addr()
        .expect("a bound listener has an address")
}

fn own_host() -> Ipv4Addr {
    Ipv4Addr::new(
        127,
        fastrand::u8(1..),
        fastrand::u8(..),
        fastrand::u8(1..255),
    )
}
