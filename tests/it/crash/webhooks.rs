//! The platform's own messages: each is posted until it is acknowledged, and sometimes once more after that.

use std::{
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
            tokio::time::sleep(Duration::from_millis(self.random.u64(20..120))).await;
        }
    }

    async fn post(&self, message_id: &str) {
        let body = webhook::message(&self.conversation, message_id);
        loop {
            match webhook::post(self.to, &body).await {
                Ok(200) => return,
                // 503 while the server shuts down or cannot write; a broken connection when it was killed.
                Ok(503) | Err(_) => tokio::time::sleep(PAUSE).await,
                Ok(status) => panic!("{message_id} was answered {status}"),
            }
        }
    }
}
