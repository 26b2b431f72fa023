//! What goes out: text, buttons, lists, and whose words they are.

use serde_json::{Value, json};

use super::fixture::{NUMBER, Stage, TOKEN, contact};
use crate::{
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
        source::{Author, Item, ItemBody, OfferKind, OfferLimits, Offered, OfferedAction},
    },
    sources::conformance::{offer, text},
};

async fn delivered(stage: &Stage, item: &Item) -> Value {
    let sent = stage.source.deliver(&contact("32").address, item).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    stage.server.last_request().json()
}

fn is_refused(sent: &Sent) -> bool {
    matches!(
        sent,
        Sent::Refused {
            refusal: Refusal::Request,
            ..
        }
    )
}

/// The first way that these labels fit, by what a source's limits promise.
fn way(stage: &Stage, labels: &[&str]) -> Option<OfferLimits> {
    let fits = |limits: &&OfferLimits| {
        let mut apart: Vec<_> = labels.to_vec();
        apart.sort_unstable();
        apart.dedup();
        labels.len() <= limits.max_options
            && (limits.repeats_labels || apart.len() == labels.len())
            && (limits.cuts_labels
                || labels
                    .iter()
                    .all(|label| label.chars().count() <= limits.label_chars))
    };
    stage
        .source
        .capabilities()
        .offers
        .iter()
        .find(fits)
        .copied()
}

#[tokio::test]
async fn a_text_is_one_request_to_the_number_with_the_token() {
    let stage = Stage::new().await;
    let sent = stage
        .source
        .deliver(&contact("32").address, &text("bonjour"))
        .await;
    let remote_id = "wamid.1".to_owned();
    assert_eq!(sent, Sent::AcknowledgedAs { remote_id });
    let request = stage.server.last_request();
    assert_eq!(stage.server.requests().len(), 1);
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, format!("/v25.0/{NUMBER}/messages"));
    assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(request.header("content-type"), "application/json");
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "32",
        "type": "text", "text": { "body": "bonjour" },
    });
    assert_eq!(request.json(), expected);
}

#[tokio::test]
async fn wa_08_three_options_are_buttons_and_four_are_a_list() {
    let stage = Stage::new().await;
    let labels = ["Suivi", "Retour", "Facture", "Conseiller"];
    let three = way(&stage, &labels[..3]).expect("a way");
    assert_eq!(three.kind, OfferKind::Buttons);
    let body = delivered(&stage, &offer(&three, &labels[..3])).await;
    let expected = json!({
        "type": "button", "body": { "text": "What next?" }, "action": { "buttons": [
            { "type": "reply", "reply": { "id": "p:7:0", "title": "Suivi" } },
            { "type": "reply", "reply": { "id": "p:7:1", "title": "Retour" } },
            { "type": "reply", "reply": { "id": "p:7:2", "title": "Facture" } },
        ]},
    });
    assert_eq!(body["type"], "interactive");
    assert_eq!(body["interactive"], expected);

    let four = way(&stage, &labels).expect("a way");
    assert_eq!(four.kind, OfferKind::List);
    let body = delivered(&stage, &offer(&four, &labels)).await;
    let inner = &body["interactive"];
    assert_eq!(inner["type"], "list");
    assert_eq!(inner["action"]["button"], "Options");
    let rows = inner["action"]["sections"][0]["rows"]
        .as_array()
        .expect("rows");
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3], json!({ "id": "p:7:3", "title": "Conseiller" }));
}

#[tokio::test]
async fn wa_09_more_than_ten_options_fit_no_way_and_are_left_to_numbered_text() {
    let stage = Stage::new().await;
    let labels: Vec<String> = (0..11).map(|number| format!("Option {number}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    assert!(way(&stage, &labels).is_none());
    let ten = way(&stage, &labels[..10]).expect("a way");
    let body = delivered(&stage, &offer(&ten, &labels[..10])).await;
    assert_eq!(body["interactive"]["type"], "list");
    // Should one be given all the same, it does not reach the platform.
    let refused = stage
        .source
        .deliver(&contact("32").address, &offer(&ten, &labels))
        .await;
    assert!(is_refused(&refused));
    assert_eq!(stage.server.requests().len(), 1);
}

#[tokio::test]
async fn wa_10_two_buttons_with_one_title_are_never_sent() {
    let stage = Stage::new().await;
    let buttons = stage.source.capabilities().offers[0];
    let sent = stage
        .source
        .deliver(&contact("32").address, &offer(&buttons, &["Oui", "Oui"]))
        .await;
    let refused = Sent::Refused {
        refusal: Refusal::Request,
        detail: "two choices are the same".to_owned(),
    };
    assert_eq!(sent, refused);
    assert!(stage.server.requests().is_empty());
    // The core is told before: two that are the same go into a list, which asks for different ids only.
    let way = way(&stage, &["Oui", "Oui"]).expect("a way");
    assert_eq!(way.kind, OfferKind::List);
    delivered(&stage, &offer(&way, &["Oui", "Oui"])).await;
}

#[tokio::test]
async fn wa_11_a_title_of_25_characters_goes_into_a_list_that_cuts_it_to_24() {
    let stage = Stage::new().await;
    let long = "a".repeat(25);
    let way = way(&stage, &[&long]).expect("a way");
    assert_eq!(
        (way.kind, way.label_chars, way.cuts_labels),
        (OfferKind::List, 24, true)
    );
    delivered(&stage, &offer(&way, &[&long[..24]])).await;
    let refused = stage
        .source
        .deliver(&contact("32").address, &offer(&way, &[&long]))
        .await;
    assert!(is_refused(&refused));
    assert_eq!(stage.server.requests().len(), 1);
}

#[tokio::test]
async fn a_humans_name_stands_before_the_words_if_there_is_room() {
    let human = |words: String| {
        let name = "Lee".to_owned();
        let avatar_url = String::new();
        Item::text(Author::Human { name, avatar_url }, words)
    };
    let stage = Stage::new().await;
    let shown = |body: Value| body["text"]["body"].as_str().map(str::to_owned);
    let body = delivered(&stage, &human("Bonjour".to_owned())).await;
    assert_eq!(shown(body).as_deref(), Some("Lee: Bonjour"));
    for (length, named) in [(4091, true), (4092, false)] {
        let body = delivered(&stage, &human("é".repeat(length))).await;
        let text = shown(body).expect("text");
        assert_eq!(text.starts_with("Lee: "), named, "{length}");
        assert!(text.ends_with(&"é".repeat(length)), "nothing is lost");
    }
    let stage = Stage::with(|config| config.name_humans = false).await;
    let body = delivered(&stage, &human("Bonjour".to_owned())).await;
    assert_eq!(shown(body).as_deref(), Some("Bonjour"));
}

#[tokio::test]
async fn an_offer_without_words_gets_those_of_the_list_button() {
    let stage = Stage::with(|config| config.list_button = "Choisir".to_owned()).await;
    for limits in stage.source.capabilities().offers {
        let mut item = offer(limits, &["Oui"]);
        if let ItemBody::Offer { text, .. } = &mut item.body {
            text.clear();
        }
        let body = delivered(&stage, &item).await;
        assert_eq!(body["interactive"]["body"]["text"], "Choisir");
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_before_it_is_sent() {
    let stage = Stage::new().await;
    let offered = |kind, action| Item {
        author: Author::Agent,
        body: ItemBody::Offer {
            kind,
            text: "Look".to_owned(),
            options: vec![Offered {
                label: "Here".to_owned(),
                action,
            }],
        },
    };
    let link = || OfferedAction::Open {
        link: "https://example.org".to_owned(),
    };
    let choice = OfferedAction::Choose {
        payload: "p:1:0".to_owned(),
    };
    let cards = Item {
        author: Author::Agent,
        body: ItemBody::Cards(Vec::new()),
    };
    for item in [
        offered(OfferKind::Buttons, link()),
        offered(OfferKind::QuickReplies, choice),
        cards,
    ] {
        let sent = stage.source.deliver(&contact("32").address, &item).await;
        assert!(is_refused(&sent), "{sent:?}");
    }
    let sent = stage.source.deliver("nowhere", &text("hello")).await;
    assert!(is_refused(&sent), "{sent:?}");
    assert!(stage.server.requests().is_empty());
}
