//! The simulated platform of a run: slow now and then, and written down.

use std::{sync::Arc, time::Duration};

use parloir::simulate::{
    Bot, Fault, Observation, Observer, Script, SentWebhook, Settings, Simulator,
};
use tokio::net::TcpListener;

use super::{facts::webhook_key, recorder::Recorder};
use crate::{
    journal::{Entry, Journal},
    process::{BOT, KEY},
};

/// One answer to whatever the visitor says, so that each message also leads to a webhook.
const SCRIPT: &str = r#"
    [[dialogue]]
    name = "anything"
    default = true

    [[dialogue.step]]
    reply = "I see."
"#;

/// More requests than a run has: the record must not forget any.
const KEPT: usize = 10_000_000;

/// Starts the platform; where its webhooks go is told later by `Simulator::set_webhook_url`.
pub async fn start(recorder: &Arc<Recorder>, seed: u64) -> Simulator {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bot = Bot::new(BOT, KEY, "http://127.0.0.1:9/")
        .with_script(Script::parse(SCRIPT).expect("a script"));
    let mut settings = Settings::new(vec![bot]);
    settings.kept = KEPT;
    let simulator = Simulator::start_observed(settings, listener, Some(observer(recorder)))
        .expect("a simulator");
    slow_now_and_then(&simulator, seed);
    simulator
}

fn observer(recorder: &Arc<Recorder>) -> Observer {
    let recorder = Arc::clone(recorder);
    Arc::new(move |observation| {
        if let Observation::Webhook(webhook) = observation {
            record(&recorder, webhook);
        }
    })
}

fn record(recorder: &Recorder, webhook: &SentWebhook) {
    let message_id = webhook.body["data"]["messageId"].as_str();
    if let (Some(message_id), Some(conversation)) = (message_id, &webhook.conversation_id) {
        let acknowledged = webhook.answer.is_ok().then_some(webhook.ended);
        recorder.platform_webhook(
            conversation,
            &webhook_key(message_id),
            webhook.started,
            acknowledged,
        );
    }
}

/// Half of the first requests are answered after up to 300 ms, so that a kill meets deliveries under way. Drawn
/// beforehand: the seed decides.
fn slow_now_and_then(simulator: &Simulator, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..20_000 {
        let millis = if random.bool() {
            random.u64(10..300)
        } else {
            0
        };
        simulator
            .faults()
            .push(&Fault::latency(Duration::from_millis(millis)));
    }
}

/// What the platform got, in order of arrival.
pub fn journal(simulator: &Simulator) -> Journal {
    let messages = simulator
        .requests()
        .into_iter()
        .filter(|request| request.event_type().as_deref() == Some("message"));
    let entries = messages.filter_map(|request| {
        let (conversation, key) = (request.conversation_id()?, request.text()?);
        Some(Entry::AgentSaw { conversation, key })
    });
    Journal(entries.collect())
}
