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

#[tokio::test]
async fn who_was_kept_out_stays_out_when_nobody_is_declared_any_more() {
    let office = Office::open().await;
    let open = office.callers.without_credentials();
    assert!(open.is_some(), "nobody is named");
    let office = office.again(declaring("ops", Scope::Admin)).await;
    let (_, text) = made(&office, "desk", Scope::Converse).await;
    let office = office.again(Config::default()).await;
    assert!(office.callers.without_credentials().is_none());
    office.callers.by_key(text.expose_secret()).expect("let in");

    let office = office.again(declaring("ops", Scope::Admin)).await;
    let (admin, who) = (&office.admin, of("default"));
    admin.delete_caller(&who, "desk", "").await.expect("gone");
    let office = office.again(Config::default()).await;
    assert!(
        office.callers.without_credentials().is_none(),
        "there was a key"
    );
}

#[tokio::test]
async fn the_first_key_is_an_administrators() {
    let office = Office::open().await;
    let (admin, who) = (&office.admin, of("default"));
    for wanted in [
        caller("ops", &[Scope::Admin]),
        caller("desk", &[Scope::Converse]),
    ] {
        admin.create_caller(&who, wanted).await.expect("made");
    }
    assert_eq!(
        refused(admin.create_key(&who, "desk", None).await),
        "FIRST_CALLER_NOT_ADMIN"
    );
    assert!(office.callers.without_credentials().is_some());
    admin.create_key(&who, "ops", None).await.expect("made");
    assert!(office.callers.without_credentials().is_none());
    admin.create_key(&who, "desk", None).await.expect("made");
}

#[tokio::test]
async fn a_stored_key_opens_nothing_of_a_declared_caller_of_its_name() {
    let office = Office::open().await;
    made(&office, "spare", Scope::Admin).await;
    let (key, text) = made(&office, "crm", Scope::Converse).await;
    office.callers.by_key(text.expose_secret()).expect("let in");
    let office = office.again(declaring("crm", Scope::Admin)).await;
    assert!(office.callers.by_key(text.expose_secret()).is_err());
    let who = of("default");
    let shown = office.admin.caller(&who, "crm").expect("declared");
    assert_eq!(shown.standing.origin, Origin::Configuration);
    assert!(shown.scopes.allows(Scope::Admin));
    let left: Vec<_> = shown.keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(left, [key.id.as_str()], "so that it can be revoked");
    let revoked = office.admin.revoke_key(&who, &key.id).await;
    assert!(revoked.expect("revoked").revoked_at.is_some());
}
