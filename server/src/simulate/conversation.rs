//! A conversation: its session, and the turns it takes one after the other.

mod outbox;
mod payload;
mod play;
mod session;
mod ticket;
mod view;
mod widget;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};

use super::bot::RunningBot;
use super::clock::Moment;
use super::faults::WebhookFault;
use super::locked;
use super::script::Message;
use super::world::World;
use outbox::Outbox;
pub(super) use payload::new_id;
use session::Session;
pub(super) use session::Value;
pub use view::{ConversationState, ConversationView};
pub(super) use widget::WidgetEvent;

/// Said where a script has no default dialogue.
const NOT_UNDERSTOOD: &str = "Sorry, I did not understand that.";

/// Something that a conversation reacts to.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) event: Event,
    /// When it arrived.
    pub(super) at: Moment,
    /// What goes wrong with the webhooks it leads to.
    pub(super) webhooks: Option<WebhookFault>,
}

#[derive(Debug)]
pub(super) enum Event {
    Start(Parameters),
    Message {
        text: String,
        card: Option<u64>,
        parameters: Parameters,
    },
    Metadata(Parameters),
    End,
    Ticket {
        text: String,
        parameters: Parameters,
    },
    Widget(WidgetEvent),
    /// The bot speaks unasked.
    Say(String),
    /// Answers once everything before it is done.
    Settle(oneshot::Sender<()>),
}

/// What the caller sets in the session, by key.
pub(super) type Parameters = Vec<(String, Value)>;

/// Starts the conversation's task; what it returns follows the task's state.
pub(super) fn start(
    world: &Arc<World>,
    bot: &Arc<RunningBot>,
    id: &str,
    turns: mpsc::Receiver<Turn>,
) -> Arc<Mutex<ConversationView>> {
    let view = Arc::new(Mutex::new(ConversationView {
        state: ConversationState::Ended,
        internal_id: String::new(),
        sessions: 0,
        parameters: BTreeMap::new(),
    }));
    let task = ConversationTask {
        world: Arc::clone(world),
        bot: Arc::clone(bot),
        id: id.to_owned(),
        session: None,
        reply: None,
        view: Arc::clone(&view),
        outbox: Outbox::new(world, bot),
    };
    world.spawn(task.run(turns));
    view
}

struct ConversationTask {
    world: Arc<World>,
    bot: Arc<RunningBot>,
    id: String,
    session: Option<Session>,
    /// While a ticket is played: what was said so far, which leaves as one reply.
    reply: Option<Vec<String>>,
    view: Arc<Mutex<ConversationView>>,
    outbox: Outbox,
}

impl ConversationTask {
    async fn run(mut self, mut turns: mpsc::Receiver<Turn>) {
        let clock = self.world.clock.clone();
        loop {
            let silent = self.session.as_ref().and_then(|session| session.prompt_at);
            tokio::select! {
                biased;
                turn = turns.recv() => match turn {
                    Some(turn) => self.take(turn).await,
                    None => return,
                },
                () = clock.sleep_until_any(silent) => self.prompt().await,
            }
        }
    }

    async fn take(&mut self, turn: Turn) {
        // The clock may have jumped over the prompt and this turn's arrival in one.
        let silent = self.session.as_ref().and_then(|session| session.prompt_at);
        if silent.is_some_and(|silent| silent <= turn.at) {
            self.prompt().await;
        }
        self.expire(turn.at);
        self.outbox.begin_turn(turn.at, turn.webhooks);
        match turn.event {
            Event::Start(parameters) => self.started(parameters, turn.at).await,
            Event::Message {
                text,
                card,
                parameters,
            } => self.heard(&text, card, parameters, turn.at).await,
            // Without a session there is nothing to keep them in.
            Event::Metadata(parameters) => self.save(parameters),
            Event::End => self.end_session(ConversationState::Ended).await,
            Event::Ticket { text, parameters } => {
                self.read_ticket(&text, parameters, turn.at).await;
            }
            Event::Widget(event) => self.in_widget(event, turn.at).await,
            Event::Say(text) => self.unasked(text, turn.at).await,
            Event::Settle(done) => {
                self.publish();
                // Who asked may have stopped waiting.
                let _ = done.send(());
                return;
            }
        }
        self.outbox.end_turn().await;
        self.publish();
    }

    async fn started(&mut self, parameters: Parameters, at: Moment) {
        let resumed = self.session.is_some();
        self.live_session(at);
        self.save(parameters);
        if let (false, Some(welcome)) = (resumed, self.bot.welcome().map(str::to_owned)) {
            self.think().await;
            self.say_text(&welcome, "welcome").await;
        }
    }

    async fn heard(&mut self, text: &str, card: Option<u64>, parameters: Parameters, at: Moment) {
        let inactivity = self.bot.script().inactivity.clone();
        let session = self.live_session(at);
        session.touch(at);
        session.prompt_at = inactivity.map(|inactivity| at + inactivity.after);
        self.save(parameters);
        self.think().await;
        let script = Arc::clone(self.bot.script());
        if let Some(dialogue) = script.dialogue_for(text, card) {
            self.play(dialogue).await;
        } else {
            self.say_text(NOT_UNDERSTOOD, "default").await;
        }
    }

    async fn unasked(&mut self, text: String, at: Moment) {
        self.live_session(at);
        self.say_text(&text, "unasked").await;
    }

    /// The inactivity prompt is due. What is left of the session counts from when it was due.
    async fn prompt(&mut self) {
        let Some(session) = &mut self.session else {
            return;
        };
        let Some(due) = session.prompt_at.take() else {
            return;
        };
        self.expire(due);
        let inactivity = self.bot.script().inactivity.clone();
        if let (Some(session), Some(inactivity)) = (&mut self.session, inactivity) {
            session.touch(due);
            self.outbox.begin_turn(due, None);
            let message = Message {
                text: inactivity.text,
                ..Message::default()
            };
            self.say_at(message, "inactivity", 1.0, due).await;
            self.outbox.end_turn().await;
            self.publish();
        }
    }

    async fn think(&self) {
        let clock = &self.world.clock;
        let delay = self.world.settings.reply_delay;
        clock.sleep_until(clock.now() + delay).await;
    }

    fn save(&mut self, parameters: Parameters) {
        if let Some(session) = &mut self.session {
            session.parameters.extend(parameters);
        }
    }

    fn expire(&mut self, now: Moment) {
        let duration = self.bot.session_duration();
        self.session
            .take_if(|session| session.is_over(now, duration));
    }

    /// The session that lives, or a new one with an internal id of its own.
    fn live_session(&mut self, at: Moment) -> &mut Session {
        let script = self.bot.script();
        let mut view = locked(&self.view);
        self.session.get_or_insert_with(|| {
            view.sessions += 1;
            Session::new(at, &script.parameters)
        })
    }

    async fn end_session(&mut self, state: ConversationState) {
        self.publish();
        self.session = None;
        locked(&self.view).state = state;
        locked(&self.view).parameters.clear();
        self.outbox.conversation_ended().await;
    }

    /// Makes the view show the session.
    fn publish(&self) {
        if let Some(session) = &self.session {
            let mut view = locked(&self.view);
            view.state = ConversationState::Active;
            view.internal_id.clone_from(&session.internal_id);
            view.parameters = session.texts();
        }
    }
}
