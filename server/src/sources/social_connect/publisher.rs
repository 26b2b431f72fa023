//! Messages out: one call each, and the look at what was published when a call's end is unclear.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    address::Address,
    budget::Share,
    client::{Client, Failure, ours},
    config::SocialConnectConfig,
    mention,
    text::plain,
};
use crate::domain::{
    Timestamp,
    outbound::{Refusal, Sent},
    source::{Arrival, Author, Item, ItemBody, NotRead},
};

const ADD: &[&str] = &["publisher", "add"];
const PUBLISHED: &[&str] = &["publisher", "mentions"];

/// How long after it was sent a message may still turn up: the vendor's own clients wait as long for an answer.
const TURNS_UP: Duration = Duration::from_secs(30);
/// The vendor's times are whole seconds of another clock.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

/// Publishes one message. Under `approval_fallback` a refused one is put before a human instead.
pub(super) async fn publish(
    client: &Client,
    at: &Address,
    item: &Item,
    config: &SocialConnectConfig,
) -> Result<Sent, Failure> {
    let text = signed(item, config).ok_or_else(|| ours("only text can be shown here"))?;
    if at.profile.is_empty() {
        return Err(ours(&format!(
            "no profile to answer from is known: set profiles.{}",
            at.channel
        )));
    }
    match add(client, at, &text, "queued").await {
        Err(Failure::Refused(refused))
            if config.approval_fallback && refused.refusal == Refusal::Credentials =>
        {
            add(client, at, &text, "awaitingapproval").await
        }
        done => done,
    }
}

/// Whether the message was published at or after `since`. What the vendor tells of published messages is hardly
/// documented, so "missing" is said only of a list that certainly holds them all.
pub(super) async fn find(
    client: &Client,
    at: &Address,
    item: &Item,
    since: Timestamp,
    config: &SocialConnectConfig,
) -> Result<Arrival, NotRead> {
    let Some(text) = signed(item, config) else {
        return Ok(Arrival::Missing);
    };
    let list = client.get(Share::Messages, PUBLISHED, &[]).await?;
    let published = list["data"].as_array().or_else(|| list.as_array());
    let published = published.ok_or_else(|| untold("it is no list"))?;
    let said = comparable(&text);
    let mut alike = published.iter().filter(|one| {
        is_since(one, since) && words(one).is_some_and(|words| is_same(&comparable(&words), &said))
    });
    if let Some(found) = alike.clone().find(|one| names(one, at)) {
        let remote_id = mention::id(&found["id"]).unwrap_or_default();
        return Ok(Arrival::Arrived { remote_id });
    }
    if alike.next().is_some() {
        return Err(untold("the same words were published, and not to whom"));
    }
    if !reaches_back(&list, published, since) || published.iter().any(|one| words(one).is_none()) {
        return Err(untold("it is not whole, or without words"));
    }
    let age = client.clock().now().since(since);
    if age < TURNS_UP {
        let after = Some(TURNS_UP.saturating_sub(age));
        return Err(NotRead::Later { after });
    }
    Ok(Arrival::Missing)
}

/// The words of an item as they are published; a human's begin with the human's name, if that is wanted and fits.
fn signed(item: &Item, config: &SocialConnectConfig) -> Option<String> {
    let ItemBody::Text(text) = &item.body else {
        return None;
    };
    let named = match &item.author {
        Author::Human { name, .. } if config.name_humans && !name.trim().is_empty() => {
            Some(format!("{}: {text}", name.trim()))
        }
        _ => None,
    };
    let named = named.filter(|named| named.chars().count() <= config.text_chars);
    Some(named.unwrap_or_else(|| text.clone()))
}

async fn add(client: &Client, at: &Address, text: &str, status: &str) -> Result<Sent, Failure> {
    let services = json!([{ "type": at.channel, "service_id": at.profile }]).to_string();
    let form = [
        ("type", "privatemessage"),
        ("services", services.as_str()),
        ("message", text),
        ("status", status),
        ("topic_id", &at.topic_id),
        ("mention_id", &at.mention_id),
    ];
    let added = client.post(Share::Messages, ADD, &form).await?;
    let published = mention::id(&added["publisher_mention"]["id"]);
    Ok(match published {
        Some(remote_id) => Sent::AcknowledgedAs { remote_id },
        None => Sent::Acknowledged,
    })
}

/// The words of a published message. Its fields are not documented: those of a mention, or those that were sent.
fn words(published: &Value) -> Option<String> {
    let message = &published["message"];
    let words = message.as_str().or_else(|| message["content"].as_str());
    words
        .or_else(|| published["content"].as_str())
        .map(str::to_owned)
}

fn date(published: &Value) -> Option<Timestamp> {
    let date = &published["date"];
    let seconds = date
        .as_i64()
        .or_else(|| mention::added(published).map(|added| added.0 / 1_000_000))?;
    Some(Timestamp(seconds.checked_mul(1_000_000)?))
}

fn is_since(published: &Value, since: Timestamp) -> bool {
    date(published).is_none_or(|date| date + CLOCKS_DIFFER >= since)
}

/// The contact, or the message that was answered, stands anywhere in it.
fn names(published: &Value, at: &Address) -> bool {
    match published {
        Value::Array(values) => values.iter().any(|value| names(value, at)),
        Value::Object(fields) => fields.values().any(|value| names(value, at)),
        value => mention::id(value).is_some_and(|id| id == at.mention_id || id == at.service_id),
    }
}

/// There is no further page, or this one is in falling order and ends before `since`.
fn reaches_back(list: &Value, published: &[Value], since: Timestamp) -> bool {
    let dates: Option<Vec<_>> = published.iter().map(date).collect();
    list["paging"]["next_url"]
        .as_str()
        .is_none_or(str::is_empty)
        || dates.is_some_and(|dates| {
            let is_falling = dates.is_sorted_by(|one, next| one >= next);
            is_falling
                && dates
                    .last()
                    .is_some_and(|last| *last + CLOCKS_DIFFER < since)
        })
}

/// A text as it is, and as the words of an HTML text, without its blanks: it may come back either way.
fn comparable(text: &str) -> [String; 2] {
    [text.to_owned(), plain(text)].map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn is_same(one: &[String; 2], other: &[String; 2]) -> bool {
    one.iter().any(|one| other.contains(one))
}

fn untold(why: &str) -> NotRead {
    NotRead::Refused {
        detail: format!("the list of published messages does not tell: {why}"),
    }
}
