//! The simulated agent of these tests: answers each question once, and knows when to hand over.

use std::fmt::Write as _;

use parloir::simulate::{Bot, Script, Settings, Simulator};
use tokio::net::TcpListener;

use crate::process::{BOT, KEY};

/// What the agent says when nobody takes its visitor.
pub const FALLBACK: &str = "Nobody is free right now.";

/// What a visitor says to reach a human.
pub const HUMAN: &str = "a human please";

/// How often the platform sends a message again, a second apart: it outlives a killed server.
const RETRIES: u32 = 30;

/// To "ask N" it says "answer N", for N from 1 to 50; to [`HUMAN`] it hands over.
pub async fn start() -> Simulator {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let script = Script::parse(&script()).expect("a script");
    let bot = Bot::new(BOT, KEY, "http://127.0.0.1:9/").with_script(script);
    let mut settings = Settings::new(vec![bot]);
    settings.webhook_retries = RETRIES;
    Simulator::start(settings, listener).expect("a simulator")
}

fn script() -> String {
    let mut script = format!(
        r#"
        [[dialogue]]
        name = "human"
        words = ["human"]
        [[dialogue.step]]
        escalate = "billing"
        fallback = "{FALLBACK}"

        [[dialogue]]
        name = "else"
        default = true
        [[dialogue.step]]
        reply = "I do not understand."
        "#
    );
    for number in 1..=50 {
        write!(
            script,
            "\n[[dialogue]]\nname = \"{number}\"\nwords = [\"ask {number}\"]\n\
             [[dialogue.step]]\nreply = \"answer {number}\"\n"
        )
        .expect("a string takes it");
    }
    script
}
