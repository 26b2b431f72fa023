//! The platform's own messages: each is posted until it is acknowledged, and sometimes once more after that.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{facts::webhook_key, recorder::Recorder};
use crate::webhook;

const PAUSE: Duration = Duration::from_millis(20);

pub struct Sender {
    pub to: SocketAddr,
    pub recorder: Arc<Recorder>,
    pub stop: Arc<AtomicBool>,
    /// After which answers, and which failures, it posts once more.
    pub bears: fn(&io::Result<u16>) -> bool,
    /// How many times the usual pause is between what it does.
    pub pace: u64,
    pub conversation: String,
    pub name: String,
    pub random: fastrand::Rng,
}

impl Sender {
    pub async fn run(mut self) {
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let message_id = format!("{}-{number}", self.name);
            let key = webhook_key(&message_id);
            self.recorder.asked(&self.name, &self.conversation, &key);
            self.post(&message_id).await;
            self.recorder.acknowledged(&self.name, &key);
            // Platforms repeat themselves: that must change nothing.
            if self.random.u8(0..5) == 0 {
                self.post(&message_id).await;
            }
            tokio::time::sleep(Duration::from_millis(self.random.u64(20..120) * self.pace)).await;
        }
    }

    async fn post(&self, message_id: &str) {
        let body = webhook::message(&self.conversation, message_id);
        loop {
            let answer = webhook::post(self.to, &body).await;
            if matches!(answer, Ok(200)) {
                return;
            }
            assert!((self.bears)(&answer), "{message_id}: {answer:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// 503 while the server shuts down or cannot write; a broken connection when it was killed.
pub fn may_be_repeated(answer: &io::Result<u16>) -> bool {
    matches!(answer, Ok(503) | Err(_))
}
