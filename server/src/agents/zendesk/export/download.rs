//! Fetching one file: streamed to a temporary name, tried again when it broke, renamed once it is whole.

use std::path::Path;

use anyhow::{Context, Error};
use http::StatusCode;
use tokio::{fs, io::AsyncWriteExt};

use super::{Export, file::ExportFile, records::Records};
use crate::{
    agents::zendesk::caller::{PATIENCE, causes},
    outgoing::{self, Limits},
};

/// How often a file is tried: a connection may break, and one that breaks three times will go on doing so.
const TRIES: u32 = 3;

/// What was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    pub bytes: u64,
    /// Absent where they cannot be told.
    pub records: Option<u64>,
}

/// Why a try failed.
enum Broken {
    /// It may go better next time.
    Again(Error),
    ForGood(Error),
}

impl Export {
    /// Fetches a file into `folder`, where it replaces one of the same name once it is whole. `progress` is told the
    /// bytes that have come, and those there are in all if that is known; with another try they begin anew.
    pub async fn download(
        &self,
        file: &ExportFile,
        folder: &Path,
        progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> anyhow::Result<Downloaded> {
        let limits = Limits {
            base: file.url.clone(),
            connect_timeout: self.connect_timeout,
            read_timeout: PATIENCE,
            allow_private_addresses: self.allow_private_addresses,
        };
        // A client of its own, which knows no credentials: the address holds all that is needed.
        let http = outgoing::client(&limits).context("the file's address")?;
        let mut tried = 1;
        loop {
            let fetched = tokio::time::timeout(
                self.bounds.time,
                fetch(&http, file, folder, self.bounds.bytes, progress),
            );
            let fetched = fetched.await.unwrap_or_else(|_| {
                let time = humantime::format_duration(self.bounds.time);
                Err(Broken::ForGood(anyhow::anyhow!(
                    "it takes longer than {time}: --max-file-time allows more"
                )))
            });
            match fetched {
                Ok(downloaded) => return Ok(downloaded),
                Err(Broken::Again(_)) if tried < TRIES => {
                    tokio::time::sleep(self.retry_pause * tried).await;
                    tried += 1;
                }
                Err(Broken::Again(error)) => {
                    return Err(error.context(format!("failed {TRIES} times")));
                }
                Err(Broken::ForGood(error)) => return Err(error),
            }
        }
    }
}

async fn fetch(
    http: &outgoing::Client,
    file: &ExportFile,
    folder: &Path,
    max_bytes: u64,
    progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<Downloaded, Broken> {
    let broke = |error: reqwest::Error| Broken::Again(anyhow::anyhow!(causes(&error)));
    let mut response = http.get(file.url.clone()).send().await.map_err(broke)?;
    judge(response.status())?;
    let length = response.content_length();
    // Readable for its owner alone, and gone with this function unless it is kept.
    let temporary = tempfile::Builder::new()
        .suffix(".part")
        .tempfile_in(folder)
        .map_err(unwritable)?;
    let mut target = fs::File::from_std(temporary.as_file().try_clone().map_err(unwritable)?);
    let (mut bytes, mut records) = (0, Records::default());
    progress(bytes, length);
    while let Some(piece) = response.chunk().await.map_err(broke)? {
        if bytes + piece.len() as u64 > max_bytes {
            return Err(Broken::ForGood(anyhow::anyhow!(
                "it is longer than {max_bytes} bytes: --max-file-bytes allows more"
            )));
        }
        target.write_all(&piece).await.map_err(unwritable)?;
        records.feed(&piece);
        bytes += piece.len() as u64;
        progress(bytes, length);
    }
    target.flush().await.map_err(unwritable)?;
    target.sync_all().await.map_err(unwritable)?;
    temporary
        .persist(folder.join(file.name()))
        .map_err(|error| unwritable(error.error))?;
    Ok(Downloaded {
        bytes,
        records: records.count(),
    })
}

fn judge(status: StatusCode) -> Result<(), Broken> {
    let said = anyhow::anyhow!("its store answered {status}");
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Broken::Again(said)),
        status if status.is_server_error() => Err(Broken::Again(said)),
        StatusCode::FORBIDDEN => Err(Broken::ForGood(
            said.context("the address may have run out: ask for a longer --ttl"),
        )),
        _ => Err(Broken::ForGood(said)),
    }
}

fn unwritable(error: std::io::Error) -> Broken {
    Broken::ForGood(Error::new(error).context("cannot be written"))
}
