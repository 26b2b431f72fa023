//! The vendor's handover: who owns a contact.

use serde_json::json;

use super::{
    settings::Settings,
    state::State,
    wire::{Answered, INVALID, NO_PERMISSION, NOT_FOUND, WRONG_METHOD},
};

/// Only these have one.
const SERVICES: &[&str] = &["web", "whatsapp", "viber", "twilio"];

pub(super) fn answer(
    state: &mut State,
    settings: &Settings,
    method: &str,
    service: &str,
    id: &str,
) -> Answered {
    if !settings.hands_over {
        return Err(NO_PERMISSION);
    }
    if !SERVICES.contains(&service) {
        return Err(INVALID);
    }
    let known = state.contacts.get_mut(&(service.to_owned(), id.to_owned()));
    let known = known.ok_or(NOT_FOUND)?;
    match method {
        "GET" => {}
        "POST" => known.human_owns = true,
        "DELETE" => known.human_owns = false,
        _ => return Err(WRONG_METHOD),
    }
    let owner = if known.human_owns {
        "engage"
    } else {
        "application"
    };
    Ok(json!({
        "service": service, "service_id": id, "owner": owner, "updated": (settings.now)(),
    }))
}
