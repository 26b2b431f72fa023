//! `POST /gdpr/delete-user-data`: accepted, and on record for who wants to see it.

use serde_json::Value as Json;

use super::asked::{Asked, Refusal, Work, authorise_organization, bad, object};
use super::recorder::SeenRequest;
use super::world::World;

pub(super) fn check(world: &World, request: &SeenRequest) -> Result<Asked, Refusal> {
    let bot = authorise_organization(world, &request.headers)?;
    let body = object(request)?;
    let Some(Json::Array(ids)) = body.get("conversationIds") else {
        return Err(bad("conversationIds must be an array of strings"));
    };
    let is_id = |id: &Json| id.as_str().is_some_and(|id| !id.trim().is_empty());
    if ids.is_empty() || !ids.iter().all(is_id) {
        return Err(bad("conversationIds must hold strings, at least one"));
    }
    Ok(Asked::new(bot, Work::Nothing))
}
