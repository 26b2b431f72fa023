//! Callers: each leads one conversation, one call after the other, and repeats a call with the same key until it is
//! answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parloir_client::{
    Client, Code, Error,
    v1::{Parameter, UpdateParametersRequest},
};

use super::{
    facts::{parameters_key, start_key},
    recorder::Recorder,
};
use crate::process::ACCOUNT;

/// Between a failed try and the next: short against the time between two kills, long enough not to spin.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Caller {
    pub client: Client,
    pub recorder: Arc<Recorder>,
    pub stop: Arc<AtomicBool>,
    /// After which failures it tries once more.
    pub bears: fn(&Error) -> bool,
    /// How many times the usual pause is between what it does.
    pub pace: u64,
    pub conversation: String,
    /// Tells the keys of several callers of one conversation apart.
    pub name: String,
    pub random: fastrand::Rng,
}

impl Caller {
    /// Until it is told to stop; then it sees its last call through.
    pub async fn run(mut self) {
        self.start("0").await;
        for number in 1.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            match self.random.u8(0..10) {
                0 => self.start(&number.to_string()).await,
                1 => self.set_parameters(number).await,
                _ => self.say(number).await,
            }
            tokio::time::sleep(Duration::from_millis(self.random.u64(0..40) * self.pace)).await;
        }
    }

    async fn start(&self, number: &str) {
        let command_id = format!("{}-{number}", self.name);
        self.repeat(&start_key(&command_id), || async {
            self.client
                .start(ACCOUNT, &self.conversation, &command_id)
                .await
                .map(drop)
        })
        .await;
    }

    async fn say(&self, number: u64) {
        // The message's text is its key, by which the agent's journal is held against the log.
        let key = format!("message {}-{number}", self.name);
        self.repeat(&key, || async {
            self.client
                .say(ACCOUNT, &self.conversation, &key, &key)
                .await
                .map(drop)
        })
        .await;
    }

    async fn set_parameters(&self, number: u64) {
        let command_id = format!("{}-{number}", self.name);
        let parameter = Parameter {
            key: "round".to_owned(),
            value: number.to_string(),
            personal: false,
        };
        let request = UpdateParametersRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: self.conversation.clone(),
            command_id: command_id.clone(),
            parameters: vec![parameter],
        };
        self.repeat(&parameters_key(&command_id), || async {
            self.client
                .update_parameters(request.clone())
                .await
                .map(drop)
        })
        .await;
    }

    async fn repeat<F>(&self, key: &str, call: impl Fn() -> F)
    where
        F: Future<Output = Result<(), Error>>,
    {
        self.recorder.asked(&self.name, &self.conversation, key);
        while let Err(error) = call().await {
            assert!((self.bears)(&error), "{key}: {error}");
            tokio::time::sleep(PAUSE).await;
        }
        self.recorder.acknowledged(&self.name, key);
    }
}

/// A server that was killed gives these; all others say that the call itself is wrong.
pub fn may_be_repeated(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Internal
    )
}
