//! Who is let in, by what stands in the database beside what the configuration declares.

use super::*;
use crate::config::CallerConfig;

/// A configuration with one caller.
fn declaring(name: &str, scope: Scope) -> Config {
    Config {
        callers: vec![CallerConfig {
            name: name.to_owned(),
            scopes: vec![scope.name().to_owned()],
            ..CallerConfig::default()
        }],
        ..Config::default()
    }
}

/// A caller with a key, and the key.
async fn made(office: &Office, name: &str, scope: Scope) -> (KeyView, SecretString) {
    let (admin, who) = (&office.admin, of("default"));
    let wanted = caller(name, &[scope]);
    admin.create_caller(&who, wanted).await.expect("made");
    admin.create_key(&who, name, None).await.expect("made")
}

#[tokio::test]
async fn a_key_counts_beside_a_declared_administrator() {
    let declared = declaring("ops", Scope::Admin);
    let office = Office::on(Scratch::new().await, declared.clone()).await;
    let (_, text) = made(&office, "desk", Scope::Converse).await;
    office.callers.by_key(text.expose_secret()).expect("let in");
    let office = office.again(declared).await;
    office.callers.by_key(text.expose_secret()).expect("let in");
}
