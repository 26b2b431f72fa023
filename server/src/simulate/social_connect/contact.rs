//! Contacts and their tags.

use serde_json::{Value, json};

use super::{
    state::{Known, State, texts},
    wire::{Answered, Asked, INVALID, NOT_FOUND, Refusal},
};

/// Services of which a contact's calls must name topics.
const NEED_TOPICS: &[&str] = &["wechat", "twilio", "web", "whatsapp", "viber"];

pub(super) fn read(state: &State, asked: &Asked, service: &str, id: &str) -> Answered {
    check(service, asked.parameter("topic_ids"))?;
    let known = state.contacts.get(&(service.to_owned(), id.to_owned()));
    known.map(view).ok_or(NOT_FOUND)
}

pub(super) fn edit(state: &mut State, asked: &Asked, service: &str, id: &str) -> Answered {
    check(service, asked.field("topic_ids"))?;
    let updates = asked
        .json("updates")
        .filter(Value::is_object)
        .ok_or(INVALID)?;
    let options = match asked.field("options") {
        Some(_) => asked.json("options").ok_or(INVALID)?,
        None => Value::Null,
    };
    let known = state
        .contacts
        .get_mut(&(service.to_owned(), id.to_owned()))
        .ok_or(NOT_FOUND)?;
    if let Some(tags) = updates.get("tags") {
        let tags = texts(tags).ok_or(INVALID)?;
        match options["tags_edit_mode"].as_str().unwrap_or("update") {
            "add" => {
                let new: Vec<_> = tags
                    .into_iter()
                    .filter(|tag| !known.tags.contains(tag))
                    .collect();
                known.tags.extend(new);
            }
            "delete" => known.tags.retain(|tag| !tags.contains(tag)),
            "update" => known.tags = tags,
            _ => return Err(INVALID),
        }
    }
    Ok(view(known))
}

fn check(service: &str, topic_ids: Option<&str>) -> Result<(), Refusal> {
    let has_topics = topic_ids.is_some_and(|ids| !ids.is_empty());
    match service {
        "instagram" => Err(INVALID),
        service if NEED_TOPICS.contains(&service) && !has_topics => Err(INVALID),
        _ => Ok(()),
    }
}

fn view(known: &Known) -> Value {
    let Known { contact, tags, .. } = known;
    json!({
        "id": format!("c-{}", contact.id), "name": "A visitor", "email": null, "company": null, "phone": null,
        "tags": tags, "customattributes": {},
        "socialprofiles": [{ "type": contact.service(), "service_id": contact.id }],
    })
}
