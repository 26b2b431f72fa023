//! Keys as text, what opens and what does not, and how a ring changes.

use std::{collections::BTreeSet, fs, future::ready, path::Path, time::Duration};

use super::*;

const LIMIT: Duration = Duration::from_secs(10);
const PLACE: Place<'_> = Place {
    table: "event",
    row: "1",
    column: "body",
};

fn ring(lines: &[&str]) -> KeyRing {
    KeyRing::parse(&lines.join("\n")).expect("keys")
}

#[test]
fn what_the_first_key_sealed_every_ring_with_it_opens_and_no_other() {
    let (one, other) = (new_line(), new_line());
    let sealed = ring(&[&one]).seal(PLACE, b"words");
    let id = sealed.master_id.as_str();
    assert!(one.starts_with(id));
    let opened = ring(&[&other, &one]).open(id, PLACE, &sealed.bytes);
    assert_eq!(**opened.expect("opens"), *b"words");
    let missing = ring(&[&other]).open(id, PLACE, &sealed.bytes);
    assert_eq!(
        missing.expect_err("no such key"),
        NotOpened::NoKey(id.to_owned())
    );
    let (_, wrong) = other.split_once(':').expect("a line");
    let wrong = ring(&[&format!("{id}:{wrong}")]).open(id, PLACE, &sealed.bytes);
    assert_eq!(
        wrong.expect_err("another key"),
        NotOpened::WrongKey(id.to_owned())
    );
}

#[test]
fn a_text_opens_at_its_own_place_only_and_unchanged_only() {
    let (key, _) = DataKey::generate();
    let sealed = key.seal(PLACE, b"words");
    assert_eq!(**key.open(PLACE, &sealed).expect("opens"), *b"words");
    for place in [
        Place {
            table: "contact",
            ..PLACE
        },
        Place { row: "2", ..PLACE },
        Place {
            column: "kept",
            ..PLACE
        },
    ] {
        assert_eq!(key.open(place, &sealed), Err(Unopened), "{place:?}");
    }
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert_eq!(key.open(PLACE, &changed), Err(Unopened), "byte {index}");
        assert_eq!(
            key.open(PLACE, &sealed[..index]),
            Err(Unopened),
            "{index} bytes"
        );
    }
    assert_ne!(key.seal(PLACE, b"words"), sealed, "a nonce came twice");
}

#[test]
fn no_nonce_comes_twice_in_whatever_thread() {
    let (key, _) = DataKey::generate();
    let seal = || (0..200).map(|_| key.seal(PLACE, b"")[..24].to_vec());
    let nonces: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| seal().collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let different: BTreeSet<_> = nonces.iter().collect();
    assert_eq!(different.len(), 800);
    assert!(!nonces.contains(&vec![0; 24]), "one was never drawn");
}

#[test]
fn a_line_that_makes_no_sense_is_named_by_its_number_and_never_shown() {
    let line = new_line();
    let cases = [
        (String::new(), BadLine::Empty),
        ("# nothing\n\n".to_owned(), BadLine::Empty),
        (format!("{}\nhunter2", *line), BadLine::Form(2)),
        ("Hunter2:AAAA".to_owned(), BadLine::Id(1)),
        ("hunter2:AAAA".to_owned(), BadLine::Key(1)),
        ("hunter2:&&&&".to_owned(), BadLine::Key(1)),
    ];
    for (text, expected) in cases {
        let error = KeyRing::parse(&text).expect_err("no ring");
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("unter2"), "{error}");
    }
    let twice = format!("{}\n{}", *line, *line);
    assert!(matches!(KeyRing::parse(&twice), Err(BadLine::Twice(2, _))));
}

#[test]
fn debug_shows_ids_only() {
    let line = new_line();
    let ring = ring(&[&line]);
    let (id, key) = line.split_once(':').expect("a line");
    let shown = format!("{ring:?}");
    assert!(shown.contains(id) && !shown.contains(key), "{shown}");
    let (key, bytes) = DataKey::generate();
    assert_eq!(format!("{key:?}"), format!("DataKey({})", key.id()));
    assert_ne!(*bytes, [0; 32]);
}

#[tokio::test]
async fn a_file_beside_the_database_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("parloir.db");
    let open = async |may_make| Custody::open(KeySource::Beside, &database, LIMIT, may_make).await;
    assert!(matches!(
        open(false).await,
        Err(KeySourceError::File { .. })
    ));
    let (first, origin) = open(true).await.expect("made");
    let path = folder.path().join("parloir.db.key");
    assert_eq!(origin, Origin::Made(path.clone()));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let (again, origin) = open(true).await.expect("found");
    assert_eq!(origin, Origin::Beside(path));
    assert!(again.ring().is_same(&first.ring()));
}

#[tokio::test]
async fn a_needed_key_stays_in_force_until_its_line_returns() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, old, new) = (folder.path().join("keys"), new_line(), new_line());
    let write = |lines: &[&str]| fs::write(&path, lines.join("\n")).expect("writes");
    write(&[&old]);
    let source = KeySource::File(path.clone());
    let (custody, _) = Custody::open(source, Path::new("db"), LIMIT, false)
        .await
        .expect("opens");
    let sealed = custody.ring().seal(PLACE, b"words");
    let needed = BTreeSet::from([sealed.master_id.as_str().to_owned()]);
    assert_eq!(
        custody
            .look(|| ready(Some(needed.clone())))
            .await
            .expect("reads"),
        Looked::Same
    );

    write(&[&new]);
    let kept = vec![sealed.master_id.clone()];
    assert_eq!(
        custody
            .look(|| ready(Some(needed.clone())))
            .await
            .expect("reads"),
        Looked::Changed { kept }
    );
    assert!(new.starts_with(custody.ring().sealing().as_str()));
    let opens = || {
        custody
            .ring()
            .open(sealed.master_id.as_str(), PLACE, &sealed.bytes)
    };
    opens().expect("what runs is not broken");
    write(&[&new, &old]);
    assert_eq!(
        custody
            .look(|| ready(Some(needed.clone())))
            .await
            .expect("reads"),
        Looked::Same
    );

    let (_, other) = new.split_once(':').expect("a line");
    write(&[&format!("{}:{other}", sealed.master_id)]);
    let contradiction = Looked::Contradiction(sealed.master_id.clone());
    assert_eq!(
        custody
            .look(|| ready(Some(needed.clone())))
            .await
            .expect("reads"),
        contradiction
    );
    fs::remove_file(&path).expect("removes");
    custody
        .look(|| ready(Some(needed.clone())))
        .await
        .expect_err("nothing there");
    opens().expect("what runs is not broken");

    write(&[&new]);
    let changed = custody
        .look(|| ready(Some(BTreeSet::new())))
        .await
        .expect("reads");
    assert_eq!(changed, Looked::Changed { kept: Vec::new() });
    opens().expect_err("nobody needs it any more");
}

#[tokio::test]
async fn a_program_prints_keys_within_a_time_and_a_length() {
    let line = new_line();
    let run = async |script: String, limit| {
        let command = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        Custody::open(KeySource::Command(command), Path::new("db"), limit, false).await
    };
    run(format!("echo '{}'", *line), LIMIT)
        .await
        .expect("prints");
    let endless = run("exec cat /dev/zero".to_owned(), LIMIT).await;
    assert!(matches!(endless, Err(KeySourceError::TooLong { .. })));
    let silent = run("exec sleep 60".to_owned(), Duration::from_millis(50)).await;
    assert!(matches!(silent, Err(KeySourceError::TooSlow { .. })));
    let failed = run(format!("echo '{}'; exit 3", *line), LIMIT).await;
    let error = failed.expect_err("failed").to_string();
    assert!(error.contains('3') && !error.contains(&**line), "{error}");
}
