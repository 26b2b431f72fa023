//! What a webhook says, whom it is believed from, and what nobody answers.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    super::{Ownership, SocialConnect, SocialConnectConfig, Verification, mention},
    fixture::{Place, events, text, twitter, unsigned},
};
use crate::domain::{
    HumanMessage, Owner, Timestamp, inbound::Webhook, ports::Source, source::SourceBody,
};

/// The body of the contract's check 18, and its signature under `client-secret`.
const BODY: &str =
    r#"{"id":"1001","topic":{"id":77},"message":{"type":"privatemessage","content":"hi"}}"#;
const SIGNATURE: &str = "Lu/FY2xYc9MrvabZvfPF7eOxC6txmw9xTczMuz6LNWg=";

pub(super) fn place() -> Place {
    Place::new(|settings| settings.client_secret = "client-secret".into())
}

/// A source that is only talked to.
pub(super) fn listening(
    place: &Place,
    change: impl FnOnce(&mut SocialConnectConfig),
) -> SocialConnect {
    place.source("http://127.0.0.1:9", |config| {
        config.client_secret = Some(place.secret("client", "client-secret"));
        change(config);
    })
}

fn signed(body: &str, signature: &str) -> Webhook {
    let mut webhook = unsigned(body);
    webhook
        .headers
        .insert("x-signature", signature.parse().expect("a header"));
    webhook
}

/// A visitor's message, as it was sent but for what `change` changes.
pub(super) fn changed(place: &Place, change: impl FnOnce(&mut Value)) -> Webhook {
    place.platform.visitor_says(&twitter(), "hello");
    let body = place.platform.next_webhook().expect("a webhook");
    let mut mention = serde_json::from_str(&body).expect("JSON");
    change(&mut mention);
    place.webhook(&mention.to_string())
}

pub(super) async fn status(source: &SocialConnect, webhook: &Webhook) -> StatusCode {
    let received = source.receive(webhook).expect("a webhook that is taken");
    received.reply.reply(&[]).await.status
}

#[test]
fn qsc_18_the_signature_is_the_one_of_the_contract() {
    let (place, secret) = (place(), "client-secret");
    assert_eq!(
        place.platform.signature(BODY.as_bytes()),
        SIGNATURE,
        "{secret}"
    );
    let source = listening(&place, |_| {});
    assert!(source.receive(&signed(BODY, SIGNATURE)).is_ok());
}

#[test]
fn qsc_19_one_blank_more_and_the_signature_does_not_fit() {
    let source = listening(&place(), |_| {});
    let spaced = BODY.replace("\"id\":\"1001\"", "\"id\": \"1001\"");
    let refused = source.receive(&signed(&spaced, SIGNATURE)).err();
    assert!(refused.is_some_and(|refusal| refusal.is_unverified()));
}

#[test]
fn qsc_20_without_a_signature_or_by_get_nothing_is_taken() {
    let source = listening(&place(), |_| {});
    let mut twice = signed(BODY, SIGNATURE);
    twice
        .headers
        .append("x-signature", SIGNATURE.parse().expect("a header"));
    let mut get = signed(BODY, SIGNATURE);
    get.method = Method::GET;
    for refused in [
        unsigned(BODY),
        signed(BODY, "Lu/FY"),
        signed(BODY, ""),
        twice,
        get,
    ] {
        let refused = source.receive(&refused).err();
        assert!(refused.is_some_and(|refusal| refusal.is_unverified()));
    }
}

#[test]
fn qsc_21_without_signing_a_token_in_the_path_is_believed_and_nothing_else() {
    let place = place();
    let token = "0123456789abcdefghijklm";
    let source = listening(&place, |config| {
        config.verification = Verification::UrlToken;
        config.url_tokens = vec![place.secret("old", "another"), place.secret("url", token)];
    });
    let with_path = |path: &str| Webhook {
        path: path.to_owned(),
        ..unsigned(BODY)
    };
    assert!(source.receive(&with_path(token)).is_ok());
    assert!(
        source
            .receive(&with_path(&format!("mentions/{token}")))
            .is_ok()
    );
    let longer = format!("{token}x");
    for path in ["", &token[1..], &longer] {
        let refused = source.receive(&with_path(path)).err();
        assert!(
            refused.is_some_and(|refusal| refusal.is_unverified()),
            "{path}"
        );
    }
    let refused = source.receive(&signed(BODY, SIGNATURE)).err();
    assert!(refused.is_some_and(|refusal| refusal.is_unverified()));
}

#[test]
fn a_secret_of_before_verifies_while_a_rotation_lasts() {
    let place = place();
    let source = listening(&place, |config| {
        let former = config.client_secret.replace(place.secret("new", "another"));
        config.former_client_secrets = former.into_iter().collect();
    });
    assert!(source.receive(&signed(BODY, SIGNATURE)).is_ok());
}

#[tokio::test]
async fn qsc_22_a_message_that_comes_three_times_has_one_id_and_three_times_200() {
    let place = place();
    let source = listening(&place, |_| {});
    let webhook = place.says(&twitter(), "hello");
    for _ in 0..3 {
        let event = events(&source, &webhook).remove(0);
        assert_eq!(event.event_id.as_deref(), Some("46283_43769358878509001"));
        assert_eq!(status(&source, &webhook).await, StatusCode::OK);
    }
}

#[test]
fn qsc_23_the_account_is_the_first_number_in_the_address() {
    let of = |permalink: &str| mention::account(&json!({ "permalink": permalink }));
    let address = "https://app.engagor.com/messages/1417/permalink/46283/5/";
    assert_eq!(of(address).as_deref(), Some("1417"));
    assert_eq!(of("/messages/1417").as_deref(), Some("1417"));
    for none in [
        "",
        "https://app.engagor.com/",
        "/messages/",
        "/messages/all/1417",
    ] {
        assert_eq!(of(none), None, "{none}");
    }
}

#[tokio::test]
async fn qsc_24_a_message_of_another_account_is_answered_200_dropped_and_counted() {
    let place = place();
    let source = listening(&place, |_| {});
    let webhook = changed(&place, |mention| {
        mention["permalink"] = json!("https://app.engagor.com/messages/99/permalink/46283/5/");
    });
    assert!(events(&source, &webhook).is_empty());
    assert_eq!(status(&source, &webhook).await, StatusCode::OK);
    assert_eq!(source.strangers.into_inner(), 2);
}

#[test]
fn qsc_25_content_comes_without_tags_and_entities() {
    let place = place();
    let source = listening(&place, |_| {});
    let webhook = changed(&place, |mention| {
        mention["message"]["content"] = json!("<p>Caf&eacute; &amp; th&eacute;</p>");
    });
    assert_eq!(text(&events(&source, &webhook)[0]), "Café & thé");
}

#[test]
fn qsc_29_what_the_brand_sent_is_not_answered() {
    let place = place();
    let source = listening(&place, |_| {});
    place.platform.human_says(&twitter(), "Lee here.");
    assert!(events(&source, &place.next_webhook()).is_empty());
    for managed in [json!(true), json!(1), json!("1")] {
        let webhook = changed(&place, |mention| mention["author"]["managed"] = managed);
        assert!(events(&source, &webhook).is_empty());
    }
}

#[test]
fn what_the_brands_people_sent_is_recorded_where_that_is_wanted_and_ours_is_not() {
    let place = place();
    let source = listening(&place, |config| {
        config.record_brand_messages = true;
        config.application_name = "Parloir".to_owned();
    });
    place.platform.human_says(&twitter(), "Lee here.");
    let webhook = place.next_webhook();
    let event = events(&source, &webhook).remove(0);
    let visitor = events(&source, &place.says(&twitter(), "hello")).remove(0);
    let key = |contact: Option<crate::domain::source::Contact>| contact.expect("a contact").key;
    assert_eq!(key(event.contact), key(visitor.contact));
    assert!(event.contact_must_exist);
    let SourceBody::Human(HumanMessage {
        text, from_source, ..
    }) = event.body
    else {
        panic!("not a human's");
    };
    assert_eq!((text.as_str(), from_source), ("Lee here.", true));
    for ours in ["Parloir", "parloir-app"] {
        let webhook = changed(&place, |mention| {
            mention["author"]["managed"] = json!(true);
            mention["source"]["application"] = json!(ours);
            mention["original_author"]["id"] = json!("3313939576");
        });
        assert!(events(&source, &webhook).is_empty(), "{ours}");
    }
}

#[test]
fn qsc_30_what_is_public_is_not_answered() {
    let place = place();
    let source = listening(&place, |_| {});
    for kind in ["post", "reply", "comment", "PRIVATEMESSAGE2"] {
        let webhook = changed(&place, |mention| mention["message"]["type"] = json!(kind));
        assert!(events(&source, &webhook).is_empty(), "{kind}");
    }
}

#[test]
fn qsc_37_ids_are_the_same_as_numbers_and_as_text() {
    let place = place();
    let source = listening(&place, |_| {});
    let body = changed(&place, |mention| {
        mention["author"]["id"] = json!(3_313_939_576_u64);
        mention["topic"]["id"] = json!("46283");
        mention["id"] = json!(43_769_358_878_509_009_u64);
    });
    let numbers = events(&source, &body).remove(0).contact.expect("a contact");
    let body = changed(&place, |mention| {
        mention["author"]["id"] = json!("3313939576");
        mention["topic"]["id"] = json!(46283);
        mention["id"] = json!("43769358878509009");
    });
    let texts = events(&source, &body).remove(0).contact.expect("a contact");
    assert_eq!(numbers.key, texts.key);
    assert_eq!(numbers.address, texts.address);
}

#[test]
fn qsc_38_unknown_keys_are_no_hindrance_and_are_kept() {
    let place = place();
    let source = listening(&place, |_| {});
    let webhook = changed(&place, |mention| {
        mention["author"]["mood"] = json!({ "today": ["fine"] });
        mention["new"] = json!([1, null]);
    });
    let event = events(&source, &webhook).remove(0);
    assert_eq!(text(&event), "hello");
    let SourceBody::Message { raw, .. } = event.body else {
        panic!("not a message");
    };
    assert!(raw.contains(r#""today":["fine"]"#), "{raw}");
}

#[test]
fn qsc_40_what_a_flow_handles_is_not_answered() {
    let place = place();
    let source = listening(&place, |_| {});
    let handled = json!({ "type": "flow", "flow_id": 12 });
    let webhook = changed(&place, |mention| mention["handled_by"] = handled);
    assert!(events(&source, &webhook).is_empty());
    let by_a_person = json!({ "type": "user", "flow_id": null });
    let webhook = changed(&place, |mention| mention["handled_by"] = by_a_person);
    assert_eq!(events(&source, &webhook).len(), 1);
}

#[test]
fn a_message_tells_when_it_came_and_who_wrote_it() {
    let place = place();
    let source = listening(&place, |_| {});
    let event = events(&source, &changed(&place, |_| {})).remove(0);
    assert_eq!(
        event.occurred_at,
        Some(Timestamp(super::fixture::TODAY * 1_000_000))
    );
    let SourceBody::Message {
        visitor: Some(visitor),
        ..
    } = event.body
    else {
        panic!("not a message");
    };
    assert_eq!(
        (visitor.display_name.as_str(), visitor.language.as_str()),
        ("A visitor", "fr")
    );
}

#[test]
fn a_message_without_words_is_kept_as_it_came() {
    let place = place();
    let source = listening(&place, |_| {});
    let webhook = changed(&place, |mention| {
        mention["message"]["content"] = json!("<p> </p>");
        mention["message"]["attachments"] = json!([{ "url": "https://example.org/photo" }]);
    });
    let event = events(&source, &webhook).remove(0);
    assert!(event.contact.is_some());
    let SourceBody::Unknown { raw, .. } = event.body else {
        panic!("not unknown");
    };
    assert!(raw.contains("https://example.org/photo"));
}

#[test]
fn a_mention_that_names_nobody_is_kept_as_it_came() {
    let place = place();
    let source = listening(&place, |_| {});
    for author in [json!({}), json!({ "id": null }), json!({ "id": ".." })] {
        let webhook = changed(&place, |mention| mention["author"] = author);
        let event = events(&source, &webhook).remove(0);
        assert!(matches!(event.body, SourceBody::Unknown { .. }));
        assert!(event.contact.is_none());
    }
}

#[test]
fn with_the_handover_tags_tell_nothing_of_the_owner() {
    let place = place();
    let source = listening(&place, |config| config.ownership = Ownership::Handover);
    place.platform.agent_tags(&twitter(), "escalated to agent");
    let found = events(&source, &place.says(&twitter(), "hello"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].owner, None);
    let source = listening(&place, |config| config.ownership = Ownership::Tag);
    let owner = events(&source, &place.says(&twitter(), "hello"))
        .remove(0)
        .owner;
    assert_eq!(owner.map(|observed| observed.owner), Some(Owner::Human));
}
