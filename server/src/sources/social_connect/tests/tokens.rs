//! Tokens when something goes wrong: a host that hangs, a file that cannot be written, a token that is not known any more.

use std::{
    fs::{self, File},
    os::{fd::AsRawFd, unix::fs::symlink},
    path::PathBuf,
    time::Duration,
};

use super::{
    super::{Grant, SocialConnect, TokenFile},
    fixture::{Stage, twitter},
    oauth::{by_file, kept, login},
};
use crate::{
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
    },
    simulate::social_connect::{Call, Failure},
    sources::conformance::text as item,
    tests::fake_server::Behaviour,
};

/// Calls are given up after 400 ms.
fn hasty(stage: &Stage) -> SocialConnect {
    let file = stage.place.file("tokens.json");
    let timeout = Duration::from_millis(400);
    stage
        .place
        .source_within(timeout, &stage.server.url(), |config| {
            config.token = None;
            config.token_file = Some(file);
        })
}

/// A token file in a folder that can be read and not written, and then, by [`Blocked::free`], in one that can.
struct Blocked {
    link: PathBuf,
    path: PathBuf,
    /// What the file is before the folder is free.
    open: File,
    place: PathBuf,
    tokens: TokenFile,
}

impl Blocked {
    fn new(stage: &Stage) -> Self {
        let place = stage.place.file("tokens.json");
        let open = File::open(&place).expect("a file");
        let link = stage.place.file("link");
        // Not even root may make a file there.
        symlink("/proc/self/fd", &link).expect("linked");
        let path = link.join(open.as_raw_fd().to_string());
        Self {
            tokens: stage.place.tokens(&path),
            link,
            path,
            open,
            place,
        }
    }

    fn free(&self) -> Grant {
        let folder = self.link.with_file_name("free");
        fs::create_dir(&folder).expect("made");
        let name = self.open.as_raw_fd().to_string();
        fs::copy(&self.place, folder.join(name)).expect("copied");
        fs::remove_file(&self.link).expect("removed");
        symlink(&folder, &self.link).expect("linked");
        self.grant()
    }

    fn grant(&self) -> Grant {
        self.tokens.read().expect("tokens").grant
    }
}

#[tokio::test]
async fn while_a_token_lives_a_host_that_hangs_holds_up_nobody() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    let source = hasty(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(58));
    stage
        .place
        .platform
        .fail_next(Call::OAuth, Failure::silent(false));
    source.read_owner(&contact.address).await.expect("an owner");
    let carried = stage.server.last_request();
    assert_eq!(
        carried.header("authorization"),
        format!("Bearer {}", first.access_token)
    );
}

#[tokio::test]
async fn once_a_token_is_over_a_host_that_hangs_means_not_sent() {
    let stage = Stage::new().await;
    login(&stage).await;
    let source = hasty(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_hours(2));
    stage
        .place
        .platform
        .fail_next(Call::OAuth, Failure::silent(false));
    let hello = item("Hello");
    let sent = source.deliver(&contact.address, &hello);
    let sent = tokio::time::timeout(Duration::from_millis(400), sent).await;
    assert_eq!(sent, Ok(Sent::NotSent));
    assert_eq!(stage.place.platform.count(Call::Publish), 0);
}

#[tokio::test]
async fn a_renewal_that_failed_is_left_alone_for_a_minute_though_the_token_is_over() {
    let stage = Stage::new().await;
    login(&stage).await;
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_hours(2));
    let failure = Failure::error(500, "internal_server_error");
    stage.place.platform.fail_next(Call::OAuth, failure);
    for _ in 0..3 {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert_eq!(sent, Sent::NotSent, "it may pass");
    }
    assert_eq!(stage.place.platform.count(Call::OAuth), 2);
    stage.place.clock.advance(Duration::from_mins(1));
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
}

#[tokio::test]
async fn a_token_that_is_not_known_any_more_is_renewed_once() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    let unknown = || Behaviour::answer(401, r#"{"error":"no_permission"}"#);
    stage.server.next(unknown());
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let after = Some(Duration::from_secs(1));
    assert_eq!(sent, Sent::NotNow { after });
    assert_ne!(kept(&stage).access_token, first.access_token);
    stage.server.next(unknown());
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let Sent::Refused { refusal, .. } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Credentials, "the token is not to blame");
    assert_eq!(stage.place.platform.count(Call::OAuth), 2);
    for repeated in [false, true] {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
        stage.server.next(unknown());
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert_eq!(
            sent,
            Sent::NotNow { after },
            "{repeated}: it was good before"
        );
    }
}

#[tokio::test]
async fn a_renewed_token_that_cannot_be_written_is_used_and_written_later() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    let blocked = Blocked::new(&stage);
    let source = stage.source(|config| {
        config.token = None;
        config.token_file = Some(blocked.path.clone());
    });
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(58));
    for _ in 0..2 {
        source.read_owner(&contact.address).await.expect("an owner");
    }
    assert_eq!(stage.place.platform.count(Call::OAuth), 2, "renewed once");
    let carried = stage.server.last_request();
    let carried = carried.header("authorization");
    assert_ne!(carried, format!("Bearer {}", first.access_token));
    assert_eq!(blocked.free(), first, "it was not written");
    stage.place.clock.advance(Duration::from_mins(1));
    source.read_owner(&contact.address).await.expect("an owner");
    let written = format!("Bearer {}", blocked.grant().access_token);
    assert_eq!(written, carried, "and now it is");
}

#[tokio::test]
async fn what_another_login_wrote_is_not_overwritten_by_what_waits() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    let blocked = Blocked::new(&stage);
    let source = stage.source(|config| {
        config.token = None;
        config.token_file = Some(blocked.path.clone());
    });
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(58));
    source.read_owner(&contact.address).await.expect("an owner");
    blocked.free();
    let other = login(&stage).await;
    assert_ne!(other, first);
    blocked.tokens.write(&other).expect("written");
    stage.place.clock.advance(Duration::from_mins(1));
    source.read_owner(&contact.address).await.expect("an owner");
    assert_eq!(blocked.grant(), other);
    let carried = stage.server.last_request();
    let expected = format!("Bearer {}", other.access_token);
    assert_eq!(carried.header("authorization"), expected);
}
