//! The simulator as one sees it from outside: started, looked at, moved in time, stopped.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bot::RunningBot;
use super::clock::Clock;
use super::conversation::{ConversationView, Event, Turn};
use super::faults::Faults;
use super::recorder::{Observer, Recorder, SeenRequest, SentWebhook};
use super::settings::Settings;
use super::world::World;
use super::{requests, socket, webhook};

/// A running simulated platform. Dropped, it stops without waiting.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<World>,
    local_addr: SocketAddr,
}

/// Why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the listener has no address: {0}")]
    Listener(#[from] std::io::Error),
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("two bots have the id {0}; give each its own")]
    TwoBots(String),
}

impl Simulator {
    /// Starts on `listener`. A TLS provider must have been installed for the process.
    pub fn start(settings: Settings, listener: TcpListener) -> Result<Self, StartError> {
        Self::start_observed(settings, listener, None)
    }

    /// As [`Simulator::start`]; `observer` is told of all that happens.
    pub fn start_observed(
        settings: Settings,
        listener: TcpListener,
        observer: Option<Observer>,
    ) -> Result<Self, StartError> {
        let local_addr = listener.local_addr()?;
        let mut bots = HashMap::new();
        for bot in &settings.bots {
            let running = Arc::new(RunningBot::new(bot.clone()));
            if bots.insert(bot.id.clone(), running).is_some() {
                return Err(StartError::TwoBots(bot.id.clone()));
            }
        }
        let world = Arc::new(World {
            bots,
            clock: Clock::new(),
            faults: Faults::default(),
            recorder: Arc::new(Recorder::new(settings.kept, observer)),
            client: webhook::client(settings.webhook_timeout)?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            exports: Mutex::default(),
            conversations: Mutex::default(),
            settings,
        });
        let router = requests::router(&world);
        world.spawn(socket::accept(listener, router, Arc::clone(&world)));
        Ok(Self { world, local_addr })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What callers use as the platform's base URL. With `/ai-agents/api` behind it works too.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.local_addr)
    }

    /// Closes every connection, ends every conversation, and returns when all is still.
    pub async fn stop(self) {
        self.world.stop.cancel();
        self.world.tasks.close();
        self.world.tasks.wait().await;
    }

    /// Sessions, inactivity prompts, latencies and late webhooks go by this clock.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    pub fn faults(&self) -> &Faults {
        &self.world.faults
    }

    /// All requests on record, in order of arrival.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.world.recorder.requests()
    }

    /// All webhooks on record, in order of their answers.
    pub fn webhooks(&self) -> Vec<SentWebhook> {
        self.world.recorder.webhooks()
    }

    /// Waits until `count` requests have arrived since the start; gives up after 30 s. All on record.
    pub async fn wait_for_requests(&self, count: usize) -> Vec<SeenRequest> {
        self.world.recorder.wait_for_requests(count).await
    }

    /// Waits until `count` webhooks have got their answers since the start; gives up after 30 s. All on
    /// record.
    pub async fn wait_for_webhooks(&self, count: usize) -> Vec<SentWebhook> {
        self.world.recorder.wait_for_webhooks(count).await
    }

    /// Waits until `count` of the requests since the start have been answered, reset, or given up by their
    /// senders; gives up after 30 s. All on record.
    pub async fn wait_for_answers(&self, count: usize) -> Vec<SeenRequest> {
        self.world.recorder.wait_for_answers(count).await
    }

    /// How often session parameters came under which name and shape, as in `metaData/array`.
    pub fn metadata_variants(&self) -> BTreeMap<String, u64> {
        self.world.recorder.metadata_variants()
    }

    /// Where a conversation stands; absent: the bot has never heard of it.
    pub fn conversation(&self, bot_id: &str, id: &str) -> Option<ConversationView> {
        self.world.conversation(bot_id, id)
    }

    /// Makes the bot say `text` unasked. An unknown bot says nothing.
    pub async fn say(&self, bot_id: &str, conversation_id: &str, text: &str) {
        let event = Event::Say(text.to_owned());
        self.take_turn(bot_id, conversation_id, event).await;
    }

    /// Waits until everything that has arrived for a conversation is done and its webhooks are answered,
    /// late ones excepted.
    pub async fn settle(&self, bot_id: &str, conversation_id: &str) {
        let (done, settled) = oneshot::channel();
        let event = Event::Settle(done);
        self.take_turn(bot_id, conversation_id, event).await;
        // An error says that there is nothing to wait for.
        let _ = settled.await;
    }

    /// Replaces a bot's key; the former one is void at once.
    pub fn set_key(&self, bot_id: &str, key: &str) {
        if let Some(bot) = self.world.bots.get(bot_id) {
            bot.set_key(key);
        }
    }

    /// Replaces a bot's webhook URL, which a test may learn only after the simulator's own address.
    pub fn set_webhook_url(&self, bot_id: &str, url: &str) {
        if let Some(bot) = self.world.bots.get(bot_id) {
            bot.set_webhook_url(url);
        }
    }

    /// Replaces the URL of a bot's actions; none: they go where the other webhooks go.
    pub fn set_action_url(&self, bot_id: &str, url: Option<&str>) {
        if let Some(bot) = self.world.bots.get(bot_id) {
            bot.set_action_url(url);
        }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) async fn take_turn(&self, bot_id: &str, conversation_id: &str, event: Event) {
        let Some(bot) = self.world.bots.get(bot_id) else {
            return;
        };
        let turn = Turn {
            event,
            at: self.world.clock.now(),
            webhooks: None,
        };
        let turns = self.world.turns(bot, conversation_id);
        // An error says that the simulator stops: then nothing is said any more.
        let _ = turns.send(turn).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}
