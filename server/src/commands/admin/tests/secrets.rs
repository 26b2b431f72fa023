//! Where secrets come from: files and standard input, and never the command line.

use std::{collections::BTreeMap, fs, io};

use clap::Parser;

use crate::{commands::admin::secret_options::SecretOptions, secret::Secret};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    secrets: SecretOptions,
}

fn read(
    options: &[&str],
    named: &BTreeMap<String, Secret>,
    input: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let words = options.iter().flat_map(|option| ["--secret", option]);
    let line = Line::try_parse_from(["verb"].into_iter().chain(words)).expect("words");
    line.secrets.read(named, input.as_bytes())
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

#[test]
fn files_and_standard_input_give_secrets_and_an_option_wins_over_the_file_of_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (key, former) = (at("key", "new-key\n"), at("former", "former-key\n"));
    let named = BTreeMap::from([
        ("a.api_key".to_owned(), Secret::in_file(&former)),
        ("a.other".to_owned(), Secret::in_file(&former)),
    ]);
    let read = read(
        &[&format!("a.api_key=@{key}"), "a.tokens[0]=-"],
        &named,
        "typed\n",
    );
    let expected = pairs(&[
        ("a.api_key", "new-key"),
        ("a.other", "former-key"),
        ("a.tokens[0]", "typed"),
    ]);
    assert_eq!(read.expect("secrets"), expected);
}

#[test]
fn a_secret_on_the_command_line_is_refused_without_being_shown() {
    for option in ["a.api_key=hunter2", "hunter2", "=hunter2", "a=@"] {
        let error = read(&[option], &BTreeMap::new(), "").expect_err(option);
        let error = format!("{error:#}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.contains("PATH=@FILE"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_names_the_setting_and_the_place() {
    let nothing = BTreeMap::new();
    for (options, why) in [
        (vec!["a.key=@/no/such/file"], "/no/such/file"),
        (vec!["a.key=-"], "nothing on standard input"),
        (vec!["a.key=-", "b.key=-"], "only one secret"),
        (vec!["a.key=-", "a.key=@x"], "twice"),
    ] {
        let error = read(&options, &nothing, if options.len() > 1 { "x" } else { "" });
        let error = format!("{:#}", error.expect_err(why));
        assert!(error.contains(why), "{error}");
    }
    let endless = io::Read::take(io::repeat(b'x'), 1 << 20);
    let line = Line::try_parse_from(["verb", "--secret", "a.key=-"]).expect("words");
    let error = line.secrets.read(&nothing, endless).expect_err("too long");
    assert!(format!("{error:#}").contains("4096"), "{error:#}");
}
