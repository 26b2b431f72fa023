//! What the platform posts.

use std::net::SocketAddr;

use super::{
    http::{Connection, Reply},
    server::BOT,
};

/// Posts a body to an agent on a connection of its own.
pub async fn post(to: SocketAddr, agent: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut connection = Connection::open(to).await;
    connection
        .post(&format!("/webhooks/{agent}"), headers, body)
        .await;
    connection.reply().await.expect("an answer")
}

/// A chat event of conversation `id` with these further fields.
pub fn chat(id: &str, fields: &str) -> String {
    format!(
        r#"{{"botId":"{BOT}","channel":"chat","data":{{"platformConversationId":"{id}",{fields}}}}}"#
    )
}

/// A message of the agent without an id.
pub fn says(id: &str, text: &str) -> String {
    chat(
        id,
        &format!(r#""eventType":"sendMessage","type":"text","text":"{text}""#),
    )
}

/// A message of the agent with an id.
pub fn says_as(id: &str, message_id: &str, text: &str) -> String {
    let fields = format!(r#""eventType":"sendMessage","text":"{text}","messageId":"{message_id}""#);
    chat(id, &fields)
}

/// A flat body with these fields.
pub fn flat(fields: &str) -> String {
    format!(r#"{{"botId":"{BOT}",{fields}}}"#)
}

pub fn escalate(id: &str) -> String {
    chat(id, r#""eventType":"escalate","escalateTo":"billing""#)
}

pub fn action(id: &str, name: &str) -> String {
    flat(&format!(
        r#""platformConversationId":"{id}","name":"{name}","data":[{{"key":"tag","value":["vip"]}}]"#
    ))
}

pub fn is_team_online(team: &str) -> String {
    flat(&format!(
        r#""data":{{"eventType":"isTeamOnline","teamId":"{team}"}}"#
    ))
}
