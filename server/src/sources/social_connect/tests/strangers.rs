//! What is not ours, what nobody is to be believed, and what cannot be read.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::{
    super::Verification,
    fixture::{events, text},
    webhooks::{changed, listening, place, status},
};
use crate::domain::{ports::Source, source::SourceBody};

#[tokio::test]
async fn a_message_of_another_topic_is_answered_200_dropped_and_counted() {
    let place = place();
    for (topic_ids, heard) in [("46284", 0), ("46284,46283", 1), ("", 1)] {
        let source = listening(&place, |config| config.topic_ids = topic_ids.to_owned());
        let webhook = changed(&place, |_| {});
        assert_eq!(events(&source, &webhook).len(), heard, "{topic_ids}");
        assert_eq!(status(&source, &webhook).await, StatusCode::OK);
        let dropped = u64::from(heard == 0) * 2;
        assert_eq!(source.strangers.into_inner(), dropped, "{topic_ids}");
    }
}

#[test]
fn a_channel_that_is_ignored_is_not_answered() {
    let place = place();
    let source = listening(&place, |config| {
        config.ignored_channels = vec!["Facebook".to_owned()];
    });
    let on = |service: &str| changed(&place, |it| it["source"]["service"] = json!(service));
    assert!(events(&source, &on("facebook")).is_empty());
    assert_eq!(events(&source, &on("twitter")).len(), 1);
}

#[test]
fn without_topics_nothing_is_looked_for() {
    let place = place();
    let every = |topic_ids: &str, minutes| {
        let source = listening(&place, |config| {
            config.topic_ids = topic_ids.to_owned();
            config.looks_every = Duration::from_mins(minutes);
        });
        source.looks_every()
    };
    assert_eq!(every("", 10), None);
    assert_eq!(every("46283", 0), None);
    assert_eq!(every("46283", 10), Some(Duration::from_mins(10)));
}

#[test]
fn an_id_that_is_not_set_does_not_make_a_nameless_application_ours() {
    let place = place();
    let source = listening(&place, |config| {
        config.record_brand_messages = true;
        config.application_name = "Parloir".to_owned();
        config.client_id = String::new();
    });
    for nameless in [json!(null), json!("")] {
        let webhook = changed(&place, |mention| {
            mention["author"]["managed"] = json!(true);
            mention["source"]["application"] = nameless;
            mention["original_author"]["id"] = json!("3313939576");
        });
        let event = events(&source, &webhook).remove(0);
        assert!(matches!(event.body, SourceBody::Human(_)));
    }
}

#[test]
fn a_channel_that_would_be_a_step_in_a_path_is_kept_as_it_came() {
    let place = place();
    let source = listening(&place, |_| {});
    for channel in ["..", ".", " "] {
        let webhook = changed(&place, |it| it["source"]["service"] = json!(channel));
        let event = events(&source, &webhook).remove(0);
        assert!(
            matches!(event.body, SourceBody::Unknown { .. }),
            "{channel}"
        );
    }
}

#[test]
fn tags_of_a_webhook_that_is_not_signed_are_asked_for_instead() {
    let place = place();
    let token = "0123456789abcdefghijklm";
    let source = listening(&place, |config| {
        config.verification = Verification::UrlToken;
        config.url_tokens = vec![place.secret("url", token)];
    });
    let mut webhook = changed(&place, |_| {});
    token.clone_into(&mut webhook.path);
    let found = events(&source, &webhook);
    assert!(matches!(found[0].body, SourceBody::Doubt));
    assert_eq!((found.len(), text(&found[1])), (2, "hello"));
    assert_eq!(found[1].owner, None);
}

#[test]
fn what_cannot_be_read_has_an_id_by_what_it_says() {
    let place = place();
    let source = listening(&place, |_| {});
    let id = |body: &str| events(&source, &place.webhook(body)).remove(0).event_id;
    let first = id(r#"{"made":"by hand"}"#);
    assert!(first.is_some());
    assert_eq!(first, id(r#"{ "made": "by hand" }"#));
    assert_ne!(first, id(r#"{"made":"by hand too"}"#));
    let mut without_author = json!({ "id": "1", "message": { "type": "privatemessage" } });
    let one = id(&without_author.to_string());
    without_author["id"] = json!("2");
    assert_ne!(one, id(&without_author.to_string()));
}
