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

/// The files of the contract, each with its text.
fn contract() -> Vec<(String, String)> {
    let folder = Path::new(ROOT).join("proto/parloir/v1");
    let files = fs::read_dir(folder).expect("a folder");
    let files = files.map(|entry| entry.expect("an entry").path());
    let named = files.map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy();
        (
            name.into_owned(),
            fs::read_to_string(&path).expect("the contract"),
        )
    });
    named.collect()
}

#[test]
fn the_page_for_clients_leaves_no_file_and_no_service_of_the_contract_out() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/clients.md")).expect("a page");
    let contract = contract();
    let services = contract.iter().flat_map(|(_, text)| {
        let lines = text.lines();
        lines.filter_map(|line| {
            line.strip_prefix("service ")?
                .split_once(' ')
                .map(|(name, _)| name)
        })
    });
    let services: Vec<_> = services.collect();
    assert!(services.len() >= 3, "{services:?}");
    for service in services {
        let of_java = format!("{service}Grpc");
        assert!(page.contains(&of_java), "{of_java} is not named");
    }
    // Generating takes all files there are: a page that named them one by one fell behind.
    let generating = page
        .lines()
        .filter(|line| line.contains("proto/parloir/v1/"));
    assert!(generating.clone().count() >= 4);
    for name in page.split(['/', ' ', '"', '`']).filter(|word| {
        Path::new(word)
            .extension()
            .is_some_and(|end| end == "proto")
    }) {
        let is_there = contract.iter().any(|(file, _)| file == name);
        assert!(
            is_there || name.contains('*'),
            "{name} is no file of the contract"
        );
    }
}
