//! The token file is sealed: for its source, under the first master key, and again when that changes.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use super::{
    super::{Grant, SocialConnect, TokenFile, Unread},
    fixture::{Stage, twitter},
    oauth::{by_file, login},
};
use crate::{
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
    },
    keys::{Looked, NotOpened, new_line},
    sources::conformance::text as item,
    tests::master_keys::custody,
};

fn path(stage: &Stage) -> PathBuf {
    stage.place.file("tokens.json")
}

/// The file as it stands on the disk.
fn written(stage: &Stage) -> String {
    fs::read_to_string(path(stage)).expect("a file")
}

fn put_plain(stage: &Stage, grant: &Grant) {
    let plain = serde_json::to_vec_pretty(grant).expect("JSON");
    fs::write(path(stage), plain).expect("written");
}

/// Puts these lines in the place of the master keys, and has them looked at.
async fn change_keys(stage: &Stage, lines: &[&str]) {
    fs::write(stage.place.file("keys"), lines.join("\n")).expect("written");
    let looked = stage.place.custody.look(async || Some([].into())).await;
    let changed = Looked::Changed { kept: Vec::new() };
    assert_eq!(looked.expect("keys"), changed);
}

fn under(stage: &Stage) -> Option<String> {
    let found = stage.place.tokens(&path(stage)).read();
    found.expect("tokens").master_id
}

async fn is_authorized(stage: &Stage, source: &SocialConnect, grant: &Grant) {
    let contact = stage.met(source, &twitter());
    source.read_owner(&contact.address).await.expect("an owner");
    let carried = stage.server.last_request();
    let expected = format!("Bearer {}", grant.access_token);
    assert_eq!(carried.header("authorization"), expected);
}

#[tokio::test]
async fn what_a_login_and_a_renewal_write_is_sealed() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    let source = by_file(&stage);
    let before = written(&stage);
    stage.place.clock.advance(Duration::from_mins(58));
    let contact = stage.met(&source, &twitter());
    source.read_owner(&contact.address).await.expect("an owner");
    let after = written(&stage);
    assert_ne!(before, after, "it was renewed");
    let next = stage.place.tokens(&path(&stage)).read();
    for grant in [first, next.expect("tokens").grant] {
        for token in [&grant.access_token, &grant.refresh_token] {
            assert!(!token.is_empty());
            assert!(!before.contains(token) && !after.contains(token));
        }
    }
}

#[tokio::test]
async fn a_plain_file_of_before_counts_and_is_sealed_at_its_first_use() {
    let stage = Stage::new().await;
    let grant = login(&stage).await;
    put_plain(&stage, &grant);
    assert_eq!(under(&stage), None);
    is_authorized(&stage, &by_file(&stage), &grant).await;
    assert!(under(&stage).is_some(), "{}", written(&stage));
    assert!(!written(&stage).contains(&grant.access_token));

    // At the start, too, when nobody has been answered yet.
    put_plain(&stage, &grant);
    let sealed = by_file(&stage).reseal();
    assert_eq!(sealed, under(&stage));
    assert!(sealed.is_some(), "{}", written(&stage));
    is_authorized(&stage, &by_file(&stage), &grant).await;
}

#[tokio::test]
async fn a_file_that_was_sealed_for_another_source_or_changed_does_not_open() {
    let stage = Stage::new().await;
    let grant = login(&stage).await;
    let keys = || Some(Arc::clone(&stage.place.custody));
    let other = TokenFile::new("other", &path(&stage), keys());
    let refused = other.read().expect_err("another's");
    assert!(matches!(refused, Unread::Sealed(NotOpened::WrongKey(_))));
    let stranger = TokenFile::new("care", &path(&stage), Some(custody()));
    let refused = stranger.read().expect_err("another server's");
    assert!(matches!(refused, Unread::Sealed(NotOpened::NoKey(_))));
    other.write(&grant).expect("written");
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let Sent::Refused { refusal, detail } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Credentials);
    assert!(detail.contains("token_file does not open"), "{detail}");
    assert!(detail.contains("parloir source-login"), "{detail}");
}

#[tokio::test]
async fn a_file_under_a_former_key_is_sealed_anew_and_tells_its_key_until_then() {
    let stage = Stage::new().await;
    let grant = login(&stage).await;
    let source = by_file(&stage);
    let old = fs::read_to_string(stage.place.file("keys")).expect("keys");
    let id = |line: &str| line.split(':').next().map(str::to_owned);
    assert_eq!(source.reseal(), id(&old));
    let before = written(&stage);
    assert_eq!(source.reseal(), id(&old));
    assert_eq!(written(&stage), before, "nothing is written for nothing");

    let new = new_line();
    change_keys(&stage, &[&new, &old]).await;
    assert_eq!(source.reseal(), id(&new));
    assert_eq!(under(&stage), id(&new));
    is_authorized(&stage, &source, &grant).await;

    // Where the line is lost, whoever asks which lines are needed hears of it.
    fs::write(path(&stage), before).expect("written");
    let newer = new_line();
    change_keys(&stage, &[&newer, &new]).await;
    assert_eq!(source.reseal(), id(&old));
}
