//! The seeds of every target, and every input that ever broke one, are tried again like any other test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parloir_fuzz::{TARGETS, Target};

/// Fewer seeds leave most of a target unseen in a short run.
const LEAST_SEEDS: usize = 3;

/// What the contract had when its requests were first tried.
const LEAST_METHODS: usize = 45;

#[test]
fn no_seed_breaks_a_promise() {
    for target in TARGETS {
        let seeds = files(&folder("corpus").join(target.name));
        assert!(
            seeds.len() >= LEAST_SEEDS,
            "{} has {} seeds",
            target.name,
            seeds.len()
        );
        replay(target, &seeds);
    }
}

#[test]
fn what_broke_a_promise_once_does_not_break_it_again() {
    for target in TARGETS {
        replay(target, &files(&folder("found").join(target.name)));
    }
}

#[test]
fn every_folder_of_inputs_belongs_to_a_target() {
    for kind in ["corpus", "found"] {
        for path in files(&folder(kind)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            assert!(Target::named(&name).is_some(), "{kind}/{name}");
        }
    }
}

#[test]
fn requests_of_every_method_of_the_contract_are_tried() {
    for path in parloir_fuzz::methods() {
        let remedy = "no target reads its requests: grpc/fuzzing.rs does, or served/office.rs";
        assert!(parloir_fuzz::is_read(path), "{path}: {remedy}");
    }
    assert!(parloir_fuzz::methods().count() >= LEAST_METHODS);
    assert!(!parloir_fuzz::is_read("/parloir.v1.AdminService/Guess"));
}

/// Names each file first: a panic alone would not say whose it is.
fn replay(target: &Target, inputs: &[PathBuf]) {
    for path in inputs {
        println!("{}", path.display());
        target.run(&fs::read(path).expect("a readable input"));
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// In order; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    files.sort();
    files
}
