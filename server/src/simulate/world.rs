//! What all parts of a running simulator share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bot::RunningBot;
use super::clock::Clock;
use super::conversation::{self, ConversationView, Turn};
use super::faults::Faults;
use super::locked;
use super::recorder::Recorder;
use super::settings::Settings;

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
    pub(super) conversations: Mutex<HashMap<ConversationKey, Conversation>>,
}

/// Bot id and platform conversation id.
pub(super) type ConversationKey = (String, String);

/// A conversation's task, which takes its turns one after the other.
#[derive(Debug)]
pub(super) struct Conversation {
    turns: mpsc::UnboundedSender<Turn>,
    view: Arc<Mutex<ConversationView>>,
}

impl World {
    /// Hands `turn` to its conversation, whose task is started with its first turn.
    pub(super) fn take_turn(self: &Arc<Self>, bot: &Arc<RunningBot>, id: &str, turn: Turn) {
        let mut conversations = locked(&self.conversations);
        let key = (bot.id().to_owned(), id.to_owned());
        let conversation = conversations.entry(key).or_insert_with(|| {
            let (turns, inbox) = mpsc::unbounded_channel();
            let view = conversation::start(self, bot, id, inbox);
            Conversation { turns, view }
        });
        // The task ends only when the simulator stops: then nobody waits for an answer any more.
        let _ = conversation.turns.send(turn);
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
