//! What a person sees who logs in, against a simulated Social Connect.

use std::{fs, io::Cursor};

use tokio::net::TcpListener;

use super::*;
use crate::{
    config::{DatabaseConfig, SourceConfig},
    secret::Secret,
    simulate::social_connect::{Settings, SocialConnect},
    sources::social_connect::Grant,
};

struct Stage {
    simulated: SocialConnect,
    config: Config,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let settings = Settings::new("the-secret", "made-by-hand");
        let simulated = SocialConnect::start(settings, listener).expect("it starts");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("secret"), "the-secret").expect("written");
        let system = SocialConnectConfig {
            account_id: "1417".to_owned(),
            oauth_host: simulated.base_url(),
            client_id: "parloir-app".to_owned(),
            client_secret: Some(Secret::in_file(folder.path().join("secret"))),
            token_file: Some(folder.path().join("tokens.json")),
            ..SocialConnectConfig::default()
        };
        let source = SourceConfig {
            name: "care".to_owned(),
            system: SystemConfig::SocialConnect(system),
            ..SourceConfig::default()
        };
        let config = Config {
            sources: vec![source],
            database: DatabaseConfig {
                url: format!("sqlite:{}", folder.path().join("parloir.db").display()),
                ..DatabaseConfig::default()
            },
            ..Config::default()
        };
        Self {
            simulated,
            config,
            folder,
        }
    }

    async fn login(&self, source: &str, code: Option<&str>, pasted: &str) -> Result<String> {
        let args = SourceLoginArgs {
            config: None,
            source: source.to_owned(),
            code: code.map(str::to_owned),
        };
        let (mut input, mut output) = (Cursor::new(pasted.as_bytes()), Vec::new());
        login(&self.config, &args, "our-state", &mut input, &mut output).await?;
        Ok(String::from_utf8(output).expect("text"))
    }

    async fn granted(&self) -> Grant {
        let custody = custody(&self.config).await.expect("the same keys");
        let path = self.folder.path().join("tokens.json");
        let file = TokenFile::new("care", &path, Some(Arc::new(custody)));
        file.read().expect("tokens").grant
    }
}

#[tokio::test]
async fn the_address_that_is_pasted_brings_the_tokens() {
    let stage = Stage::new().await;
    let code = stage.simulated.platform().new_code();
    let pasted = format!("https://parloir.example.org/done?state=our-state&code={code}\n");
    let said = stage.login("care", None, &pasted).await.expect("a login");
    assert!(
        said.contains("/oauth/authorize/?client_id=parloir-app&"),
        "{said}"
    );
    assert!(said.contains("state=our-state"), "{said}");
    let granted = stage.granted().await;
    let file = fs::read_to_string(stage.folder.path().join("tokens.json")).expect("a file");
    for token in [&granted.access_token, &granted.refresh_token] {
        assert!(!token.is_empty());
        assert!(!said.contains(token), "tokens are not shown: {said}");
        assert!(!file.contains(token), "they are sealed: {file}");
    }
}

#[tokio::test]
async fn a_code_alone_is_enough_and_counts_once() {
    let stage = Stage::new().await;
    let code = stage.simulated.platform().new_code();
    let said = stage.login("care", Some(&code), "").await.expect("a login");
    assert!(!said.contains("authorize"), "nothing is asked: {said}");
    let granted = stage.granted().await;
    let again = stage.login("care", None, &code).await.expect_err("used up");
    assert!(again.to_string().contains("invalid_grant"), "{again}");
    assert_eq!(stage.granted().await, granted, "what was there stays");
}

#[tokio::test]
async fn without_the_servers_key_nobody_is_asked_to_grant_access() {
    let stage = Stage::new().await;
    fs::write(stage.folder.path().join("parloir.db"), "").expect("written");
    let error = stage.login("care", None, "").await.expect_err("no key");
    let error = format!("{error:#}");
    assert!(error.contains("parloir.db.key"), "{error}");
    assert!(error.contains("sealed"), "{error}");
}

#[tokio::test]
async fn what_cannot_work_is_said() {
    let mut stage = Stage::new().await;
    for (pasted, said) in [
        ("", "nothing was pasted"),
        ("https://x/?state=other&code=1", "another login"),
        ("https://x/?error=access_denied", "no code"),
    ] {
        let error = stage
            .login("care", None, pasted)
            .await
            .expect_err("no login");
        assert!(error.to_string().contains(said), "{error}");
    }
    let error = stage
        .login("elsewhere", None, "")
        .await
        .expect_err("unknown");
    assert!(error.to_string().contains("no source elsewhere"), "{error}");
    if let SystemConfig::SocialConnect(system) = &mut stage.config.sources[0].system {
        system.token_file = None;
    }
    let error = stage.login("care", None, "").await.expect_err("no file");
    assert!(error.to_string().contains("token_file"), "{error}");
}
