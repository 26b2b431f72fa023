//! What asking who calls, and counting what they ask for, costs the server: two servers side by side, the same calls in
//! alternating rounds, the processor time of each server's process.

use std::{
    fmt, fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use parloir_client::Client;
use parloir_proto::v1::GetConversationRequest;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{processor, streams::Source};
use crate::access::Key;

/// Calls on their way at once.
const IN_FLIGHT: usize = 16;

/// A debug build on a busy machine takes a second.
const LONGEST_START: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct Calls {
    /// How many calls each server answers in each round.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    calls: usize,
    /// How many rounds there are.
    #[arg(long, value_name = "NUMBER", default_value_t = 6)]
    rounds: usize,
}

/// What a call costs, in microseconds of the server's processor.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    reading: f64,
    writing: f64,
}

pub struct Figures {
    calls: usize,
    rounds: usize,
    off: Cost,
    on: Cost,
}

/// A server of this measurement, in a process of its own.
struct Server {
    child: Child,
    source: Source,
    client: Client,
    _folder: TempDir,
}

pub async fn measure(args: &Calls) -> Result<Figures> {
    let off = Server::start(false).await?;
    let on = Server::start(true).await?;
    let (mut cost_off, mut cost_on) = (Vec::new(), Vec::new());
    // The first round warms both up.
    for round in 0..=args.rounds {
        // Who begins changes, so that neither always has the warmer machine.
        let first_is_on = round % 2 == 0;
        for is_on in [first_is_on, !first_is_on] {
            let server = if is_on { &on } else { &off };
            let cost = server.cost(args.calls, round).await?;
            if round > 0 {
                if is_on { &mut cost_on } else { &mut cost_off }.push(cost);
            }
        }
    }
    Ok(Figures {
        calls: args.calls,
        rounds: args.rounds,
        off: middle(&cost_off),
        on: middle(&cost_on),
    })
}

impl Server {
    async fn start(asks: bool) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let key = Key::generate().context("the system has no randomness to give")?;
        let (grpc, configuration) = configuration(folder.path(), asks, &key)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("a server could not be started")?;
        let url = format!("http://{grpc}");
        let begun = Instant::now();
        let client = loop {
            let mut builder = Client::builder(&url);
            if asks {
                builder = builder.key(key.text().expose_secret());
            }
            match builder.connect().await {
                Ok(client) => break client,
                Err(_) if begun.elapsed() < LONGEST_START && child.try_wait()?.is_none() => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => {
                    let _ = child.kill();
                    bail!("a server did not start: {error}");
                }
            }
        };
        let source = Source::over(client.clone(), "bench".into()).await?;
        Ok(Self {
            child,
            source,
            client,
            _folder: folder,
        })
    }

    /// What one call costs on average, read and written.
    async fn cost(&self, calls: usize, round: usize) -> Result<Cost> {
        let reading = self.each(calls, |client, source, _| async move {
            let request = GetConversationRequest {
                account: "bench".into(),
                conversation_id: source.conversation_id().to_owned(),
            };
            client.get_conversation(request).await?;
            Ok(())
        });
        let reading = reading.await?;
        let first = round * calls;
        let writing = self.each(calls, move |_, source, number| async move {
            source.event(first + number).await?;
            Ok(())
        });
        Ok(Cost {
            reading,
            writing: writing.await?,
        })
    }

    async fn each<F, Fut>(&self, calls: usize, call: F) -> Result<f64>
    where
        F: Fn(Client, Source, usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<()>> + Send,
    {
        let before = processor::time(self.child.id())?;
        let mut workers = JoinSet::new();
        for worker in 0..IN_FLIGHT {
            let (client, source, call) = (self.client.clone(), self.source.clone(), call.clone());
            workers.spawn(async move {
                for number in (worker..calls).step_by(IN_FLIGHT) {
                    call(client.clone(), source.clone(), number).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        let spent = processor::time(self.child.id())?.saturating_sub(before);
        Ok(spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(calls.max(1))?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a configuration. Answers the address of the calls, and the file.
fn configuration(
    folder: &Path,
    asks: bool,
    key: &Key,
) -> Result<(std::net::SocketAddr, std::path::PathBuf)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let at = |name: &str| folder.join(name);
    fs::write(at("agent-key"), "a-key")?;
    fs::write(at("key"), key.text().expose_secret())?;
    let access = if asks {
        // Every limit is counted, and none is reached.
        format!(
            "[[callers]]\nname = \"bench\"\nscopes = [\"converse\"]\nkeys = [{{ file = \"{}\" }}]\n\
             calls_per_second = 1000000\ncalls_in_flight = 1000000\nmessage_bytes = 1000000\n\
             [[tenants]]\nname = \"default\"\ncalls_per_second = 1000000\ncalls_in_flight = 1000000\n",
            at("key").display()
        )
    } else {
        "[[tenants]]\nname = \"default\"\ncalls_per_second = 0\ncalls_in_flight = 0\nstreams = 0\n"
            .to_owned()
    };
    let text = format!(
        "grpc.listen = \"{free}\"\nwebhooks.listen = \"127.0.0.1:0\"\nops.listen = \"127.0.0.1:0\"\n\
         grpc.answer_within = \"100ms\"\ndatabase.url = \"sqlite:{}\"\n\
         [[agents]]\nname = \"nobody\"\n[agents.platform.zendesk]\nbot_id = \"65f0c1a2b3d4e5f60718293a\"\n\
         base_url = \"http://127.0.0.1:9\"\napi_key = {{ file = \"{}\" }}\n\
         [[accounts]]\nname = \"bench\"\nagent = \"nobody\"\n{access}",
        at("bench.db").display(),
        at("agent-key").display(),
    );
    let file = at("parloir.toml");
    fs::write(&file, text)?;
    Ok((free, file))
}

/// The middle one of all rounds: what else the machine does then and now is left out.
fn middle(costs: &[Cost]) -> Cost {
    let of = |each: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = costs.iter().map(each).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Cost {
        reading: of(|cost| cost.reading),
        writing: of(|cost| cost.writing),
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls,
            rounds,
            off,
            on,
        } = self;
        writeln!(
            f,
            "{rounds} rounds of {calls} calls of each kind, the server's processor time per call"
        )?;
        for (what, off, on) in [
            ("GetConversation", off.reading, on.reading),
            ("UpdateParameters", off.writing, on.writing),
        ] {
            let ratio = on / off.max(f64::MIN_POSITIVE);
            writeln!(
                f,
                "{what:<17} off {off:>7.1} µs   on {on:>7.1} µs   ratio {ratio:.3}"
            )?;
        }
        Ok(())
    }
}
