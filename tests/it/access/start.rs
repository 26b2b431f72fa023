//! What the server refuses to start with, and the verb that mends it.

use std::{fs, process::Command};

use crate::process::{Setup, binary};

fn serve(setup: &Setup) -> (bool, String) {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--config"])
        .arg(setup.path("parloir.toml"));
    let output = command.output().expect("it runs");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Takes the place of what `Setup` listens on.
fn outside(setup: &Setup) {
    let path = setup.path("parloir.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    let own = format!("grpc.listen = \"{}\"", setup.grpc);
    assert!(text.contains(&own));
    fs::write(&path, text.replace(&own, "grpc.listen = \"0.0.0.0:0\"")).expect("written");
}

#[test]
fn an_address_for_everybody_without_callers_is_refused_with_what_mends_it() {
    let setup = Setup::new("http://127.0.0.1:9", "");
    outside(&setup);
    let (success, told) = serve(&setup);
    assert!(!success, "{told}");
    for word in [
        "0.0.0.0",
        "[[callers]]",
        "new-key",
        "[grpc.tls]",
        "allow_unauthenticated",
    ] {
        assert!(told.contains(word), "no {word} in {told}");
    }
}

#[test]
fn a_fresh_key_goes_into_a_file_of_its_own_and_is_not_shown_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("crm.key");
    let make = || {
        let mut command = Command::new(binary());
        command
            .arg("new-key")
            .arg("--file")
            .arg(&file)
            .output()
            .expect("it runs")
    };
    let first = make();
    assert!(first.status.success());
    let key = fs::read_to_string(&file).expect("a key");
    let secret = key.trim().rsplit_once('_').map_or("", |_| &key[21..]);
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(
        key.starts_with("parloir_") && told.contains("[[callers]]"),
        "{told}"
    );
    assert!(!told.contains(secret) && first.stdout.is_empty(), "{told}");
    assert!(!make().status.success(), "it must not be overwritten");
}
