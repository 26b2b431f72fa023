//! What the pages for people show is true: their configurations load, and what they link to exists.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parloir::config;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every page in these folders, with its text.
fn pages(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let files = folders.iter().flat_map(|folder| {
        let entries = fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path())
    });
    let pages = files.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages
        .map(|path| (path.clone(), fs::read_to_string(path).expect("text")))
        .collect()
}

/// The TOML blocks of a page, indented ones included.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for line in text.lines() {
        match (line.trim(), &mut block) {
            ("```toml", _) => block = Some(Vec::new()),
            ("```", Some(lines)) => {
                blocks.push(lines.join("\n"));
                block = None;
            }
            (line, Some(lines)) => lines.push(line),
            _ => {}
        }
    }
    blocks
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[test]
fn every_configuration_that_a_page_shows_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("parloir.toml");
    let mut shown = 0;
    for (page, text) in pages(&["", "docs"]) {
        for block in blocks(&text) {
            fs::write(&file, &block).expect("written");
            let loaded = config::load(Some(&file), std::iter::empty());
            assert!(loaded.is_ok(), "{}: {:?}", page.display(), loaded.err());
            shown += 1;
        }
    }
    assert!(shown >= 2, "the README and the reference show one each");
}

#[test]
fn every_file_that_a_page_links_to_exists() {
    for (page, text) in pages(&["", "docs", "docs/sources"]) {
        let folder = page.parent().expect("in a folder");
        for target in links(&text) {
            let path = folder.join(target);
            assert!(path.exists(), "{} links to {target}", page.display());
        }
    }
}
