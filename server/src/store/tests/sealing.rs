//! What is sealed, what opens it, and what is left of it once its key is gone.

use std::fs;

use secrecy::ExposeSecret;

use super::*;
use crate::{
    domain::{
        AnsweredRequest, Error, KnownContact, Parameter, Request, RequestKind, RequestOutcome,
        Visitor,
        administration::{AdministrationRead, Change, ResourceKey, ResourceKind, StoredSecret},
        ports::SealedStore,
        query::ContactQuery,
    },
    keys::new_line,
    store::OpenError,
    wire::body,
};

const WORDS: &str = "planted-words-4711";

/// Everything of a conversation that can be personal, each with the planted words in it.
async fn speak(tx: &mut dyn OpenTransaction, name: &str) {
    let mut said = event(name, 1, 1);
    said.body = EventBody::PlatformAlert {
        name: WORDS.into(),
        raw: WORDS.into(),
    };
    tx.append(said);
    let mut visited = conversation(name, 1);
    visited.visitor = Some(Visitor {
        visitor_id: WORDS.into(),
        display_name: WORDS.into(),
        language: String::new(),
    });
    visited.kept = vec![Parameter {
        key: "k".into(),
        value: WORDS.into(),
        personal: true,
    }];
    tx.save_conversation(&visited).await.expect("saves");
    tx.save_contact(&contact(name)).await.expect("saves");
    let refused = Delivery {
        detail: WORDS.into(),
        ..delivery(name, name, 1, DeliveryState::Failed)
    };
    tx.add_delivery(&refused).await.expect("adds");
    tx.add_request(&request(name)).await.expect("adds");
}

fn contact(name: &str) -> KnownContact {
    KnownContact {
        id: id(&format!("contact-{name}")),
        source: id("care"),
        key: key(name),
        address: WORDS.into(),
        seen_at: Timestamp(1),
        spoke_at: Timestamp(1),
        numbered: 0,
    }
}

fn request(name: &str) -> Request {
    Request {
        id: id(&format!("request-{name}")),
        key: Some(key(name)),
        agent: id("bot"),
        tenant: id("acme"),
        kind: RequestKind::Action,
        fingerprint: Vec::new(),
        respond_by: Timestamp(2),
        asked_at: Timestamp(1),
        sequence: 1,
        closed: Some(AnsweredRequest {
            outcome: RequestOutcome::Answered,
            answered_by: WORDS.into(),
            answer_fingerprint: Vec::new(),
            closed_at: Timestamp(2),
            event_id: String::new(),
        }),
    }
}

/// How often the words stand in what everybody can read of a conversation.
async fn readable(scratch: &Scratch, name: &str) -> (EventBody, usize) {
    let store = &scratch.store;
    let page = store.page(crate::domain::Position(0), 100, 1 << 20).await;
    let page = page.expect("reads");
    let event = page
        .iter()
        .find(|event| event.conversation_id == Some(id(name)));
    let event = event.expect("stays in the log");
    let visited = store.conversation(&key(name)).await.expect("reads");
    let visited = visited.expect("stays");
    let query = ContactQuery {
        tenant: id("acme"),
        account: id("shop"),
        conversation_id: Some(id(name)),
        after: None,
        limit: 9,
    };
    let contacts = store.contacts(&query).await.expect("reads");
    let refused = store.delivery(&id(name)).await.expect("reads");
    let mut tx = store.begin().await.expect("begins");
    let asked = tx.request(&id(&format!("request-{name}"))).await;
    let closed = asked.expect("reads").expect("stays").closed;
    tx.roll_back().await.expect("rolls back");
    let texts = [
        visited
            .visitor
            .map_or(String::new(), |visitor| visitor.display_name),
        visited
            .kept
            .first()
            .map_or(String::new(), |kept| kept.value.clone()),
        contacts
            .first()
            .map_or(String::new(), |contact| contact.address.clone()),
        refused.expect("stays").detail,
        closed.expect("stays closed").answered_by,
    ];
    let body = body::decode(&event.bytes).expect("an event");
    (body, texts.iter().filter(|text| *text == WORDS).count())
}

fn files_hold(scratch: &Scratch, words: &str) -> bool {
    let folder = fs::read_dir(scratch.folder.path()).expect("a folder");
    folder.into_iter().any(|file| {
        let bytes = fs::read(file.expect("a file").path()).expect("reads");
        bytes
            .windows(words.len())
            .any(|window| window == words.as_bytes())
    })
}

#[tokio::test]
async fn nothing_personal_stands_plain_in_the_files_and_all_of_it_can_be_read() {
    let scratch = Scratch::in_file(|_| ()).await;
    scratch.commit(async |tx| speak(tx, "c").await).await;
    let (body, texts) = readable(&scratch, "c").await;
    assert!(matches!(body, EventBody::PlatformAlert { raw, .. } if raw == WORDS));
    assert_eq!(texts, 5);
    assert!(!files_hold(&scratch, WORDS));
    assert!(
        files_hold(&scratch, "acme"),
        "the search finds what is there"
    );
}

/// What a conversation is erased by, as the use case does it.
async fn erase(tx: &mut dyn OpenTransaction, name: &str) {
    tx.erase_words(&key(name)).await.expect("erases");
    let blank = conversation(name, 1);
    tx.save_conversation(&blank).await.expect("saves");
}

#[tokio::test]
async fn without_its_key_everything_of_a_conversation_reads_as_erased_and_its_neighbour_stays() {
    let scratch = Scratch::new().await;
    scratch
        .commit(async |tx| {
            speak(tx, "c").await;
            speak(tx, "d").await;
        })
        .await;
    // In memory, so that what was unwrapped must be let go of.
    assert_eq!(readable(&scratch, "c").await.1, 5);
    scratch
        .commit(async |tx| {
            tx.append(event("c", 2, 1));
            erase(tx, "c").await;
            for sequence in [1, 2] {
                let event = tx.event(&key("c"), sequence).await.expect("reads");
                assert_eq!(event.expect("there").fact.body, EventBody::erased());
            }
            tx.append(event("c", 3, 1));
        })
        .await;
    assert_eq!(readable(&scratch, "c").await, (EventBody::erased(), 0));
    assert_eq!(readable(&scratch, "d").await.1, 5);
    let mut tx = scratch.store.begin().await.expect("begins");
    let mut bodies = Vec::new();
    for sequence in [2, 3] {
        let event = tx.event(&key("c"), sequence).await.expect("reads");
        bodies.push(event.expect("there").fact.body);
    }
    tx.roll_back().await.expect("rolls back");
    assert_eq!(bodies, [EventBody::erased(), event("c", 3, 1).body]);
}

#[tokio::test]
async fn a_read_that_began_before_an_erasure_does_not_bring_the_key_back() {
    let scratch = Scratch::with(|settings| settings.cached_keys = 1).await;
    scratch.commit(async |tx| speak(tx, "c").await).await;
    // Its key leaves the memory.
    scratch.commit(async |tx| speak(tx, "d").await).await;
    let vault = Arc::clone(&scratch.store.vault);
    let reading = crate::store::sealing::Keys::new(Arc::clone(&vault));
    let tx = begun(&scratch).await;
    let owner = crate::store::data_key::Owner::Conversation(key("c"));
    let wrapped = crate::store::data_key::of(&tx, &owner)
        .await
        .expect("reads");
    let id = wrapped.expect("there").id;
    reading.opening(&tx, [id]).await.expect("opens");
    assert_eq!(vault.with_ids(&[id]).len(), 1);
    tx.rollback().await.expect("rolls back");

    scratch.commit(async |tx| speak(tx, "e").await).await;
    assert!(vault.with_ids(&[id]).is_empty());
    let reading = crate::store::sealing::Keys::new(Arc::clone(&vault));
    vault.forget(&[], [], 0);
    let tx = begun(&scratch).await;
    reading.opening(&tx, [id]).await.expect("opens");
    tx.rollback().await.expect("rolls back");
    assert!(vault.with_ids(&[id]).is_empty());
}

#[tokio::test]
async fn what_was_plain_is_read_and_overwritten_with_the_rest() {
    let scratch = Scratch::in_file(|_| ()).await;
    scratch.commit(async |tx| speak(tx, "c").await).await;
    // As a version that sealed nothing left it.
    let plain = body::encode(&EventBody::PlatformAlert {
        name: WORDS.into(),
        raw: WORDS.into(),
    });
    let tx = begun(&scratch).await;
    let sql = "UPDATE event SET body_key_id = 0, body = $1";
    crate::store::table::execute(&tx, sql, [plain.into()])
        .await
        .expect("writes");
    tx.commit().await.expect("commits");
    assert!(matches!(
        readable(&scratch, "c").await.0,
        EventBody::PlatformAlert { .. }
    ));
    scratch.store.purge().await.expect("nobody reads");
    assert!(files_hold(&scratch, WORDS), "it stands there plain");
    scratch.commit(async |tx| erase(tx, "c").await).await;
    scratch.store.purge().await.expect("nobody reads");
    assert_eq!(readable(&scratch, "c").await, (EventBody::erased(), 0));
    assert!(!files_hold(&scratch, WORDS));
}

#[tokio::test]
async fn a_key_of_a_transaction_that_is_rolled_back_is_not_used() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    speak(&mut *tx, "c").await;
    tx.write_events().await.expect("writes");
    tx.roll_back().await.expect("rolls back");
    scratch.commit(async |tx| speak(tx, "c").await).await;
    assert_eq!(readable(&scratch, "c").await.1, 5);

    // An erasure that is rolled back erases nothing.
    let mut tx = scratch.store.begin().await.expect("begins");
    erase(&mut *tx, "c").await;
    tx.roll_back().await.expect("rolls back");
    assert_eq!(readable(&scratch, "c").await.1, 5);
}

#[tokio::test]
async fn more_conversations_than_keys_in_memory_can_be_read() {
    let scratch = Scratch::with(|settings| settings.cached_keys = 2).await;
    for number in 0..20 {
        scratch
            .commit(async |tx| speak(tx, &format!("c{number}")).await)
            .await;
    }
    for number in 0..20 {
        assert_eq!(readable(&scratch, &format!("c{number}")).await.1, 5);
    }
}

#[tokio::test]
async fn a_database_refuses_to_start_without_its_key_and_names_it() {
    let scratch = Scratch::new().await;
    scratch.commit(async |tx| speak(tx, "c").await).await;
    let pepper = scratch.store.pepper().expose_secret().to_vec();
    assert_eq!(pepper.len(), 32);
    let Scratch {
        store,
        clock,
        settings,
        folder,
    } = scratch;
    let id = store.custody().ring().sealing().to_string();
    store.close().await.expect("closes");
    drop(store);
    let keys = folder.path().join("parloir.db.key");
    let right = fs::read_to_string(&keys).expect("reads");
    let open = async || SqlStore::open(&settings, clock.clone()).await;

    fs::remove_file(&keys).expect("removes");
    let error = open().await.expect_err("no key");
    assert!(matches!(error, OpenError::KeyNotRead { .. }), "{error}");
    assert!(error.to_string().contains(&id), "{error}");
    fs::write(&keys, new_line().as_bytes()).expect("writes");
    let error = open().await.expect_err("another key");
    assert!(matches!(error, OpenError::MissingKey { .. }), "{error}");
    assert!(error.to_string().contains(&id), "{error}");
    let line = new_line();
    let (_, other) = line.split_once(':').expect("a line");
    fs::write(&keys, format!("{id}:{other}")).expect("writes");
    let error = open().await.expect_err("a wrong key");
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error}");
    assert!(
        error.to_string().contains(&id) && !error.to_string().contains(other),
        "{error}"
    );

    fs::write(&keys, format!("{}\n{right}", *new_line())).expect("writes");
    let again = open().await.expect("opens");
    assert_eq!(again.pepper().expose_secret(), pepper);
}

#[tokio::test]
async fn all_keys_and_secrets_come_under_the_first_master_key_batch_by_batch() {
    let scratch = Scratch::new().await;
    for name in ["c", "d", "e"] {
        scratch.commit(async |tx| speak(tx, name).await).await;
    }
    let stored = StoredSecret {
        id: id("s1"),
        owner: ResourceKey {
            tenant: id("acme"),
            kind: ResourceKind::Agent,
            name: id("acme.bot"),
        },
        path: "api_key".into(),
        value: WORDS.into(),
        created_at: Timestamp(1),
        expires_at: None,
    };
    scratch
        .commit(async |tx| {
            let write = tx.administration().expect("there");
            assert_eq!(write.change(&Change::SaveSecret(stored)).await, Ok(true));
        })
        .await;
    assert!(!files_hold(&scratch, WORDS));
    let keys = scratch.folder.path().join("parloir.db.key");
    let (old, new) = (fs::read_to_string(&keys).expect("reads"), new_line());
    fs::write(&keys, format!("{}\n{old}", *new)).expect("writes");
    let needed = scratch.store.keys_by_master().await.expect("reads");
    // Three conversations, and the secret beside the server's own two.
    assert_eq!(needed.iter().map(|(_, count)| count).sum::<u64>(), 6);
    let custody = scratch.store.custody();
    let needed: std::collections::BTreeSet<_> = needed.into_iter().map(|(id, _)| id).collect();
    custody
        .look(|| std::future::ready(Some(needed)))
        .await
        .expect("reads");
    let mut batches = Vec::new();
    loop {
        let mut done = 0;
        scratch
            .commit(async |tx| done = tx.rewrap(4).await.expect("rewraps"))
            .await;
        batches.push(done);
        if done == 0 {
            break;
        }
    }
    assert_eq!(batches, [4, 2, 0]);
    let counts = scratch.store.keys_by_master().await.expect("reads");
    assert_eq!(counts, [(custody.ring().sealing().to_string(), 6)]);
    assert!(new.starts_with(&counts[0].0));

    // The old line may go, and all can be read after a start.
    fs::write(&keys, new.as_bytes()).expect("writes");
    let Scratch {
        store,
        clock,
        settings,
        folder,
    } = scratch;
    store.close().await.expect("closes");
    drop((store, custody));
    let store = SqlStore::open(&settings, clock.clone())
        .await
        .expect("opens");
    let scratch = Scratch {
        store: Arc::new(store),
        clock,
        settings,
        folder,
    };
    for name in ["c", "d", "e"] {
        assert_eq!(readable(&scratch, name).await.1, 5);
    }
    let secrets = scratch.store.administered().await.expect("reads").secrets;
    assert_eq!(secrets[0].value.expose_secret(), WORDS);
}

#[tokio::test]
async fn a_body_in_the_place_of_another_does_not_open() {
    let scratch = Scratch::new().await;
    scratch
        .commit(async |tx| {
            tx.append(event("c", 1, 1));
            tx.append(event("c", 2, 1));
        })
        .await;
    let tx = begun(&scratch).await;
    let swap = "UPDATE event SET body = (SELECT body FROM event AS other WHERE other.sequence = 1)
        WHERE sequence = 2";
    crate::store::table::execute(&tx, swap, [])
        .await
        .expect("writes");
    tx.commit().await.expect("commits");
    let mut tx = scratch.store.begin().await.expect("begins");
    assert!(tx.event(&key("c"), 1).await.expect("opens").is_some());
    assert_eq!(tx.event(&key("c"), 2).await, Err(Error::Internal));
    tx.roll_back().await.expect("rolls back");
}

async fn begun(scratch: &Scratch) -> sea_orm::DatabaseTransaction {
    let begun = scratch.store.writer.begin(&scratch.store.clock).await;
    begun.expect("begins").db.connection
}
