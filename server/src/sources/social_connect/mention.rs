//! A mention, which is what Social Connect calls a message: what it tells, and what nobody must answer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    address::Address,
    config::{Ownership, SocialConnectConfig},
    escape::is_segment,
    tag,
    text::plain,
};
use crate::domain::{
    HumanMessage, HumanMessageKind, Timestamp, Visitor,
    source::{Contact, Observed, SourceBody, SourceEvent, Words},
};

/// Channels whose addresses name our own profile in their path.
const TELLING_HOSTS: &[&str] = &["twitter.com", "x.com", "facebook.com"];

/// What a mention comes to.
#[derive(Debug)]
pub(super) enum Heard {
    Events(Vec<SourceEvent>),
    /// Nothing to record and nothing to answer, for this reason.
    Nothing(&'static str),
    /// It belongs to an account or a topic that is not ours, by this setting.
    Foreign(&'static str),
}

/// Where a mention comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Signed by the vendor, or asked for.
    Vendor,
    /// Posted by whoever knows the address.
    Anybody,
}

/// Decodes one mention. `raw` is its text.
pub(super) fn hear(
    mention: &Value,
    raw: String,
    origin: Origin,
    config: &SocialConnectConfig,
) -> Heard {
    if account(mention).is_some_and(|account| account != config.account_id) {
        return Heard::Foreign("account_id");
    }
    if id(&mention["topic"]["id"]).is_some_and(|topic| !is_our_topic(&topic, config)) {
        return Heard::Foreign("topic_ids");
    }
    let (Some(id), Some(kind)) = (id(&mention["id"]), mention["message"]["type"].as_str()) else {
        return Heard::Events(vec![unknown("not a mention", mention, raw)]);
    };
    if kind != "privatemessage" {
        return Heard::Nothing("it is public");
    }
    if is_ignored(mention, config) {
        return Heard::Nothing("its channel is ignored");
    }
    if is_true(&mention["author"]["managed"]) {
        return from_the_brand(mention, &id, raw, config);
    }
    if !mention["handled_by"]["flow_id"].is_null() {
        return Heard::Nothing("a flow of the platform handles it");
    }
    let Some(address) = address(mention, &id, &mention["author"]["id"], config) else {
        return Heard::Events(vec![unknown("mention without an author", mention, raw)]);
    };
    Heard::Events(from_a_visitor(mention, &address, raw, origin, config))
}

/// The account that a mention belongs to, if it tells: the first number behind `/messages/` in its address.
pub(super) fn account(mention: &Value) -> Option<String> {
    let (_, rest) = mention["permalink"].as_str()?.split_once("/messages/")?;
    let account = rest.split('/').next().unwrap_or_default();
    (!account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| account.to_owned())
}

/// An id as text, whether it came as text or as a number.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The content as plain text.
pub(super) fn words(mention: &Value) -> String {
    plain(mention["message"]["content"].as_str().unwrap_or_default())
}

/// When it was added.
pub(super) fn added(mention: &Value) -> Option<Timestamp> {
    let date = &mention["date"];
    let seconds = date["added"]
        .as_i64()
        .or_else(|| date["published"].as_i64())?;
    Some(Timestamp(seconds.checked_mul(1_000_000)?))
}

fn from_a_visitor(
    mention: &Value,
    address: &Address,
    raw: String,
    origin: Origin,
    config: &SocialConnectConfig,
) -> Vec<SourceEvent> {
    let text = words(mention);
    let body = if text.is_empty() {
        SourceBody::Unknown {
            event_type: "private message without text".to_owned(),
            raw,
        }
    } else {
        SourceBody::Message {
            words: Words::Text(text),
            visitor: visitor(mention),
            parameters: Vec::new(),
            raw,
        }
    };
    let event_id = event_id(mention, address);
    let mut message = event(address, body);
    message.occurred_at = added(mention);
    message.event_id = Some(event_id.clone());
    if config.ownership == Ownership::Handover {
        return vec![message];
    }
    let tags = &mention["author"]["tags"];
    if origin == Origin::Vendor
        && let Some(owner) = tag::owner(tags, &config.tag)
    {
        message.owner = Some(Observed::pushed(owner));
        return vec![message];
    }
    // Whether the contact is tagged is not told, or not to be believed: it must be asked, and before the agent is.
    let mut doubt = event(address, SourceBody::Doubt);
    doubt.event_id = Some(format!("doubt:{event_id}"));
    vec![doubt, message]
}

/// Our own publications come back as well: told apart by the application that sent them.
fn from_the_brand(mention: &Value, id: &str, raw: String, config: &SocialConnectConfig) -> Heard {
    let application = mention["source"]["application"]
        .as_str()
        .unwrap_or_default();
    // A name that is not set is nobody's, and a message without one is not ours.
    let is_ours = !application.is_empty()
        && [&config.application_name, &config.client_id]
            .map(String::as_str)
            .contains(&application);
    if !config.record_brand_messages || is_ours {
        return Heard::Nothing("the brand sent it");
    }
    // Whose conversation it is stands in one place only, if at all; answered is still the visitor's message.
    let answered = self::id(&mention["source"]["in_reply_to_message_id"]);
    let answered = answered.unwrap_or_else(|| id.to_owned());
    let to = &mention["original_author"]["id"];
    let Some(address) = address(mention, &answered, to, config) else {
        return Heard::Nothing("the brand sent it, to whom is not said");
    };
    let text = words(mention);
    if text.is_empty() {
        return Heard::Nothing("the brand sent it, without words");
    }
    let body = SourceBody::Human(HumanMessage {
        message_id: id.to_owned(),
        kind: HumanMessageKind::Text,
        text,
        name: name(mention).unwrap_or_default(),
        avatar_url: String::new(),
        queue_position: None,
        waiting_time: None,
        from_source: true,
        raw,
    });
    let mut event = event(&address, body);
    event.event_id =
        Some(unique_id(mention).unwrap_or_else(|| format!("{}_{id}", address.topic_id)));
    event.occurred_at = added(mention);
    event.contact_must_exist = true;
    Heard::Events(vec![event])
}

fn is_our_topic(topic: &str, config: &SocialConnectConfig) -> bool {
    let ours = &config.topic_ids;
    ours.is_empty() || ours.split(',').any(|one| one == topic)
}

fn is_ignored(mention: &Value, config: &SocialConnectConfig) -> bool {
    channel(mention).is_some_and(|channel| {
        let mut ignored = config.ignored_channels.iter();
        ignored.any(|one| one.trim().to_lowercase() == channel)
    })
}

fn channel(mention: &Value) -> Option<String> {
    Some(mention["source"]["service"].as_str()?.trim().to_lowercase())
}

fn event(address: &Address, body: SourceBody) -> SourceEvent {
    let contact = Contact {
        key: address.key(),
        address: address.write(),
    };
    SourceEvent::of(contact, body)
}

fn unknown(what: &str, mention: &Value, raw: String) -> SourceEvent {
    let event_type = what.to_owned();
    let mut event = SourceEvent::apart(SourceBody::Unknown { event_type, raw });
    // Not of the raw text: a look finds the same with other blanks.
    let digest = Sha256::digest(mention.to_string().as_bytes());
    event.event_id = Some(format!("unknown:{}", URL_SAFE_NO_PAD.encode(digest)));
    event
}

/// `None`: it does not say whom to answer, or where.
fn address(
    mention: &Value,
    mention_id: &str,
    contact: &Value,
    config: &SocialConnectConfig,
) -> Option<Address> {
    let channel = channel(mention)?;
    let service_id = id(contact).filter(|id| is_segment(id))?;
    let profile = config.profiles.get(&channel).cloned();
    Some(Address {
        service: config.services.get(&channel).unwrap_or(&channel).clone(),
        service_id,
        topic_id: id(&mention["topic"]["id"])?,
        mention_id: mention_id.to_owned(),
        profile: profile.or_else(|| profile_of(mention)).unwrap_or_default(),
        channel,
    })
    .filter(|address| is_segment(&address.channel) && is_segment(&address.service))
}

/// Our own profile that was written to, as far as the mention tells.
fn profile_of(mention: &Value) -> Option<String> {
    let source = &mention["source"];
    if let Some(profile) = id(&source["profile"]) {
        return Some(profile);
    }
    let url = Url::parse(source["url"].as_str()?).ok()?;
    let host = url.host_str()?;
    let tells = |telling: &&&str| {
        host.strip_suffix(**telling)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    TELLING_HOSTS.iter().find(tells)?;
    let is_number =
        |segment: &&str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    url.path_segments()?.find(is_number).map(str::to_owned)
}

fn event_id(mention: &Value, address: &Address) -> String {
    let made = || format!("{}_{}", address.topic_id, address.mention_id);
    unique_id(mention).unwrap_or_else(made)
}

fn unique_id(mention: &Value) -> Option<String> {
    id(&mention["unique_id"])
}

fn visitor(mention: &Value) -> Option<Visitor> {
    Some(Visitor {
        visitor_id: String::new(),
        display_name: name(mention)?,
        language: id(&mention["message"]["language"]).unwrap_or_default(),
    })
}

fn name(mention: &Value) -> Option<String> {
    let author = &mention["author"];
    id(&author["fullname"]).or_else(|| id(&author["name"]))
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "false"),
        _ => false,
    }
}
