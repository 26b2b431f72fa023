//! `POST /converse/ticket`: a ticket's text, which the bot answers once and as a whole.

use super::asked::{Asked, Refusal, Work, authorise, bad, conversation_of, object, text_of};
use super::conversation::Event;
use super::metadata::{self, Metadata};
use super::recorder::SeenRequest;
use super::world::World;

/// What custom integrations call themselves.
const PLATFORM: &str = "PUBLIC_API";

pub(super) fn check(world: &World, request: &SeenRequest) -> Result<Asked, Refusal> {
    let bot = authorise(world, &request.headers)?;
    let body = object(request)?;
    let conversation = conversation_of(&body)?;
    if text_of(&body, "platform")?.as_deref() != Some(PLATFORM) {
        return Err(bad("platform must be PUBLIC_API"));
    }
    if body.contains_key("eventType") {
        return Err(bad("a ticket has no eventType"));
    }
    let Metadata {
        parameters,
        variants,
    } = metadata::read(&body).map_err(|message| bad(&message))?;
    let event = Event::Ticket {
        // It may be missing.
        text: text_of(&body, "text")?.unwrap_or_default(),
        parameters,
    };
    Ok(Asked {
        bot,
        work: Work::Turn {
            conversation,
            event,
        },
        variants,
    })
}
