//! What all parts of a running simulator share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bot::RunningBot;
use super::clock::Clock;
use super::conversation::{self, ConversationView, Turn};
use super::export::Exports;
use super::faults::Faults;
use super::locked;
use super::recorder::Recorder;
use super::settings::Settings;

/// How many turns of one conversation wait at most; more are answered 503. 1 000: far more than a
/// caller sends that keeps one request in flight.
const MOST_TURNS: usize = 1000;

#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) bots: HashMap<String, Arc<RunningBot>>,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) recorder: Arc<Recorder>,
    pub(super) client: reqwest::Client,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) exports: Mutex<Exports>,
    pub(super) conversations: Mutex<HashMap<ConversationKey, Conversation>>,
}

/// Bot id and platform conversation id.
pub(super) type ConversationKey = (String, String);

/// A conversation's task, which takes its turns one after the other.
#[derive(Debug)]
pub(super) struct Conversation {
    turns: mpsc::Sender<Turn>,
    view: Arc<Mutex<ConversationView>>,
}

impl World {
    /// The way into a conversation, whose task is started when it is asked for first.
    pub(super) fn turns(self: &Arc<Self>, bot: &Arc<RunningBot>, id: &str) -> mpsc::Sender<Turn> {
        let mut conversations = locked(&self.conversations);
        let key = (bot.id().to_owned(), id.to_owned());
        let conversation = conversations.entry(key).or_insert_with(|| {
            let (turns, inbox) = mpsc::channel(MOST_TURNS);
            let view = conversation::start(self, bot, id, inbox);
            Conversation { turns, view }
        });
        conversation.turns.clone()
    }

    pub(super) fn conversation(&self, bot: &str, id: &str) -> Option<ConversationView> {
        let conversations = locked(&self.conversations);
        let conversation = conversations.get(&(bot.to_owned(), id.to_owned()))?;
        Some(locked(&conversation.view).clone())
    }

    /// Runs `task` until it is done or the simulator stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}
