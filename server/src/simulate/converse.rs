//! `POST /converse/chat`: what a visitor says and does in a chat.

use serde_json::{Map, Value as Json};

use super::asked::{Asked, Refusal, Work, authorise, bad, conversation_of, object, text_of};
use super::conversation::Event;
use super::metadata::{self, Metadata};
use super::recorder::SeenRequest;
use super::world::World;

pub(super) fn check(world: &World, request: &SeenRequest) -> Result<Asked, Refusal> {
    let bot = authorise(world, &request.headers)?;
    let body = object(request)?;
    let conversation = conversation_of(&body)?;
    let event_type = text_of(&body, "eventType")?;
    let Metadata {
        parameters,
        variants,
    } = metadata::read(&body).map_err(|message| bad(&message))?;
    let event = match event_type.as_deref() {
        Some("startSession") => Some(Event::Start(parameters)),
        Some("metadata") => Some(Event::Metadata(parameters)),
        Some("endSession") => Some(Event::End),
        Some("message") => match text_of(&body, "text")? {
            Some(text) => Some(Event::Message {
                text,
                card: card_of(&body)?,
                parameters,
            }),
            None if world.settings.ignore_blank_messages => None,
            None => return Err(bad("text is required with eventType message")),
        },
        Some(_) => {
            return Err(bad(
                "eventType must be startSession, message, metadata or endSession",
            ));
        }
        None => return Err(bad("eventType is required")),
    };
    Ok(Asked {
        bot,
        work: event.map_or(Work::Nothing, |event| Work::Turn {
            conversation,
            event,
        }),
        variants,
    })
}

fn card_of(body: &Map<String, Json>) -> Result<Option<u64>, Refusal> {
    match body.get("cardIndex") {
        None | Some(Json::Null) => Ok(None),
        Some(index) => match index.as_u64() {
            Some(index) => Ok(Some(index)),
            None => Err(bad("cardIndex must be a whole number from 0")),
        },
    }
}
