//! Exports: who gets addresses of which day, and what the store behind them hands out.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::support::{BOT, KEY, Stage};

const PATH: &str = "/data-export/v3/get-signed-urls";
const DAY: &str = "2026-09-29";

async fn ask(stage: &Stage, organization: Option<&str>, body: &Value) -> reqwest::Response {
    let url = format!("{}{PATH}", stage.simulator.base_url());
    let request = stage.client.post(url).body(body.to_string());
    let request = request.header("Authorization", KEY).header("botid", BOT);
    let request = match organization {
        Some(id) => request.header("organizationid", id),
        None => request,
    };
    request.send().await.unwrap()
}

async fn urls(stage: &Stage, body: &Value) -> Vec<String> {
    let answer = ask(stage, Some("org-1"), body).await;
    assert_eq!(answer.status(), 200);
    let list: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(list["date"], body["date"]);
    let urls = list["urls"].as_array().unwrap();
    urls.iter()
        .map(|url| url.as_str().unwrap().to_owned())
        .collect()
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_files_of_a_day_are_fetched_by_their_signed_addresses_alone() {
    let stage = Stage::shop().await;
    let files = [("part-0.json", "[{}]"), ("part-1.json", "[{},{}]")];
    stage.simulator.put_export(BOT, DAY, &files);
    let urls = urls(&stage, &json!({"date": DAY})).await;
    assert_eq!(urls.len(), 2);
    for (url, (name, content)) in urls.iter().zip(files) {
        assert!(
            url.contains(&format!("/exports/{name}?signature=")),
            "{url}"
        );
        let answer = stage.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), content);
        let with_key = stage.client.get(url).header("Authorization", KEY);
        assert_eq!(status(with_key).await, 403);
        assert_eq!(status(stage.client.get(format!("{url}0"))).await, 403);
    }
    let crossed = urls[0].replace("part-0", "part-1");
    assert_eq!(status(stage.client.get(crossed)).await, 403);
    let unsigned = format!("{}/exports/part-0.json", stage.simulator.base_url());
    assert_eq!(status(stage.client.get(unsigned)).await, 403);
}

#[tokio::test]
async fn an_address_runs_out_after_its_time() {
    let stage = Stage::shop().await;
    stage.simulator.put_export(BOT, DAY, &[("part.json", "[]")]);
    let short = urls(&stage, &json!({"date": DAY, "ttl": 60}))
        .await
        .remove(0);
    let long = urls(&stage, &json!({"date": DAY})).await.remove(0);
    stage.simulator.clock().advance(Duration::from_mins(61));
    assert_eq!(status(stage.client.get(short)).await, 403);
    assert_eq!(status(stage.client.get(&long)).await, 200);
    stage.simulator.clock().advance(Duration::from_hours(24));
    assert_eq!(status(stage.client.get(&long)).await, 403);
}

#[tokio::test]
async fn a_request_that_the_platform_would_refuse_is_refused() {
    let stage = Stage::shop().await;
    let wish = json!({"date": DAY});
    assert_eq!(ask(&stage, None, &wish).await.status(), 401);
    assert_eq!(ask(&stage, Some("org-1"), &wish).await.status(), 404);
    for wrong in [
        json!({}),
        json!({"date": "29.9.2026"}),
        json!({"date": DAY, "ttl": 0}),
        json!({"date": DAY, "ttl": "60"}),
        json!([DAY]),
    ] {
        assert_eq!(
            ask(&stage, Some("org-1"), &wrong).await.status(),
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn todays_export_tells_of_the_conversations_there_were() {
    let stage = Stage::shop().await;
    stage.say("c-2", "hello").await;
    stage.say("c-1", "hello").await;
    let today = humantime::format_rfc3339(SystemTime::now()).to_string();
    let url = urls(&stage, &json!({"date": today[..10]})).await.remove(0);
    let text = stage
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["platform_conversation_id"], "c-1");
    assert_eq!(
        records[0]["conversation_id"].as_str().unwrap(),
        stage.view("c-1").internal_id
    );
}
