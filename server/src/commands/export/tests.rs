//! `parloir export` against the simulated platform.

use std::{fs, time::Duration};

use indicatif::ProgressStyle;

use super::{
    super::tests::platform::{BOT, Stage},
    *,
};
use crate::domain::Timestamp;

/// 2026-11-20 00:00 UTC.
const NOW: Timestamp = Timestamp(1_795_132_800 * 1_000_000);
const DAY: &str = "2026-11-19";

/// What it wrote, and how it ended.
async fn exported(stage: &Stage, folder: &Path) -> (String, Result<()>) {
    let day = Day::parse(DAY, NOW).expect("a day");
    let export = Export::new(&stage.settings).expect("valid");
    let export = export.with_retry_pause(Duration::ZERO);
    let mut out = Vec::new();
    let done = fetch(&export, &day, Some(60), folder, &mut out).await;
    (String::from_utf8(out).expect("text"), done)
}

#[tokio::test]
async fn check_99_102_a_day_is_fetched_to_files_and_summed_up() {
    let stage = Stage::start().await;
    let files = [("part-0.json", "[{},{}]"), ("part-1.json", "{}\n")];
    stage.simulator.put_export(BOT, DAY, &files);
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("new/exports");
    let (said, done) = exported(&stage, &to).await;
    done.expect("fetched");
    let expected = format!(
        "part-0.json: 7 bytes, 2 records\npart-1.json: 3 bytes, 1 records\n{DAY}: 2 files, 10 bytes, 3 records, in {}\n",
        to.display()
    );
    assert_eq!(said, expected);
    for (name, content) in files {
        assert_eq!(fs::read_to_string(to.join(name)).expect("a file"), content);
    }
    let seen = stage.simulator.requests();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].header("organizationid"), Some("org-1"));
    assert!(
        seen[1..]
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[tokio::test]
async fn check_101_a_day_without_an_export_is_no_failure_and_makes_no_folder() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("exports");
    let (said, done) = exported(&stage, &to).await;
    done.expect("no failure");
    assert_eq!(
        said,
        format!("{DAY}: the platform has no export of this day\n")
    );
    assert!(!to.exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_is_named_and_the_others_come() {
    let stage = Stage::start().await;
    let files = [("part-0.json", "[]"), ("part-1.json", "[]")];
    stage.simulator.put_export(BOT, DAY, &files);
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("part-0.json")).expect("a folder in its place");
    let (said, done) = exported(&stage, folder.path()).await;
    let error = done.expect_err("one is missing").to_string();
    assert_eq!(error, "1 of 2 files could not be fetched");
    assert!(
        said.contains("part-0.json: not fetched: cannot be written"),
        "{said}"
    );
    assert!(said.contains("part-1.json: 2 bytes, 0 records\n"), "{said}");
    assert!(!said.contains("signature"), "{said}");
}

#[test]
fn what_the_bar_shows_can_be_drawn() {
    for template in [BAR, SPINNER] {
        assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
    }
}

#[test]
fn records_are_told_only_where_all_are_known() {
    let file = |bytes, records| Downloaded { bytes, records };
    let all = total(&[file(5, Some(2)), file(7, Some(1))]);
    assert_eq!(amount(&all), "12 bytes, 3 records");
    let some = total(&[file(5, Some(2)), file(7, None)]);
    assert_eq!(amount(&some), "12 bytes");
}
