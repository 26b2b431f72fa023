//! An object that no longer holds is its own tenant's concern, and stands in the way of nothing else.

use super::*;
use crate::{agents::PlatformConfig, domain::Timestamp, secret::Secret};

/// Where an agent may reach this machine.
fn lenient() -> Config {
    let mut declared = Config::default();
    declared.admin.allow_private_addresses = true;
    declared
}

fn on_this_machine(name: &str) -> ObjectChange {
    let mut wanted = agent(name);
    wanted.settings["platform"]["zendesk"]["base_url"] = json!("http://127.0.0.1:9/api");
    wanted
}

/// A database in which the agent of one tenant does not hold beside the configuration any more.
async fn with_a_broken_agent() -> Office {
    let office = Office::on(Scratch::new().await, lenient()).await;
    let (wanted, who) = (on_this_machine("acme.a"), of("acme"));
    let made = office.admin.create(&who, Kind::Agent, wanted).await;
    made.expect("made");
    office
}

#[tokio::test]
async fn another_tenant_does_not_notice() {
    let office = with_a_broken_agent().await.again(Config::default()).await;
    let (admin, who) = (&office.admin, of("other"));
    let made = admin.create(&who, Kind::Agent, agent("other.b")).await;
    made.expect("made");
    let paused = admin.pause(&who, "other.b", true).await;
    assert!(paused.expect("paused").paused);
    let wanted = caller("ops", &[Scope::Admin]);
    admin.create_caller(&who, wanted).await.expect("made");
    let (first, _) = admin.create_key(&who, "ops", None).await.expect("made");
    admin.create_key(&who, "ops", None).await.expect("made");
    admin.revoke_key(&who, &first.id).await.expect("revoked");
    admin
        .delete(&who, Kind::Agent, "other.b", "")
        .await
        .expect("deleted");
}

#[tokio::test]
async fn its_tenant_works_on_and_mends_or_deletes_it() {
    let office = with_a_broken_agent().await.again(Config::default()).await;
    let (admin, who) = (&office.admin, of("acme"));
    let wanted = caller("ops", &[Scope::Admin]);
    admin.create_caller(&who, wanted).await.expect("made");
    let (first, _) = admin.create_key(&who, "ops", None).await.expect("made");
    admin.create_key(&who, "ops", None).await.expect("made");
    admin.revoke_key(&who, &first.id).await.expect("revoked");
    admin
        .create(&who, Kind::Agent, agent("acme.b"))
        .await
        .expect("made");
    let change = |wanted| ObjectChange {
        mask: vec!["settings".to_owned()],
        secrets: BTreeMap::new(),
        ..wanted
    };
    let still = admin.update(&who, Kind::Agent, change(on_this_machine("acme.a")));
    let why = still.await.expect_err("refused").to_string();
    assert!(
        why.contains("agent.settings.platform.zendesk.base_url: leads to this machine"),
        "{why}"
    );
    admin
        .update(&who, Kind::Agent, change(agent("acme.a")))
        .await
        .expect("mended");

    let office = with_a_broken_agent().await.again(Config::default()).await;
    office
        .admin
        .delete(&who, Kind::Agent, "acme.a", "")
        .await
        .expect("deleted");
}

#[tokio::test]
async fn a_key_is_refused_to_whoever_has_it_second_whatever_its_name() {
    let office = Office::open().await;
    let with_the_key = |name: &str| ObjectChange {
        name: name.to_owned(),
        ..agent("shared")
    };
    let who = of("default");
    let first = with_the_key("zeta");
    let made = office.admin.create(&who, Kind::Agent, first).await;
    made.expect("made");
    let second = with_the_key("acme");
    let refused = office.admin.create(&who, Kind::Agent, second).await;
    let why = refused.expect_err("refused").to_string();
    let told = "is the API key of the agent zeta too";
    assert!(why.contains(told), "{why}");
}

#[tokio::test]
async fn a_secret_that_is_over_is_taken_out_once_whatever_is_broken() {
    let office = with_a_broken_agent().await;
    let who = of("default");
    let made = office.admin.create(&who, Kind::Agent, agent("a")).await;
    made.expect("made");
    let rotated = office.admin.rotate(
        &who,
        Rotation {
            kind: Kind::Agent,
            name: "a".to_owned(),
            path: "platform.zendesk.api_key".to_owned(),
            value: SecretString::from("next"),
            overlap: std::time::Duration::from_secs(1),
        },
    );
    rotated.await.expect("rotated");
    let office = office.again(Config::default()).await;
    office.scratch.clock.set(3_000_000);
    for _ in 0..3 {
        office.admin.remove_expired().await;
    }
    assert_eq!(
        office.reasons(&who).await,
        [""; 3],
        "made, rotated and taken out"
    );
    let shown = office.admin.object(&who, Kind::Agent, "a").expect("there");
    assert_eq!(shown.secrets.len(), 1);
}

/// The keys of the agents that count.
fn counting_keys(office: &Office) -> Vec<String> {
    let counting = office.admin.counting();
    let agents = counting.values().flat_map(|managed| &managed.agents);
    let each = agents.flat_map(|agent| {
        let PlatformConfig::Zendesk(platform) = &agent.platform;
        [Some(&platform.api_key), platform.previous_api_key.as_ref()]
    });
    let read = |secret: &Secret| secret.read().expect("held").expose_secret().to_owned();
    each.flatten().map(read).collect()
}

#[tokio::test]
async fn a_secret_that_is_over_does_not_count_while_it_cannot_be_taken_out() {
    let office = Office::open().await;
    let (admin, who) = (&office.admin, of("default"));
    let made = admin.create(&who, Kind::Agent, agent("a")).await;
    made.expect("made");
    let rotated = admin.rotate(
        &who,
        Rotation {
            kind: Kind::Agent,
            name: "a".to_owned(),
            path: "platform.zendesk.api_key".to_owned(),
            value: SecretString::from("next"),
            overlap: std::time::Duration::from_secs(1),
        },
    );
    rotated.await.expect("rotated");
    assert_eq!(counting_keys(&office), ["next", "key-of-a"]);
    office.scratch.clock.set(3_000_000);
    let expired = admin.kept().expired_secrets(Timestamp(3_000_000));
    assert_eq!(expired.len(), 1, "it is in the database yet");
    admin.leave_out(&expired).await;
    assert_eq!(counting_keys(&office), ["next"]);
}
