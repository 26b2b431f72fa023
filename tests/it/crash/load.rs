//! What runs while a server is tormented: callers, the platform's own messages, and the platform that answers.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parloir::simulate::Simulator;
use parloir_client::{Client, Error};
use tokio::{task::JoinSet, time::timeout};

use super::{agent, callers::Caller, recorder::Recorder, webhooks::Sender};
use crate::{
    journal::{Journal, Logged},
    process::BOT,
};

/// Where callers and the platform turn to.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// Shared out among the callers.
    pub clients: Vec<Client>,
    pub webhooks: SocketAddr,
}

/// After which failures a driver tries once more; any other ends the run.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub calls: fn(&Error) -> bool,
    pub webhooks: fn(&io::Result<u16>) -> bool,
}

pub struct Load {
    pub recorder: Arc<Recorder>,
    pub simulator: Simulator,
    conversations: usize,
    /// How many times longer than 20 ms a caller, and than 70 ms the platform, waits on average before it goes on.
    pace: u64,
    callers: usize,
    random: fastrand::Rng,
    stop: Arc<AtomicBool>,
    drivers: JoinSet<()>,
}

impl Load {
    /// Nothing runs before [`Load::begin`].
    pub async fn new(seed: u64, conversations: usize, pace: u64) -> Self {
        let recorder = Arc::new(Recorder::new());
        let simulator = agent::start(&recorder, seed).await;
        Self {
            recorder,
            simulator,
            conversations,
            pace,
            callers: 0,
            random: fastrand::Rng::with_seed(seed),
            stop: Arc::default(),
            drivers: JoinSet::new(),
        }
    }

    pub fn begin(&mut self, entrance: &Entrance, patience: Patience) {
        for number in 0..self.conversations {
            let conversation = conversation(number);
            // Every third conversation has two callers at once.
            for caller in 0..=usize::from(number.is_multiple_of(3)) {
                self.spawn_caller(entrance, patience, &conversation, caller);
            }
            self.spawn_sender(entrance, patience, &conversation, number);
            // And one that no caller ever opened.
            self.spawn_sender(entrance, patience, &format!("w{number}"), number);
        }
    }

    fn spawn_caller(
        &mut self,
        entrance: &Entrance,
        patience: Patience,
        conversation: &str,
        number: usize,
    ) {
        let client = &entrance.clients[self.callers % entrance.clients.len()];
        self.callers += 1;
        let caller = Caller {
            client: client.clone(),
            recorder: Arc::clone(&self.recorder),
            stop: Arc::clone(&self.stop),
            bears: patience.calls,
            pace: self.pace,
            conversation: conversation.to_owned(),
            name: format!("{conversation}-{number}"),
            random: self.random.fork(),
        };
        self.drivers.spawn(caller.run());
    }

    fn spawn_sender(
        &mut self,
        entrance: &Entrance,
        patience: Patience,
        conversation: &str,
        number: usize,
    ) {
        let sender = Sender {
            to: entrance.webhooks,
            recorder: Arc::clone(&self.recorder),
            stop: Arc::clone(&self.stop),
            bears: patience.webhooks,
            pace: self.pace,
            conversation: conversation.to_owned(),
            name: format!("sender-{conversation}-{number}"),
            random: self.random.fork(),
        };
        self.drivers.spawn(sender.run());
    }

    /// Fails when a driver met something that it does not bear.
    pub fn still_runs(&mut self) {
        if let Some(ended) = self.drivers.try_join_next() {
            ended.expect("a driver ends well");
            panic!("a driver gave up");
        }
    }

    /// Begins nothing new and lets everything come to its end, `longest` for each step. What does not come to its end is
    /// the checker's to tell.
    pub async fn end(&mut self, longest: Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let drivers = async {
            while let Some(ended) = self.drivers.join_next().await {
                ended.expect("a driver ends well");
            }
        };
        timeout(longest, drivers)
            .await
            .expect("every call is answered in the end");
        let through = self
            .recorder
            .until(|recorder| recorder.in_flight() == (0, 0));
        let _ = timeout(longest, through).await;
        for number in 0..self.conversations {
            self.simulator.settle(BOT, &conversation(number)).await;
        }
    }

    /// Waits until each of these, by its name and what it follows, has come to the end of its part of the log.
    pub async fn followed(
        &self,
        followers: &[(String, Vec<String>)],
        replay: &[Logged],
        longest: Duration,
    ) {
        let all = async {
            for (name, conversations) in followers {
                let wanted = replay.iter().rev().find(|logged| {
                    conversations.is_empty() || conversations.contains(&logged.conversation)
                });
                let end = wanted.map_or(0, |logged| logged.position);
                self.recorder
                    .until(|recorder| recorder.reached(name) >= end)
                    .await;
            }
        };
        let _ = timeout(longest, all).await;
    }

    /// What everybody wrote down, up to the end of the log as it was read.
    pub fn journals(&self, end: u64) -> Vec<Journal> {
        let mut journals = self.recorder.journals(end);
        journals.push(agent::journal(&self.simulator));
        journals
    }
}

pub fn conversation(number: usize) -> String {
    format!("c{number}")
}
