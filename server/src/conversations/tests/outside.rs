//! The world outside: an agent's platform and a source that do what they are told, and tell the ledger what reached
//! them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    ledger::Shared,
    setup::Setup,
    steps::{Fate, Held, Reading},
};
use crate::domain::{
    Answer, Capabilities, Direction, Id, Outbound, OutboundContent, Owner, Refusal, RequestKind,
    Sent, Timestamp,
    inbound::{Inbound, Webhook, WebhookRefusal, WebhookReply},
    ports::{Agent, Source},
    source::{Arrival, Author, Handover, Item, ItemBody, NotRead, Observed, Received, SourceEvent},
};

/// How long who asks to be left alone wants to be.
const A_WHILE: Duration = Duration::from_secs(8);

#[derive(Debug)]
pub(super) struct Outside {
    ledger: Shared,
    setup: Setup,
    capabilities: Capabilities,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Everything works from now on.
    at_peace: bool,
    agent: VecDeque<(Fate, Held)>,
    source: VecDeque<(Fate, Held)>,
    readings: VecDeque<(Reading, bool)>,
    held: VecDeque<oneshot::Sender<()>>,
    /// Where a human is there, by address.
    human_there: HashMap<String, bool>,
    /// What a visitor was shown, by address.
    shown: Vec<(String, String)>,
    /// Everything that was ever posted, by its number.
    from_agent: Vec<Inbound>,
    from_source: Vec<SourceEvent>,
    remote_ids: Vec<String>,
}

impl Outside {
    pub(super) fn new(setup: Setup, ledger: Shared) -> Self {
        Self {
            ledger,
            setup,
            capabilities: setup.capabilities(),
            state: Mutex::default(),
        }
    }

    pub(super) fn agent_will(&self, fate: Fate, held: Held) {
        self.lock().agent.push_back((fate, held));
    }

    pub(super) fn source_will(&self, fate: Fate, held: Held) {
        self.lock().source.push_back((fate, held));
    }

    pub(super) fn reading_will(&self, reading: Reading, held: bool) {
        self.lock().readings.push_back((reading, held));
    }

    pub(super) fn set_human_there(&self, address: &str, there: bool) {
        self.lock().human_there.insert(address.to_owned(), there);
    }

    pub(super) fn remote_ids(&self) -> Vec<String> {
        self.lock().remote_ids.clone()
    }

    /// The first `count` calls that are held go on.
    pub(super) fn release(&self, count: usize) {
        let mut state = self.lock();
        let count = count.min(state.held.len());
        for held in state.held.drain(..count) {
            // Who waited may be gone with the process.
            let _ = held.send(());
        }
    }

    /// From now on everything works.
    pub(super) fn make_peace(&self) {
        self.lock().at_peace = true;
        self.release(usize::MAX);
    }

    /// The webhook in which the agent's platform tells this.
    pub(super) fn agent_posts(&self, inbound: Inbound) -> Webhook {
        let mut state = self.lock();
        state.from_agent.push(inbound);
        webhook(state.from_agent.len() - 1)
    }

    /// The webhook in which the source tells this; it may be posted again.
    pub(super) fn source_posts(&self, event: SourceEvent) -> Webhook {
        let mut state = self.lock();
        state.from_source.push(event);
        webhook(state.from_source.len() - 1)
    }

    async fn held(&self) {
        let (release, released) = oneshot::channel();
        self.lock().held.push_back(release);
        let _ = released.await;
    }

    /// A request comes to its end. `arrive` answers whether the other side takes it.
    async fn meets(&self, (fate, held): (Fate, Held), arrive: impl FnOnce() -> bool) -> Fate {
        let arrives = matches!(fate, Fate::Acknowledged | Fate::Unclear { arrives: true });
        let mut arrive = Some(arrive);
        let mut taken = true;
        if held == Held::ArrivesFirst && arrives {
            taken = arrive.take().is_none_or(|arrive| arrive());
        }
        if held != Held::No {
            self.held().await;
        }
        if arrives && let Some(arrive) = arrive {
            taken = arrive();
        }
        if taken { fate } else { Fate::NotOwner }
    }

    async fn shows(&self, address: &str, what: &str, by_agent: bool) -> Fate {
        let plan = self.plan(|state| &mut state.source);
        let row = self.leaves(address, what);
        self.meets(plan, || {
            let mut state = self.lock();
            let human_there = state.human_there.get(address).copied().unwrap_or_default();
            if self.setup.enforces && human_there && by_agent {
                return false;
            }
            state.shown.push((address.to_owned(), what.to_owned()));
            drop(state);
            if let Some(row) = row {
                // What is said at each handover is always the same.
                let only_once = !what.starts_with("Somebody");
                self.ledger.lock().arrives(&row, what, only_once);
            }
            true
        })
        .await
    }

    async fn gives(&self, address: &str, what: &str, to_human: bool) -> Fate {
        let plan = self.plan(|state| &mut state.source);
        let row = self.leaves(address, what);
        self.meets(plan, || {
            self.set_human_there(address, to_human);
            if let Some(row) = row {
                self.ledger.lock().arrives(&row, what, false);
            }
            true
        })
        .await
    }

    fn leaves(&self, address: &str, what: &str) -> Option<Id> {
        let mut ledger = self.ledger.lock();
        let key = ledger.addresses.get(address).cloned();
        ledger.leaves(key.as_ref(), Direction::Source, what)
    }

    fn plan(&self, queue: impl Fn(&mut State) -> &mut VecDeque<(Fate, Held)>) -> (Fate, Held) {
        let mut state = self.lock();
        if state.at_peace {
            return (Fate::Acknowledged, Held::No);
        }
        let next = queue(&mut state).pop_front();
        next.unwrap_or((Fate::Acknowledged, Held::No))
    }

    async fn reading(&self) -> Reading {
        let (reading, held) = {
            let mut state = self.lock();
            let planned = state.readings.pop_front().filter(|_| !state.at_peace);
            planned.unwrap_or((Reading::Truth, false))
        };
        if held {
            self.held().await;
        }
        reading
    }

    fn remote_id(&self) -> Sent {
        let mut state = self.lock();
        let remote_id = format!("remote-{}", state.remote_ids.len());
        state.remote_ids.push(remote_id.clone());
        Sent::AcknowledgedAs { remote_id }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Agent for Outside {
    async fn send(&self, outbound: &Outbound) -> Sent {
        let plan = self.plan(|state| &mut state.agent);
        let (what, is_message) = match &outbound.content {
            OutboundContent::Message { text, .. } => (text.clone(), true),
            other => (format!("{other:?}"), false),
        };
        let row = self
            .ledger
            .lock()
            .leaves_for_agent(outbound, &what, is_message);
        let fate = self.meets(plan, || {
            if let Some(row) = row {
                self.ledger.lock().arrives(&row, &what, is_message);
            }
            true
        });
        sent(fate.await)
    }

    async fn erase(&self, _internal_id: &str) -> Sent {
        Sent::Acknowledged
    }

    fn receive(&self, webhook: &Webhook) -> Result<Inbound, WebhookRefusal> {
        let posted = self.lock().from_agent.get(number(webhook)).cloned();
        posted.ok_or(WebhookRefusal::Malformed)
    }

    fn reply(&self, _kind: RequestKind, _answer: &Answer) -> WebhookReply {
        WebhookReply::ok()
    }
}

#[async_trait]
impl Source for Outside {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        let posted = self.lock().from_source.get(number(webhook)).cloned();
        let event = posted.ok_or(WebhookRefusal::Malformed)?;
        Ok(Received {
            events: vec![event],
            reply: Box::new(WebhookReply::ok()),
        })
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        let by_agent = item.author == Author::Agent;
        match self.shows(address, text_of(item), by_agent).await {
            Fate::Acknowledged => self.remote_id(),
            other => sent(other),
        }
    }

    async fn escalate(&self, address: &str, _handover: &Handover) -> Sent {
        sent(self.gives(address, "the handover", true).await)
    }

    async fn resume(&self, address: &str, _note: &str) -> Sent {
        sent(self.gives(address, "the handback", false).await)
    }

    async fn read_owner(&self, address: &str) -> Result<Observed, NotRead> {
        let (human, begun_in) = {
            let mut ledger = self.ledger.lock();
            ledger.activity += 1;
            let key = ledger.addresses.get(address).cloned();
            let epoch = key.map_or(0, |key| ledger.talk(&key).epoch);
            ledger.tell(format!("?? who owns c{address}"));
            let human = self.lock().human_there.get(address).copied();
            (human.unwrap_or_default(), epoch)
        };
        let reading = self.reading().await;
        let owner = match reading {
            Reading::Truth if human => Owner::Human,
            Reading::Truth => Owner::Agent,
            // What is never told is unknown as well.
            Reading::Unknown | Reading::Refused => Owner::Unknown,
            Reading::Later => return Err(not_read(reading)),
        };
        let mut ledger = self.ledger.lock();
        ledger.tell(format!("?? c{address} is read as {owner:?}"));
        ledger.readings.push((address.to_owned(), owner, begun_in));
        match reading {
            Reading::Refused => Err(not_read(reading)),
            _ => Ok(Observed::read(owner)),
        }
    }

    async fn read_back(
        &self,
        address: &str,
        item: &Item,
        _since: Timestamp,
    ) -> Result<Arrival, NotRead> {
        self.ledger.lock().activity += 1;
        match self.reading().await {
            Reading::Truth | Reading::Unknown => {}
            reading => return Err(not_read(reading)),
        }
        let shown = (address.to_owned(), text_of(item).to_owned());
        let arrived = self.lock().shown.contains(&shown);
        self.ledger
            .lock()
            .tell(format!("?? {} arrived: {arrived}", shown.1));
        Ok(if arrived {
            Arrival::Arrived {
                remote_id: "found".into(),
            }
        } else {
            Arrival::Missing
        })
    }
}

fn webhook(number: usize) -> Webhook {
    Webhook {
        method: http::Method::POST,
        headers: http::HeaderMap::new(),
        path: String::new(),
        query: String::new(),
        body: Bytes::from(number.to_string()),
    }
}

fn number(webhook: &Webhook) -> usize {
    let text = std::str::from_utf8(&webhook.body).unwrap_or_default();
    text.parse().unwrap_or(usize::MAX)
}

fn text_of(item: &Item) -> &str {
    match &item.body {
        ItemBody::Text(text) => text,
        _ => "something else",
    }
}

fn sent(fate: Fate) -> Sent {
    let refused = |refusal| Sent::Refused {
        refusal,
        detail: String::new(),
    };
    match fate {
        Fate::Acknowledged => Sent::Acknowledged,
        Fate::NotSent => Sent::NotSent,
        Fate::Busy => Sent::Busy {
            retry_after: Some(A_WHILE),
        },
        Fate::NotNow => Sent::NotNow {
            after: Some(A_WHILE),
        },
        Fate::Unclear { .. } => Sent::Unclear,
        Fate::Refused => refused(Refusal::Request),
        Fate::NotOwner => refused(Refusal::NotOwner),
    }
}

fn not_read(reading: Reading) -> NotRead {
    match reading {
        Reading::Refused => NotRead::Refused {
            detail: String::new(),
        },
        _ => NotRead::Later {
            after: Some(A_WHILE),
        },
    }
}
