//! Checks FB-26 to FB-34: what a visitor is shown, within the platform's limits. Splitting and cutting is the
//! renderer's: here stands what limits it is told, that they are the platform's own, and the shape of what fits.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        address::Address,
        send::{self, Grounds, NotHuman},
    },
    fake::{PAGE, TOKEN},
    fixture::{Fixture, lee, said},
};
use crate::domain::{
    outbound::{Refusal, Sent},
    ports::Source,
    source::{Author, Item, ItemBody, OfferKind, OfferLimits, Offered, OfferedAction, OfferedCard},
};

fn choose(label: &str) -> Offered {
    Offered {
        label: label.to_owned(),
        action: OfferedAction::Choose {
            payload: "p:7:1".to_owned(),
        },
    }
}

fn offer(kind: OfferKind, text: &str, options: usize) -> Item {
    Item {
        author: Author::Agent,
        body: ItemBody::Offer {
            kind,
            text: text.to_owned(),
            options: vec![choose("Track it"); options],
        },
    }
}

fn card(title: &str, description: &str) -> OfferedCard {
    OfferedCard {
        title: title.to_owned(),
        description: description.to_owned(),
        image_url: String::new(),
        options: Vec::new(),
    }
}

fn cards(cards: Vec<OfferedCard>) -> Item {
    Item {
        author: Author::Agent,
        body: ItemBody::Cards(cards),
    }
}

fn is_shown(sent: &Sent) -> bool {
    matches!(sent, Sent::AcknowledgedAs { .. })
}

/// Sends what fits exactly, and what is over by one: the platform takes the one and refuses the other.
async fn assert_limit(fits: Item, over: Item) {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let sent = fixture.deliver("ana", &fits).await;
    assert!(is_shown(&sent), "{sent:?}");
    let sent = fixture.deliver("ana", &over).await;
    let Sent::Refused { refusal, .. } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::Request);
    assert_eq!(fixture.fake.shown("ana").len(), 1);
}

/// The message that an item becomes.
async fn shown(item: Item) -> Value {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let sent = fixture.deliver("ana", &item).await;
    assert!(is_shown(&sent), "{sent:?}");
    fixture.fake.shown("ana").remove(0)
}

async fn limits(kind: OfferKind) -> OfferLimits {
    let fixture = Fixture::new().await;
    let mut offers = fixture.source.capabilities().offers.iter();
    *offers
        .find(|limits| limits.kind == kind)
        .expect("it is offered")
}

#[tokio::test]
async fn a_message_is_one_post_to_the_page_with_the_token_in_its_header() {
    let fixture = Fixture::new().await;
    let sent = fixture.answers("ana").await;
    let remote_id = "m_out_ana_1".to_owned();
    assert_eq!(sent, Sent::AcknowledgedAs { remote_id });
    assert_eq!(fixture.server.requests().len(), 1);
    let request = fixture.server.last_request();
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, format!("/v25.0/{PAGE}/messages"));
    assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"));
    let expected = json!({
        "recipient": { "id": "ana" }, "messaging_type": "RESPONSE",
        "message": { "text": "hello", "metadata": "agent" },
    });
    assert_eq!(request.json(), expected);
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_a_slash_at_its_end() {
    let fixture = Fixture::with(|config| config.base_url.push_str("/graph/")).await;
    fixture.answers("ana").await;
    let path = format!("/graph/v25.0/{PAGE}/messages");
    assert_eq!(fixture.server.last_request().path, path);
}

#[tokio::test]
async fn a_humans_words_carry_their_author_and_the_name_that_the_platform_cannot_show() {
    let message = shown(lee("Bonjour")).await;
    assert_eq!(
        message,
        json!({ "text": "Lee: Bonjour", "metadata": "human" })
    );
    let long = "é".repeat(send::TEXT_CHARS);
    assert_eq!(
        shown(lee(&long)).await["text"],
        long,
        "a name that does not fit is left out"
    );

    let unnamed = Fixture::with(|config| config.name_humans = false).await;
    unnamed.says("ana", "m_1");
    unnamed.deliver("ana", &lee("Bonjour")).await;
    assert_eq!(unnamed.fake.shown("ana")[0]["text"], "Bonjour");
}

#[tokio::test]
async fn fb_26_thirteen_quick_replies_are_the_most() {
    let limits = limits(OfferKind::QuickReplies).await;
    assert_eq!((limits.max_options, limits.label_chars), (13, 20));
    let replies = |count| offer(OfferKind::QuickReplies, "What next?", count);
    assert_limit(replies(13), replies(14)).await;
    let message = shown(replies(1)).await;
    assert_eq!(message["text"], "What next?");
    let reply = json!({ "content_type": "text", "title": "Track it", "payload": "p:7:1" });
    assert_eq!(message["quick_replies"], json!([reply]));
}

#[tokio::test]
async fn fb_27_three_buttons_are_the_most_and_quick_replies_come_next() {
    let fixture = Fixture::new().await;
    let kinds: Vec<_> = fixture
        .source
        .capabilities()
        .offers
        .iter()
        .map(|limits| limits.kind)
        .collect();
    assert_eq!(kinds, [OfferKind::Buttons, OfferKind::QuickReplies]);
    let limits = limits(OfferKind::Buttons).await;
    assert_eq!((limits.max_options, limits.label_chars), (3, 20));
    let buttons = |count| offer(OfferKind::Buttons, "What next?", count);
    assert_limit(buttons(3), buttons(4)).await;
    let labelled = |label: String| Item {
        author: Author::Agent,
        body: ItemBody::Offer {
            kind: OfferKind::Buttons,
            text: "What next?".to_owned(),
            options: vec![choose(&label)],
        },
    };
    assert_limit(labelled("é".repeat(20)), labelled("é".repeat(21))).await;
}

#[tokio::test]
async fn fb_28_a_text_above_buttons_has_640_characters_at_most() {
    assert_eq!(limits(OfferKind::Buttons).await.text_chars, 640);
    let buttons = |chars| offer(OfferKind::Buttons, &"é".repeat(chars), 2);
    assert_limit(buttons(640), buttons(641)).await;
}

#[tokio::test]
async fn buttons_are_a_template_in_which_links_stand_beside_choices() {
    let open = Offered {
        label: "Terms".to_owned(),
        action: OfferedAction::Open {
            link: "https://example.org/terms".to_owned(),
        },
    };
    let item = Item {
        author: Author::Agent,
        body: ItemBody::Offer {
            kind: OfferKind::Buttons,
            text: "What next?".to_owned(),
            options: vec![choose("Track it"), open],
        },
    };
    let expected = json!({ "metadata": "agent", "attachment": { "type": "template", "payload": {
        "template_type": "button", "text": "What next?", "buttons": [
            { "type": "postback", "title": "Track it", "payload": "p:7:1" },
            { "type": "web_url", "title": "Terms", "url": "https://example.org/terms" },
        ],
    } } });
    assert_eq!(shown(item).await, expected);
}

#[tokio::test]
async fn fb_29_ten_cards_are_the_most() {
    let fixture = Fixture::new().await;
    let limits = fixture.source.capabilities().cards.expect("cards");
    assert_eq!((limits.max_cards, limits.max_buttons), (10, 3));
    let many = |count| cards(vec![card("Mug", "Blue"); count]);
    assert_limit(many(10), many(11)).await;
}

#[tokio::test]
async fn a_card_is_an_element_of_a_generic_template() {
    let whole = OfferedCard {
        image_url: "https://example.org/mug.png".to_owned(),
        options: vec![choose("Choose")],
        ..card("Mug", "Blue")
    };
    let expected = json!({ "metadata": "agent", "attachment": { "type": "template", "payload": {
        "template_type": "generic", "elements": [{
            "title": "Mug", "subtitle": "Blue", "image_url": "https://example.org/mug.png",
            "buttons": [{ "type": "postback", "title": "Choose", "payload": "p:7:1" }],
        }],
    } } });
    assert_eq!(shown(cards(vec![whole])).await, expected);
}

#[tokio::test]
async fn fb_30_a_card_that_has_only_a_title_gets_a_subtitle() {
    let elements = |message: Value| message["attachment"]["payload"]["elements"].clone();
    let message = shown(cards(vec![
        card("Mug", ""),
        card("", "Blue"),
        card(" ", ""),
    ]))
    .await;
    let expected = json!([
        { "title": "Mug", "subtitle": "Mug" },
        { "title": "Blue", "subtitle": "Blue" },
        { "title": "…", "subtitle": "…" },
    ]);
    assert_eq!(elements(message), expected);
}

#[tokio::test]
async fn fb_31_a_title_has_80_characters_at_most() {
    let fixture = Fixture::new().await;
    let limits = fixture.source.capabilities().cards.expect("cards");
    assert_eq!((limits.title_chars, limits.description_chars), (80, 80));
    let titled = |chars| cards(vec![card(&"é".repeat(chars), "Blue")]);
    assert_limit(titled(80), titled(81)).await;
    let described = |chars| cards(vec![card("Mug", &"é".repeat(chars))]);
    assert_limit(described(80), described(81)).await;
}

#[tokio::test]
async fn fb_32_a_text_has_2000_characters_at_most_and_pieces_are_shown_in_order() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.source.capabilities().text_chars, 2000);
    assert_limit(said(&"é".repeat(2000)), said(&"é".repeat(2001))).await;
    fixture.says("ana", "m_1");
    let pieces = ["a".repeat(2000), "b".repeat(2000), "c".repeat(500)];
    for piece in &pieces {
        assert!(is_shown(&fixture.deliver("ana", &said(piece)).await));
    }
    let shown = fixture.fake.shown("ana");
    let texts: Vec<_> = shown
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect();
    assert_eq!(texts, pieces);
}

#[tokio::test]
async fn fb_33_after_a_day_an_agent_may_not_write_and_the_platform_is_believed() {
    let fixture = Fixture::with(|config| config.human_agent_tag = true).await;
    fixture.fake.approve_human_agent();
    let window = fixture.source.capabilities().agent_window;
    assert_eq!(window, Some(Duration::from_hours(24)));
    fixture.says("ana", "m_1");
    fixture.pass_time(Duration::from_hours(25));
    let sent = fixture.deliver("ana", &said("still there?")).await;
    let Sent::Refused { refusal, .. } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::WindowClosed);
    assert_eq!(
        fixture.fake.calls().len(),
        1,
        "once, and never as if it were human"
    );
}

#[tokio::test]
async fn fb_34_an_agents_message_can_not_be_sent_as_a_humans() {
    let tagged = send::body("ana", &said("hello"), true, Grounds::HumanAgent);
    assert_eq!(tagged, Err(NotHuman));
}

#[tokio::test]
async fn a_human_may_write_for_a_week_where_the_platform_allows_it() {
    let fixture = Fixture::with(|config| config.human_agent_tag = true).await;
    let window = fixture.source.capabilities().human_window;
    assert_eq!(window, Some(Duration::from_hours(7 * 24)));
    fixture.fake.approve_human_agent();
    fixture.says("ana", "m_1");
    fixture.deliver("ana", &lee("today")).await;
    fixture.pass_time(Duration::from_hours(6 * 24));
    let sent = fixture.deliver("ana", &lee("within the week")).await;
    assert!(is_shown(&sent), "{sent:?}");
    let calls = fixture.fake.calls_to("messages");
    let tags: Vec<_> = calls.iter().map(|call| call.body["tag"].as_str()).collect();
    assert_eq!(tags, [None, None, Some("HUMAN_AGENT")]);
    assert_eq!(calls[2].body["messaging_type"], "MESSAGE_TAG");

    fixture.pass_time(Duration::from_hours(2 * 24));
    let sent = fixture.deliver("ana", &lee("too late")).await;
    let Sent::Refused { refusal, .. } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(refusal, Refusal::WindowClosed);
}

#[tokio::test]
async fn without_the_platforms_leave_a_humans_window_is_a_day_too() {
    let fixture = Fixture::new().await;
    let window = fixture.source.capabilities().human_window;
    assert_eq!(window, Some(Duration::from_hours(24)));
    fixture.says("ana", "m_1");
    fixture.pass_time(Duration::from_hours(25));
    fixture.deliver("ana", &lee("hello")).await;
    let calls = fixture.fake.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].body.get("tag"), None);
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_refused_before_anything_leaves() {
    let fixture = Fixture::new().await;
    for address in ["", "{}", "{\"psid\":\"\"}", "+33612345678"] {
        let sent = fixture.source.deliver(address, &said("hello")).await;
        let Sent::Refused { detail, .. } = sent else {
            panic!("{sent:?}");
        };
        assert!(!detail.contains("336"), "{detail}");
    }
    assert!(fixture.server.requests().is_empty());
    assert_eq!(Address::write("ana"), r#"{"psid":"ana"}"#);
}
