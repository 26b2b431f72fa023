//! A program that prints the master keys: how a key store or a vault hands them out.

use std::{
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};
use zeroize::Zeroizing;

use super::source::KeySourceError;

/// What a program may print: a few hundred keys.
pub(super) const MAX_BYTES: usize = 65_536;
/// How often a program that has closed its output is asked whether it has ended.
const ENDED: Duration = Duration::from_millis(10);

/// Runs it without a shell and reads what it prints. What it says on standard error goes nowhere: it may hold the key.
pub(super) async fn output(
    program: &[String],
    time_limit: Duration,
) -> Result<Zeroizing<String>, KeySourceError> {
    let (name, arguments) = program.split_first().ok_or(KeySourceError::NoProgram)?;
    let failed = |source| KeySourceError::Program {
        program: name.clone(),
        source,
    };
    let child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut running = Running(child.map_err(failed)?);
    let ended = timeout_at(Instant::now() + time_limit, running.finish()).await;
    let (printed, status) = match ended {
        Ok(ended) => ended.map_err(failed)?,
        Err(_) => {
            return Err(KeySourceError::TooSlow {
                program: name.clone(),
                time_limit,
            });
        }
    };
    let place = || format!("the program {name}");
    if printed.len() > MAX_BYTES {
        return Err(KeySourceError::TooLong { place: place() });
    }
    if !status.success() {
        return Err(KeySourceError::Failed {
            program: name.clone(),
            status,
        });
    }
    let text = std::str::from_utf8(&printed);
    let text = text.map_err(|_| KeySourceError::NotText { place: place() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// A program that is ended when nobody waits for it any more.
struct Running(Child);

impl Running {
    async fn finish(&mut self) -> io::Result<(Zeroizing<Vec<u8>>, ExitStatus)> {
        let output = self.0.stdout.take();
        let printed = tokio::task::spawn_blocking(move || {
            // One allocation: a growing one would leave pieces of keys behind.
            let mut printed = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 1));
            if let Some(output) = output {
                output
                    .take(MAX_BYTES as u64 + 1)
                    .read_to_end(&mut printed)?;
            }
            Ok::<_, io::Error>(printed)
        });
        let printed = printed.await.map_err(io::Error::other)??;
        if printed.len() > MAX_BYTES {
            self.0.kill()?;
        }
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok((printed, status));
            }
            sleep(ENDED).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail where it has ended already. Killed, it is waited for only a moment.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
