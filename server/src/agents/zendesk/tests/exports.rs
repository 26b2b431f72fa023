//! Checks D 99, 101 and 102: what is asked for an export, and how its files are fetched. Check 100 stands beside the day.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    super::{Day, Export, ExportFile, FileBounds, ZendeskConfig},
    fixture::{BOT, Secrets, TODAY},
};
use crate::{
    agents::conformance::KEY,
    domain::Timestamp,
    tests::fake_server::{Behaviour, FakeServer, Request},
};

const RECORDS: &str = "[{\"conversation_id\":\"a\"},{\"CONVERSATION_ID\":\"b\"}]";

struct Stage {
    export: Export,
    secrets: Secrets,
    folder: TempDir,
}

impl Stage {
    fn new(platform: &FakeServer) -> Self {
        Self::set(platform, |_| {}).expect("a valid export")
    }

    fn set(platform: &FakeServer, change: impl FnOnce(&mut ZendeskConfig)) -> anyhow::Result<Self> {
        let secrets = Secrets::new();
        let mut settings = ZendeskConfig {
            bot_id: BOT.to_owned(),
            base_url: format!("{}/ai-agents/api/", platform.url()),
            api_key: secrets.put("api_key", KEY),
            organization_id: Some("org-1".to_owned()),
            ..ZendeskConfig::default()
        };
        change(&mut settings);
        Ok(Self {
            export: Export::new(&settings)?.with_retry_pause(Duration::ZERO),
            secrets,
            folder: tempfile::tempdir().expect("a temporary folder"),
        })
    }

    async fn files(&self) -> anyhow::Result<Vec<ExportFile>> {
        self.export.files(&day(), Some(60)).await
    }

    /// The one file at this address.
    async fn file(&self, platform: &FakeServer, url: &str) -> ExportFile {
        platform.next(listing(&json!({ "urls": [url] })));
        self.files().await.expect("a list").remove(0)
    }

    async fn download(&self, file: &ExportFile) -> anyhow::Result<(u64, Option<u64>)> {
        let mut seen = Vec::new();
        let mut progress = |bytes, length| seen.push((bytes, length));
        let folder = self.folder.path();
        let downloaded = self.export.download(file, folder, &mut progress).await?;
        let (last, length) = *seen.last().expect("some progress");
        assert_eq!(last, downloaded.bytes);
        assert!(length.is_none_or(|length| length == last));
        Ok((downloaded.bytes, downloaded.records))
    }

    /// Everything in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries
            .map(|entry| name(entry.expect("an entry")))
            .collect()
    }
}

fn day() -> Day {
    let now = Timestamp(i64::try_from(TODAY * 1_000_000).expect("a time"));
    Day::parse("2026-11-19", now).expect("a day")
}

fn listing(answer: &Value) -> Behaviour {
    Behaviour::answer(200, &answer.to_string())
}

/// A store as signed addresses lead to: it takes the signature, and nobody who shows a key besides.
fn store(request: &Request) -> Behaviour {
    if request.headers.contains_key("authorization") || request.headers.contains_key("botid") {
        return Behaviour::answer(403, "only one way of authentication");
    }
    match request.path.split_once("?sig=") {
        Some((_, "fine")) => Behaviour::answer(200, RECORDS),
        _ => Behaviour::answer(403, "SignatureDoesNotMatch"),
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file")
}

#[tokio::test]
async fn check_99_an_export_is_asked_for_by_day_bot_and_organization() {
    let platform = FakeServer::start().await;
    let stage = Stage::new(&platform);
    platform.next(listing(&json!({ "date": "2026-11-19", "urls": [] })));
    assert!(stage.files().await.expect("a list").is_empty());
    let request = platform.last_request();
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.path,
        "/ai-agents/api/data-export/v3/get-signed-urls"
    );
    assert_eq!(request.json(), json!({ "date": "2026-11-19", "ttl": 60 }));
    assert_eq!(request.header("authorization"), KEY);
    assert_eq!(request.header("organizationid"), "org-1");
    assert_eq!(request.header("botid"), BOT);
    platform.next(listing(&json!({ "urls": [] })));
    stage.export.files(&day(), None).await.expect("a list");
    assert_eq!(
        platform.last_request().json(),
        json!({ "date": "2026-11-19" })
    );
    assert_eq!(platform.requests().len(), 2);
}

#[tokio::test]
async fn check_99_both_names_of_the_list_are_read() {
    let platform = FakeServer::start().await;
    let stage = Stage::new(&platform);
    let at = |name: &str| format!("https://s.example.org/{name}?sig=x");
    for (answer, expected) in [
        (json!({ "urls": [at("a"), at("b")] }), vec!["a", "b"]),
        (json!({ "signed_urls": [at("c")], "urls": null }), vec!["c"]),
        (json!({ "SIGNED_URLS": [at("c")] }), vec!["c"]),
        (
            json!({ "urls": [at("a")], "signed_urls": [at("a"), at("b")] }),
            vec!["a", "b"],
        ),
    ] {
        platform.next(listing(&answer));
        let files = stage.files().await.expect("a list");
        let mut names: Vec<_> = files.iter().map(ExportFile::name).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{answer}");
    }
}

#[tokio::test]
async fn an_organizations_key_is_shown_instead_of_the_bots() {
    let platform = FakeServer::start().await;
    let secrets = Secrets::new();
    let key = secrets.put("organization", "org-key");
    let stage = Stage::set(&platform, |settings| settings.organization_key = Some(key));
    platform.next(listing(&json!({ "urls": [] })));
    stage.expect("valid").files().await.expect("a list");
    assert_eq!(platform.last_request().header("authorization"), "org-key");
}

#[tokio::test]
async fn without_an_organization_nothing_is_asked() {
    let platform = FakeServer::start().await;
    let stage = Stage::set(&platform, |settings| settings.organization_id = None);
    let error = stage.err().expect("refused").to_string();
    assert!(error.contains("organization_id is missing"), "{error}");
    assert!(platform.requests().is_empty());
}

#[tokio::test]
async fn check_101_a_day_that_is_not_found_is_an_empty_one() {
    let platform = FakeServer::start().await;
    let stage = Stage::new(&platform);
    platform.next(Behaviour::answer(404, "no export"));
    assert!(stage.files().await.expect("no fault").is_empty());
    for (status, words) in [(400, "said no"), (401, "credentials"), (500, "500")] {
        platform.next(Behaviour::answer(status, &format!("{KEY} said no")));
        let error = stage.files().await.expect_err("a fault").to_string();
        assert!(error.contains(words), "{status}: {error}");
        assert!(!error.contains(KEY), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_fault_without_its_addresses() {
    let platform = FakeServer::start().await;
    let stage = Stage::new(&platform);
    for answer in [
        json!({ "date": "2026-11-19" }),
        json!({ "urls": "https://s.example.org/a?sig=secret" }),
        json!({ "urls": [{ "url": "https://s.example.org/a?sig=secret" }] }),
        json!({ "urls": ["s.example.org/a?sig=secret"] }),
        json!({ "urls": ["https://user:secret@s.example.org/a"] }),
        json!(["https://s.example.org/a?sig=secret"]),
    ] {
        platform.next(listing(&answer));
        let error = stage.files().await.expect_err("no list");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    platform.next(Behaviour::Truncated(200));
    assert!(stage.files().await.is_err());
}

#[tokio::test]
async fn check_102_a_file_is_fetched_without_any_key() {
    let (platform, store) = (
        FakeServer::start().await,
        FakeServer::answering(store).await,
    );
    let stage = Stage::new(&platform);
    let file = stage
        .file(
            &platform,
            &format!("{}/bucket/part.json?sig=fine", store.url()),
        )
        .await;
    let got = stage.download(&file).await.expect("fetched");
    assert_eq!(got, (RECORDS.len() as u64, Some(2)));
    assert_eq!(read(stage.folder.path(), "part.json"), RECORDS);
    let request = store.last_request();
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/bucket/part.json?sig=fine");
    for header in ["authorization", "botid", "organizationid", "cookie"] {
        assert_eq!(request.headers.get(header), None, "{header}");
    }
    assert_eq!(store.requests().len(), 1);
}

#[tokio::test]
async fn a_broken_download_is_tried_again_and_leaves_nothing_behind() {
    let (platform, store) = (
        FakeServer::start().await,
        FakeServer::answering(store).await,
    );
    let stage = Stage::new(&platform);
    let url = format!("{}/part.json?sig=fine", store.url());
    let file = stage.file(&platform, &url).await;
    let old = stage.folder.path().join("part.json");
    fs::write(&old, "old").expect("a writable folder");
    for _ in 0..3 {
        store.next(Behaviour::Truncated(200));
    }
    let error = stage.download(&file).await.expect_err("three times broken");
    let error = format!("{error:#}");
    assert!(error.contains("failed 3 times"), "{error}");
    assert!(!error.contains("sig="), "{error}");
    assert_eq!(store.requests().len(), 3);
    assert_eq!(stage.names(), ["part.json"]);
    assert_eq!(read(stage.folder.path(), "part.json"), "old", "kept");
    store.next(Behaviour::ResetAfterHeaders(200));
    store.next(Behaviour::answer(503, ""));
    stage.download(&file).await.expect("the third time");
    assert_eq!(store.requests().len(), 6);
    assert_eq!(stage.names(), ["part.json"]);
    assert_eq!(read(stage.folder.path(), "part.json"), RECORDS, "replaced");
}

#[tokio::test]
async fn what_a_store_refuses_is_not_tried_again_and_no_redirect_is_followed() {
    let (platform, store) = (
        FakeServer::start().await,
        FakeServer::answering(store).await,
    );
    let elsewhere = FakeServer::start().await;
    let stage = Stage::new(&platform);
    let url = format!("{}/part.json?sig=stale", store.url());
    let file = stage.file(&platform, &url).await;
    let error = stage.download(&file).await.expect_err("403");
    assert!(format!("{error:#}").contains("--ttl"), "{error:#}");
    store.next(Behaviour::answer(404, ""));
    assert!(stage.download(&file).await.is_err());
    store.next(Behaviour::answer(302, "").with_header("location", &elsewhere.url()));
    assert!(stage.download(&file).await.is_err());
    assert_eq!(store.requests().len(), 3, "one try each");
    assert!(elsewhere.requests().is_empty());
    assert!(stage.names().is_empty());
}

#[tokio::test]
async fn a_file_stays_in_its_folder_and_comes_over_a_safe_line() {
    let (platform, store) = (
        FakeServer::start().await,
        FakeServer::answering(store).await,
    );
    let stage = Stage::new(&platform);
    let url = format!("{}/b/..%2F..%2Fx%5C..%5Cevil?sig=fine", store.url());
    let file = stage.file(&platform, &url).await;
    stage.download(&file).await.expect("fetched");
    assert_eq!(stage.names(), ["x_5C.._5Cevil"]);
    let open = stage
        .file(&platform, "http://s.example.org/part.json?sig=secret")
        .await;
    let error = stage.download(&open).await.expect_err("plain http");
    let error = format!("{error:#}");
    assert!(error.contains("https"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_platform_elsewhere_names_no_file_on_this_machine() {
    let platform = FakeServer::start().await;
    let export = |allow| {
        let stage = Stage::set(&platform, |settings| {
            settings.base_url = "https://example.zendesk.com/ai-agents/api".to_owned();
            settings.allow_private_addresses = allow;
        });
        stage.expect("valid").export
    };
    for url in [
        "http://127.0.0.1:9/a",
        "https://localhost/a",
        "http://[::1]/a",
    ] {
        assert!(export(false).usable(url).is_err(), "{url}");
        assert!(export(true).usable(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_asks_nothing() {
    let platform = FakeServer::start().await;
    let stage = Stage::new(&platform);
    stage.secrets.put("api_key", "");
    let error = stage.files().await.expect_err("no key").to_string();
    assert!(error.contains("nothing was sent"), "{error}");
    assert!(platform.requests().is_empty());
}

/// Test 19 of the reliability bar, at the place where a platform names addresses.
#[tokio::test]
async fn no_address_that_a_platform_names_leads_into_private_networks() {
    let settings = ZendeskConfig {
        base_url: "https://example.zendesk.com/ai-agents/api".to_owned(),
        bot_id: "b".to_owned(),
        organization_id: Some("o".to_owned()),
        ..ZendeskConfig::default()
    };
    let export = Export::new(&settings).expect("valid");
    let export = export.with_retry_pause(Duration::ZERO);
    let folder = tempfile::tempdir().expect("a folder");
    let forbidden = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = forbidden.local_addr().expect("an address").port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "localhost.",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "2852039166",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "example.org@127.0.0.1",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/part.json");
            let Ok(files) = export.named(std::slice::from_ref(&url)) else {
                continue;
            };
            let mut progress = |_, _| {};
            let fetched = export.download(&files[0], folder.path(), &mut progress);
            assert!(fetched.await.is_err(), "{url}");
        }
    }
    let came = tokio::time::timeout(Duration::from_millis(50), forbidden.accept()).await;
    assert!(came.is_err(), "somebody connected");
}

#[tokio::test]
async fn a_file_without_an_end_is_given_up() {
    let (platform, store) = (FakeServer::start().await, FakeServer::start().await);
    let mut stage = Stage::new(&platform);
    let url = format!("{}/part.json", store.url());
    let file = stage.file(&platform, &url).await;
    store.next(Behaviour::Endless(200));
    stage.export = stage.export.with_bounds(FileBounds {
        bytes: 100_000,
        ..FileBounds::default()
    });
    let error = stage.download(&file).await.expect_err("too long");
    assert!(
        format!("{error:#}").contains("--max-file-bytes"),
        "{error:#}"
    );
    store.next(Behaviour::Silent);
    stage.export = stage.export.with_bounds(FileBounds {
        time: Duration::from_millis(50),
        ..FileBounds::default()
    });
    let error = stage.download(&file).await.expect_err("too slow");
    assert!(
        format!("{error:#}").contains("--max-file-time"),
        "{error:#}"
    );
    assert!(stage.names().is_empty(), "nothing is left of it");
}
