//! One line for each request and each webhook.

use serde_json::Value;

use crate::simulate::{Observation, SeenRequest, SentWebhook, WebhookAnswer};

/// Longer texts are cut. 100: a sentence, and the line still fits.
const LONGEST_TEXT: usize = 100;

pub(super) fn print(observation: &Observation) {
    println!("{}", line(observation));
}

fn line(observation: &Observation) -> String {
    match observation {
        Observation::Request(request) => request_line(request),
        Observation::Webhook(webhook) => webhook_line(webhook),
    }
}

fn request_line(request: &SeenRequest) -> String {
    let status = match request.status {
        Some(status) => status.to_string(),
        None => "not answered".to_owned(),
    };
    let event = request.event_type();
    let event = event.unwrap_or_else(|| format!("{} {}", request.method, request.path));
    let conversation = request.conversation_id().unwrap_or_default();
    let text = request.text().map(|text| shown(&text)).unwrap_or_default();
    let said = match request.json().get("cardIndex") {
        Some(card) => format!("{text} on card {card}"),
        None => text,
    };
    columns("->", &event, &conversation, &said, &status)
}

fn webhook_line(webhook: &SentWebhook) -> String {
    let answer = match &webhook.answer {
        WebhookAnswer::Failed(why) => format!("failed: {why}"),
        WebhookAnswer::Answered { status, body } if body.is_empty() => status.to_string(),
        WebhookAnswer::Answered { status, body } => {
            let body = cut(&String::from_utf8_lossy(body));
            format!("{status} {body}")
        }
    };
    let conversation = webhook.conversation_id.as_deref().unwrap_or_default();
    let said = said(webhook);
    columns("<-", &webhook.event, conversation, &said, &answer)
}

/// The direction, seen from the platform: `->` came in, `<-` went out.
fn columns(arrow: &str, event: &str, conversation: &str, said: &str, answer: &str) -> String {
    let line = format!("{arrow} {event:<12} {conversation:<12} {said}");
    format!("{}  [{answer}]", line.trim_end())
}

fn said(webhook: &SentWebhook) -> String {
    let (body, data) = (&webhook.body, &webhook.body["data"]);
    let strings = |list: &Value, key: &str| {
        let items = list.as_array().into_iter().flatten();
        let texts = items.filter_map(|item| item[key].as_str());
        texts.map(str::to_owned).collect::<Vec<_>>().join(", ")
    };
    match webhook.event.as_str() {
        "action" => {
            let name = body["name"].as_str().unwrap_or_default();
            format!("{name}({})", strings(data, "key"))
        }
        "escalate" | "widgetEscalate" => {
            format!("to {}", data["escalateTo"].as_str().unwrap_or("anyone"))
        }
        "isTeamOnline" => format!("team {}", data["teamId"].as_str().unwrap_or("any")),
        _ => {
            let text = shown(webhook.text().unwrap_or_default());
            let lists = [("buttons", "text"), ("carouselCards", "title")];
            let choices = lists.map(|(list, key)| strings(&data[list], key));
            match choices.concat() {
                choices if choices.is_empty() => text,
                choices => format!("{text} with {choices}"),
            }
        }
    }
}

/// In quotes, so that control characters stay on their line.
fn shown(text: &str) -> String {
    format!("{:?}", cut(text))
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST_TEXT).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests;
