//! Who is let in, from when on, and until when.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use secrecy::ExposeSecret;

use super::*;
use crate::{
    config::CallerConfig,
    domain::{Clock, Id, Scope, Scopes, Timestamp},
    secret::Secret,
};

/// A clock that is set by hand.
#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl Hand {
    fn forward(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).expect("a short span");
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

fn caller(name: &str, scopes: &[Scope]) -> CallerRecord {
    CallerRecord {
        tenant: Id::trusted("acme"),
        name: Id::trusted(name),
        scopes: scopes.iter().copied().collect(),
        certificates: Vec::new(),
        disabled: false,
        limits: OwnLimits::default(),
    }
}

fn record(callers: &Callers, key: &Key, caller: &str) -> KeyRecord {
    KeyRecord {
        id: key.id(),
        digest: callers.digest(key),
        tenant: Id::trusted("acme"),
        caller: Id::trusted(caller),
        expires_at: None,
        revoked: false,
    }
}

fn registry(anonymous: Anonymous) -> (Arc<Hand>, Callers) {
    let clock = Arc::new(Hand(AtomicI64::new(1)));
    let callers = Callers::new(
        Pepper::new(&[3; 32]),
        anonymous,
        Configured::default(),
        Arc::default(),
        Arc::clone(&clock) as _,
    );
    (clock, callers)
}

fn shown(key: &Key) -> &str {
    key.text().expose_secret()
}

#[test]
fn a_stored_key_counts_for_its_caller_with_its_scopes_until_it_is_revoked() {
    let (_, callers) = registry(Anonymous::Never);
    let key = Key::generate().expect("random");
    assert!(callers.by_key(shown(&key)).is_err());
    let mut stored = record(&callers, &key, "crm");
    callers.replace_stored(
        vec![caller("crm", &[Scope::Converse])],
        vec![stored.clone()],
    );
    let credential = callers.by_key(shown(&key)).expect("it counts");
    assert_eq!(credential.identity.caller.as_str(), "crm");
    assert_eq!(credential.identity.tenant.as_str(), "acme");
    assert_eq!(credential.identity.credential.as_str(), key.id().as_str());
    assert!(credential.identity.scopes.allows(Scope::Converse));
    assert!(!credential.identity.scopes.allows(Scope::Admin));

    stored.revoked = true;
    callers.replace_stored(vec![caller("crm", &[Scope::Converse])], vec![stored]);
    assert!(callers.by_key(shown(&key)).is_err());
    assert!(credential.ended().is_cancelled());
}

#[test]
fn the_right_id_with_another_secret_is_refused() {
    let (_, callers) = registry(Anonymous::Never);
    let (key, other) = (
        Key::generate().expect("random"),
        Key::generate().expect("random"),
    );
    callers.replace_stored(
        vec![caller("crm", &[])],
        vec![record(&callers, &key, "crm")],
    );
    let forged = format!("parloir_{}{}", key.id(), &shown(&other)[20..]);
    assert!(key::id_in(&forged).is_some() && callers.by_key(&forged).is_err());
}

#[test]
fn a_change_that_takes_nothing_away_ends_nothing() {
    let (_, callers) = registry(Anonymous::Never);
    let key = Key::generate().expect("random");
    let keys = || vec![record(&callers, &key, "crm")];
    callers.replace_stored(vec![caller("crm", &[Scope::Subscribe])], keys());
    let first = callers.by_key(shown(&key)).expect("it counts");
    let both = [Scope::Subscribe, Scope::Respond];
    callers.replace_stored(vec![caller("crm", &both), caller("other", &[])], keys());
    assert!(!first.ended().is_cancelled());
    let more = callers.by_key(shown(&key)).expect("it counts");
    assert!(more.identity.scopes.allows(Scope::Respond));

    callers.replace_stored(vec![caller("crm", &[Scope::Respond])], keys());
    assert!(first.ended().is_cancelled() && more.ended().is_cancelled());
    let less = callers.by_key(shown(&key)).expect("it counts");
    assert!(!less.ended().is_cancelled());
}

#[test]
fn what_is_disabled_gone_or_expired_ends() {
    let (clock, callers) = registry(Anonymous::Never);
    let key = Key::generate().expect("random");
    let expiring = KeyRecord {
        expires_at: Some(clock.now() + Duration::from_mins(1)),
        ..record(&callers, &key, "crm")
    };
    let given = || {
        callers.replace_stored(vec![caller("crm", &[])], vec![expiring.clone()]);
        callers.by_key(shown(&key)).expect("it counts")
    };
    let disabled = CallerRecord {
        disabled: true,
        ..caller("crm", &[])
    };
    let before = given();
    callers.replace_stored(vec![disabled], vec![expiring.clone()]);
    assert!(before.ended().is_cancelled() && callers.by_key(shown(&key)).is_err());

    let before = given();
    callers.replace_stored(vec![], vec![expiring.clone()]);
    assert!(before.ended().is_cancelled() && callers.by_key(shown(&key)).is_err());

    let before = given();
    clock.forward(Duration::from_secs(59));
    callers.look(false);
    assert!(!before.ended().is_cancelled());
    clock.forward(Duration::from_secs(1));
    assert!(callers.by_key(shown(&key)).is_err());
    callers.look(false);
    assert!(before.ended().is_cancelled());
}

#[test]
fn a_key_file_that_is_replaced_or_removed_counts_at_the_next_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let (first, second) = (
        Key::generate().expect("random"),
        Key::generate().expect("random"),
    );
    fs::write(&path, shown(&first)).expect("written");
    let config = CallerConfig {
        name: "crm".into(),
        scopes: vec!["converse".into()],
        keys: vec![Secret::in_file(&path)],
        ..CallerConfig::default()
    };
    let callers = Callers::new(
        Pepper::of_this_process(),
        Anonymous::UntilCallersAreNamed,
        Configured::new(&[config]),
        Arc::default(),
        Arc::new(Hand::default()),
    );
    let one = callers.by_key(shown(&first)).expect("it counts");
    assert_eq!(one.identity.tenant.as_str(), "default");
    assert!(callers.without_credentials().is_none());

    fs::write(&path, format!("{}\n", shown(&second))).expect("written");
    callers.look(false);
    assert!(one.ended().is_cancelled() && callers.by_key(shown(&first)).is_err());
    let two = callers.by_key(shown(&second)).expect("it counts");
    fs::remove_file(&path).expect("removed");
    callers.look(false);
    assert!(two.ended().is_cancelled() && callers.by_key(shown(&second)).is_err());
}

#[test]
fn everybody_is_anonymous_until_somebody_is_named() {
    let (_, callers) = registry(Anonymous::UntilCallersAreNamed);
    let anonymous = callers.without_credentials().expect("let in");
    assert_eq!(anonymous.identity.scopes, Scopes::all());
    callers.replace_stored(vec![caller("crm", &[])], vec![]);
    assert!(callers.without_credentials().is_none());
    assert!(anonymous.ended().is_cancelled());

    let (_, always) = registry(Anonymous::Always);
    always.replace_stored(vec![caller("crm", &[])], vec![]);
    assert!(always.without_credentials().is_some());
    assert!(always.by_key("something").is_err());
    let (_, never) = registry(Anonymous::Never);
    assert!(never.without_credentials().is_none());
}

#[test]
fn a_certificate_is_its_callers_by_one_exact_name() {
    let (_, callers) = registry(Anonymous::Never);
    let named = CallerRecord {
        certificates: vec!["spiffe://acme/crm".into(), "crm.acme.example".into()],
        ..caller("crm", &[Scope::Converse])
    };
    callers.replace_stored(vec![named], vec![]);
    let found = callers
        .by_certificate(["other", "crm.acme.example"])
        .expect("named");
    assert_eq!(found.identity.caller.as_str(), "crm");
    assert!(callers.by_certificate(["acme.example"]).is_err());
    assert!(callers.by_certificate([]).is_err());
    callers.replace_stored(vec![], vec![]);
    assert!(found.ended().is_cancelled());
}

#[test]
fn a_use_is_noted_once_a_minute_at_most() {
    let (clock, callers) = registry(Anonymous::Never);
    let key = Key::generate().expect("random");
    callers.replace_stored(
        vec![caller("crm", &[])],
        vec![record(&callers, &key, "crm")],
    );
    let noted = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&noted);
    callers.note_uses(Box::new(move |id, at| {
        kept.lock().expect("not poisoned").push((id, at.0));
    }));
    let use_after = |span| {
        clock.forward(Duration::from_secs(span));
        callers.by_key(shown(&key)).expect("it counts");
        callers.look(false);
        callers.look(false);
        noted.lock().expect("not poisoned").len()
    };
    assert_eq!((use_after(1), use_after(30), use_after(31)), (1, 1, 2));
    assert_eq!(
        noted.lock().expect("not poisoned")[0],
        (key.id(), 1_000_001)
    );
}

#[test]
fn limits_that_change_count_what_is_under_way() {
    let (_, callers) = registry(Anonymous::Never);
    let key = Key::generate().expect("random");
    let with = |streams| {
        let limits = OwnLimits {
            streams: Some(streams),
            ..OwnLimits::default()
        };
        let caller = CallerRecord {
            limits,
            ..caller("crm", &[])
        };
        callers.replace_stored(vec![caller], vec![record(&callers, &key, "crm")]);
        callers.by_key(shown(&key)).expect("it counts")
    };
    let before = with(2);
    let one = before.meters.stream().expect("room");
    let two = before.meters.stream().expect("room");
    let after = with(1);
    assert!(!before.ended().is_cancelled(), "open streams go on");
    drop(one);
    assert!(after.meters.stream().is_err(), "one is open still");
    drop(two);
    let third = after.meters.stream().expect("room");
    assert!(after.meters.stream().is_err());
    drop(third);
}
