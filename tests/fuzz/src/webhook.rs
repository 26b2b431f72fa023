//! Webhooks of every adapter: raw, and verified the way the adapter wants, so that its decoder is reached.
//!
//! An input looks like a request. Before it stand a digit, which says how the adapter is configured, and `s` or `r`: what
//! follows is shown to the adapter as it is, or signed first.

mod request;
mod sign;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use parloir::domain::{
    inbound::{Webhook, WebhookRefusal},
    ports::{Agent, Source},
    source::{Received, SourceBody, SourceEvent, Words},
};

use self::{
    request::Input,
    sign::{Shown, Signer},
};
use crate::stage;

pub fn zendesk(input: &[u8]) {
    static AGENTS: OnceLock<Vec<Arc<dyn Agent>>> = OnceLock::new();
    /// In the order of `stage.toml`.
    const SIGNERS: [Signer; 7] = [
        sign::none,
        sign::path_token,
        sign::static_header,
        sign::hex_prefixed,
        sign::base64_with_time,
        sign::zendesk_support,
        sign::standard_webhooks,
    ];
    let agents = AGENTS.get_or_init(stage::agents);
    let Some((input, mut webhook)) = Input::read(input) else {
        return;
    };
    let which = input.which % agents.len();
    let shown = if input.signed {
        SIGNERS[which](&mut webhook)
    } else {
        Shown::Nothing
    };
    let received = agents[which].receive(&webhook);
    keeps_its_words(&webhook);
    // The first takes whatever comes.
    let needs_proof = which != 0;
    if needs_proof && shown == Shown::Nothing {
        assert!(is_unverified(&received), "believed unproven");
    }
    if shown == Shown::Proof {
        assert!(!is_unverified(&received), "proven and not believed");
    }
    assert_eq!(
        received,
        agents[which].receive(&webhook),
        "read differently twice"
    );
}

pub fn social_connect(input: &[u8]) {
    static SOURCES: OnceLock<Vec<Arc<dyn Source>>> = OnceLock::new();
    let sources = SOURCES.get_or_init(|| stage::sources("social-connect"));
    receive(input, sources, &[sign::social_connect, sign::path_token]);
}

pub fn messenger(input: &[u8]) {
    static SOURCES: OnceLock<Vec<Arc<dyn Source>>> = OnceLock::new();
    let sources = SOURCES.get_or_init(|| stage::sources("messenger"));
    receive(input, sources, &[sign::meta]);
}

pub fn whatsapp(input: &[u8]) {
    static SOURCES: OnceLock<Vec<Arc<dyn Source>>> = OnceLock::new();
    let sources = SOURCES.get_or_init(|| stage::sources("whatsapp"));
    receive(input, sources, &[sign::meta]);
}

pub fn live_person(input: &[u8]) {
    static SOURCES: OnceLock<Vec<Arc<dyn Source>>> = OnceLock::new();
    let sources = SOURCES.get_or_init(|| stage::sources("live-person"));
    receive(input, sources, &[sign::live_person]);
}

pub fn help_scout(input: &[u8]) {
    static SOURCES: OnceLock<Vec<Arc<dyn Source>>> = OnceLock::new();
    let sources = SOURCES.get_or_init(|| stage::sources("help-scout"));
    receive(input, sources, &[sign::help_scout]);
}

fn receive(input: &[u8], sources: &[Arc<dyn Source>], signers: &[Signer]) {
    let Some((input, mut webhook)) = Input::read(input) else {
        return;
    };
    let which = input.which % sources.len();
    let shown = if input.signed {
        signers[which](&mut webhook)
    } else {
        Shown::Nothing
    };
    let received = sources[which].receive(&webhook);
    keeps_its_words(&webhook);
    match &received {
        Ok(received) => {
            assert!(
                shown != Shown::Nothing || received.events.is_empty(),
                "believed unproven"
            );
            received.events.iter().for_each(is_sound);
        }
        Err(refusal) => assert!(
            shown != Shown::Proof || !refusal.is_unverified(),
            "proven and not believed"
        ),
    }
    let again = sources[which].receive(&webhook);
    assert_eq!(told(&received), told(&again), "read differently twice");
}

fn is_unverified<T>(received: &Result<T, WebhookRefusal>) -> bool {
    received.as_ref().is_err_and(WebhookRefusal::is_unverified)
}

fn told(received: &Result<Received, WebhookRefusal>) -> Result<&[SourceEvent], &WebhookRefusal> {
    received.as_ref().map(|received| received.events.as_slice())
}

/// What the port promises of an event.
pub fn is_sound(event: &SourceEvent) {
    if let SourceBody::Message {
        words: Words::Text(text),
        ..
    } = &event.body
    {
        assert!(!text.trim().is_empty(), "blank words");
    }
    if let Some(contact) = &event.contact {
        assert!(!contact.key.is_empty(), "a contact without a key");
        assert!(!contact.address.is_empty(), "a contact without an address");
    }
    assert_ne!(event.event_id.as_deref(), Some(""), "an empty event id");
}

/// What is printed of a webhook tells nothing of its body.
fn keeps_its_words(webhook: &Webhook) {
    /// Shorter ones may stand in the print by chance.
    const LEAST: usize = 24;
    let printed = format!("{webhook:?}");
    if webhook.body.len() >= LEAST
        && let Ok(body) = std::str::from_utf8(&webhook.body)
    {
        // A header's name may well be repeated in a body; the values are what must not be shown.
        let in_names = webhook
            .headers
            .keys()
            .any(|name| name.as_str().contains(body));
        assert!(in_names || !printed.contains(body), "a body is printed");
    }
}

/// The address of a visitor at each system that is called, by the system's name: that of the one who speaks in a seed.
pub fn addresses() -> HashMap<&'static str, String> {
    let seeds: [(&str, &[u8], Signer); 4] = [
        (
            "social-connect",
            include_bytes!("../corpus/social_connect_webhook/mention"),
            sign::social_connect,
        ),
        (
            "messenger",
            include_bytes!("../corpus/messenger_webhook/text"),
            sign::meta,
        ),
        (
            "whatsapp",
            include_bytes!("../corpus/whatsapp_webhook/text"),
            sign::meta,
        ),
        (
            "help-scout",
            include_bytes!("../corpus/help_scout_webhook/created"),
            sign::help_scout,
        ),
    ];
    seeds
        .into_iter()
        .map(|(name, seed, signer)| {
            let (_, mut webhook) = Input::read(seed).expect("a seed");
            signer(&mut webhook);
            let received = stage::sources(name)[0].receive(&webhook);
            let events = received.expect("a seed that is taken").events;
            let contact = events.into_iter().find_map(|event| event.contact);
            (
                name,
                contact
                    .unwrap_or_else(|| panic!("{name}: nobody speaks in the seed"))
                    .address,
            )
        })
        .collect()
}
