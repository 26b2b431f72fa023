//! `parloir export`: fetches what the platform has written down of one day.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::one_agent::OneAgent;
use crate::{
    agents::{
        PlatformConfig,
        zendesk::{Day, Downloaded, Export, ExportFile, FileBounds},
    },
    domain::{Clock, SystemClock},
};

/// What the bar looks like; the number of the file stands before it.
const BAR: &str = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}";
/// The same where nobody knows how long the file is.
const SPINNER: &str = "{msg} {spinner} {bytes} {bytes_per_sec}";

/// Fetches an agent's export of one day: the files that its platform has made of it, without messages' texts.
///
/// A day without an export is no failure. A file that is there already is replaced once the new one is whole.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    agent: OneAgent,
    /// The day (UTC), one of the last thirty.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: String,
    /// The folder for its files; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// How long the files may be fetched, for slow lines [default: the platform's, a day]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    ttl: Option<u32>,
    /// Bytes that one file may have; a longer one is given up. The default is 64 GiB
    #[arg(long, value_name = "BYTES", default_value_t = FileBounds::default().bytes)]
    max_file_bytes: u64,
    /// How long one file may take; then it is given up
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "12h")]
    max_file_time: Duration,
}

/// Fetches, and says what came.
///
/// # Errors
///
/// A day that cannot be asked for, a platform that refuses, a file that could not be fetched.
pub async fn run(args: ExportArgs) -> Result<()> {
    let day = Day::parse(&args.date, SystemClock.now()).context("--date")?;
    let PlatformConfig::Zendesk(platform) = args.agent.load()?.platform;
    let export = Export::new(&platform)
        .with_context(|| format!("agent {:?}, platform.zendesk", args.agent.name()))?
        .with_bounds(FileBounds {
            bytes: args.max_file_bytes,
            time: args.max_file_time,
        });
    let mut out = io::stdout();
    let work = fetch(&export, &day, args.ttl, &args.to, &mut out);
    tokio::select! {
        done = work => done,
        // What was half fetched goes with the dropped future.
        _ = tokio::signal::ctrl_c() => bail!("interrupted: the files that were named are whole, the others are missing"),
    }
}

async fn fetch(
    export: &Export,
    day: &Day,
    ttl: Option<u32>,
    folder: &Path,
    out: &mut impl Write,
) -> Result<()> {
    let date = day.as_str();
    let files = export.files(day, ttl).await?;
    if files.is_empty() {
        writeln!(out, "{date}: the platform has no export of this day")?;
        return Ok(());
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut came = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let bar = Bar::new(&format!("file {} of {}", number + 1, files.len()));
        let done = fetch_one(export, file, folder, &bar).await;
        bar.end();
        let name = file.name();
        match done {
            Ok(downloaded) => {
                writeln!(out, "{name}: {}", amount(&downloaded))?;
                came.push(downloaded);
            }
            Err(error) => writeln!(out, "{name}: not fetched: {error:#}")?,
        }
    }
    let total = total(&came);
    writeln!(
        out,
        "{date}: {} files, {}, in {}",
        came.len(),
        amount(&total),
        folder.display()
    )?;
    if came.len() < files.len() {
        bail!(
            "{} of {} files could not be fetched",
            files.len() - came.len(),
            files.len()
        );
    }
    Ok(())
}

async fn fetch_one(
    export: &Export,
    file: &ExportFile,
    folder: &Path,
    bar: &Bar,
) -> Result<Downloaded> {
    let mut progress = |bytes, length| bar.show(bytes, length);
    export.download(file, folder, &mut progress).await
}

fn total(came: &[Downloaded]) -> Downloaded {
    Downloaded {
        bytes: came.iter().map(|file| file.bytes).sum(),
        records: came.iter().map(|file| file.records).sum(),
    }
}

fn amount(downloaded: &Downloaded) -> String {
    match downloaded.records {
        Some(records) => format!("{} bytes, {records} records", downloaded.bytes),
        None => format!("{} bytes", downloaded.bytes),
    }
}

/// A progress bar where somebody looks.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(message: &str) -> Self {
        Self(
            io::stderr()
                .is_terminal()
                .then(|| ProgressBar::no_length().with_message(message.to_owned())),
        )
    }

    fn show(&self, bytes: u64, length: Option<u64>) {
        let Some(bar) = &self.0 else {
            return;
        };
        if bytes == 0 {
            let template = if length.is_some() { BAR } else { SPINNER };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            if let Some(length) = length {
                bar.set_length(length);
            }
        }
        bar.set_position(bytes);
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests;
