//! The inbox: messages as the vendor writes them, and their pages.

use serde_json::{Value, json};

use super::{
    settings::Settings,
    state::{Mention, State},
    wire::{Answered, Asked, INVALID},
};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// `/inbox/mentions`.
pub(super) fn list(state: &State, settings: &Settings, asked: &Asked, token: &str) -> Answered {
    let number = |name: &str| asked.parameter(name).map(str::parse::<usize>).transpose();
    let limit = number("limit")
        .map_err(|_| INVALID)?
        .unwrap_or(DEFAULT_LIMIT);
    let offset = number("page_token").map_err(|_| INVALID)?.unwrap_or(0);
    let from = asked
        .parameter("date_from")
        .map(humantime::parse_rfc3339)
        .transpose();
    let from = from.map_err(|_| INVALID)?.map_or(0, seconds);
    let topic = settings.topic_id.to_string();
    let is_ours = asked
        .parameter("topic_ids")
        .is_none_or(|ids| ids.split(',').any(|id| id == topic));
    let mut mentions: Vec<&Mention> = state
        .mentions
        .iter()
        .filter(|one| one.added >= from && is_ours)
        .collect();
    match asked.parameter("sort").unwrap_or("dateadd:desc") {
        "dateadd:asc" => {}
        "dateadd:desc" => mentions.reverse(),
        _ => return Err(INVALID),
    }
    if limit > MAX_LIMIT {
        return Err(INVALID);
    }
    let count = mentions.len();
    let page: Vec<_> = mentions
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|one| view(state, settings, one))
        .collect();
    let next = offset + page.len();
    let next_url =
        (next < count && !page.is_empty()).then(|| next_url(settings, asked, token, next));
    Ok(json!({ "count": count, "data": page, "paging": { "next_url": next_url } }))
}

/// With the token in it, as the vendor's are.
fn next_url(settings: &Settings, asked: &Asked, token: &str, next: usize) -> String {
    let kept = asked
        .query
        .iter()
        .filter(|(name, _)| name != "page_token" && name != "access_token");
    let mut query: Vec<_> = kept
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    query.push(format!("page_token={next}"));
    query.push(format!("access_token={token}"));
    let (host, account) = (&asked.host, &settings.account_id);
    format!("http://{host}/{account}/inbox/mentions?{}", query.join("&"))
}

/// A message as it is listed and posted.
pub(super) fn view(state: &State, settings: &Settings, mention: &Mention) -> Value {
    let Settings {
        account_id,
        topic_id,
        profile,
        ..
    } = settings;
    let Mention {
        id, contact, added, ..
    } = mention;
    let to = mention.sent_by.as_ref().map(|_| &contact.id);
    json!({
        "id": id,
        "unique_id": format!("{topic_id}_{id}"),
        "topic": { "id": topic_id, "name": "Care" },
        "project": { "id": 3013, "name": "Brand" },
        "message": {
            "title": null, "content": html(&mention.text), "type": "privatemessage", "language": "fr",
            "sentiment": "neutral", "attachments": [],
        },
        "source": {
            "category": "social", "service": contact.channel, "id": format!("s-{id}"), "application": mention.sent_by,
            "profile": profile, "in_reply_to_message_id": null,
            "url": format!("https://example.org/{profile}/dm"),
        },
        "author": author(state, settings, mention),
        "original_author": { "id": to },
        "status": "new",
        "tags": [],
        "permalink": format!("https://app.engagor.com/messages/{account_id}/permalink/{topic_id}/{id}/"),
        "handled_by": null,
        "assignment": { "user_ids": [], "team_ids": [], "comments": "" },
        "action_links": [],
        "date": { "added": added, "published": added },
        "priority": null,
    })
}

fn author(state: &State, settings: &Settings, mention: &Mention) -> Value {
    let contact = &mention.contact;
    if mention.sent_by.is_some() {
        let id = &settings.profile;
        return json!({ "id": id, "name": "brand", "fullname": "The brand", "managed": true, "tags": [] });
    }
    let mut author =
        json!({ "id": contact.id, "name": "visitor", "fullname": "A visitor", "managed": false });
    if settings.tells_tags {
        let key = (contact.service().to_owned(), contact.id.clone());
        let known = state.contacts.get(&key);
        author["tags"] = known.map_or_else(|| json!([]), |known| json!(known.tags));
    }
    author
}

fn html(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<p>{}</p>", text.replace('\n', "<br />"))
}

fn seconds(time: std::time::SystemTime) -> u64 {
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
