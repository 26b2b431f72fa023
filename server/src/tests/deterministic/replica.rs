//! A replica: the parts that the server is built from, on a database, a platform and bells that are not.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{agent, bells, life::Life, members, plan::Plan, store::Reached, world::World};
use crate::{
    committer::{Committer, CommitterSettings, Observers},
    conversations::{Conversations, Desk, WebhookLog},
    delivery::{self, Backoff, BreakerSettings, Breakers, Lanes},
    domain::{
        Account, ActionFallback, AgentSettings, AllowList, Clock, Directory, Id, Result, Timestamp,
        ports::{Agent, Batch, Effect, Store},
    },
    hub::{self, Hub},
    live::{self, Live},
    metrics::Metrics,
    store::StoreClock,
    subscriptions::{self, Subscriptions},
    tail::{Looks, Tail},
    waiters::Waiters,
};

pub(super) const AGENT: &str = "bot";
pub(super) const ACCOUNT: &str = "shop";
/// How long one request to the agent may take.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(4);
/// How often the log is looked at when no bell is heard.
const LOOKS: Looks = Looks {
    connected: Duration::from_secs(1),
    alone: Duration::from_millis(100),
};
const WHILE: Duration = Duration::from_mins(30);

/// What serves, for one life.
#[derive(Debug)]
pub(super) struct Replica {
    pub life: Arc<Life>,
    pub conversations: Arc<Conversations>,
    pub hub: Arc<Hub>,
    pub subscriptions: Arc<Subscriptions>,
    pub machine: Arc<MachineClock>,
    /// Ends what would only look in vain.
    stop: CancellationToken,
}

impl Replica {
    /// The process is gone, in the middle of whatever it did.
    pub(super) fn dies(&self) {
        self.life.end();
        self.stop.cancel();
    }
}

/// The clock of one machine, which may tell anything.
#[derive(Debug)]
pub(super) struct MachineClock {
    began: tokio::time::Instant,
    microseconds: AtomicI64,
}

impl MachineClock {
    pub(super) fn set(&self, microseconds: i64) {
        self.microseconds.store(microseconds, Ordering::Relaxed);
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.microseconds.load(Ordering::Relaxed)) + self.began.elapsed()
    }

    fn is_real(&self) -> bool {
        true
    }
}

/// Starts a replica and recovers what is left behind, as the server does.
#[expect(
    clippy::too_many_lines,
    reason = "the parts in the order in which the server puts them together"
)]
pub(super) async fn start(world: &Arc<World>, life: &Arc<Life>) -> Result<Replica> {
    let metrics = Metrics::new();
    let machine = Arc::new(MachineClock {
        began: tokio::time::Instant::now(),
        microseconds: AtomicI64::new(world.now().0),
    });
    let clock = Arc::new(StoreClock::new(
        Arc::clone(&machine) as Arc<dyn Clock>,
        true,
    ));
    let reached = Reached {
        world: Arc::clone(world),
        life: Arc::clone(life),
        clock: Arc::clone(&clock),
        refused_at: Mutex::default(),
    };
    let clock: Arc<dyn Clock> = clock;
    let kept = Arc::new(reached);
    let store: Arc<dyn Store> = kept.clone();
    let known = configured(world, life);
    let (_, head) = store.bounds().await?;
    let hub = Hub::start(
        hub_settings(&world.plan),
        Arc::clone(&store),
        Arc::clone(&known),
        Arc::clone(&metrics),
        head,
    );
    let waiters = Arc::new(Waiters::default());
    let breakers = Arc::new(Breakers::new(BreakerSettings {
        failures: 3,
        open_for: Duration::from_secs(2),
    }));
    let desk = Desk {
        waiters: Arc::clone(&waiters),
        live: Arc::clone(&known),
    };
    let lanes = Lanes::new(delivery::Parts {
        desk,
        breakers: Arc::clone(&breakers),
        backoff: Backoff {
            base: Duration::from_millis(200),
            max: Duration::from_secs(2),
        },
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
    });
    let tail = Tail::new(
        Arc::clone(&store),
        Arc::clone(&hub),
        Arc::clone(&waiters),
        head,
    );
    let dying = (Arc::clone(world), Arc::clone(life));
    let observers = Observers {
        publish: Box::new(after_commit(world, life, (&hub, &tail), &lanes)),
        fatal: Box::new(move || super::trouble::falls_over(&dying.0, &dying.1)),
        metrics: Arc::clone(&metrics),
    };
    let settings = CommitterSettings {
        max_batch: world.plan.max_batch,
        ..CommitterSettings::default()
    };
    let committer = Committer::start(Arc::clone(&store), settings, observers);
    lanes.attach(committer.clone());
    let directory = known.directory();
    let busy = delivery::recover(store.as_ref(), &committer, &directory, true).await?;
    for lane in busy {
        lanes.ring(lane);
    }
    let stop = CancellationToken::new();
    bells::listen(world, life, &tail);
    tokio::spawn(Arc::clone(&tail).run(LOOKS, stop.clone()));
    tokio::spawn(delivery::take_over(
        Arc::clone(&store),
        committer.clone(),
        lanes,
        Arc::clone(&known),
        stop.clone(),
    ));
    let subscriptions = Subscriptions::new(subscriptions::Parts {
        store: Arc::clone(&store),
        kept,
        committer: committer.clone(),
        hub: Arc::clone(&hub),
        live: Arc::clone(&known),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        settings: members::settings(&world.plan),
        reason: crate::grpc::status::reason,
    });
    let conversations = Arc::new(Conversations {
        store,
        committer,
        live: known,
        breakers,
        waiters,
        hub: Arc::clone(&hub),
        webhook_log: WebhookLog::new(Arc::clone(&clock), 10),
        clock,
        metrics,
        erasures: Arc::default(),
        idempotency_window: WHILE,
        is_shared: true,
        store_patience: Duration::from_millis(500),
    });
    Ok(Replica {
        life: Arc::clone(life),
        conversations,
        hub,
        subscriptions,
        machine,
        stop,
    })
}

/// What follows a commit, in the order in which the server does it.
fn after_commit(
    world: &Arc<World>,
    life: &Arc<Life>,
    (hub, tail): (&Arc<Hub>, &Arc<Tail>),
    lanes: &Arc<Lanes>,
) -> impl Fn(Batch) + Send + Sync + use<> {
    let (world, life) = (Arc::clone(world), Arc::clone(life));
    let (hub, tail, lanes) = (Arc::clone(hub), Arc::clone(tail), Arc::clone(lanes));
    move |batch| {
        let before = hub.head();
        tail.committed(&batch);
        let first = batch.events.first().map(|event| event.position);
        if let Some(first) = first.filter(|first| *first > before.next() && hub.head() >= *first) {
            // Those who wait here would never hear of what others have committed before it.
            world.wrong(format!("{} was told right after {}", first.0, before.0));
        }
        bells::ring(&world, &life);
        for effect in batch.effects {
            match effect {
                Effect::RingLane(key) => lanes.ring(key),
                Effect::Attempt(attempt) => lanes.start(*attempt),
                Effect::Forget { .. } => {}
            }
        }
    }
}

fn configured(world: &Arc<World>, life: &Arc<Life>) -> Arc<Live> {
    let agent: Arc<dyn Agent> = Arc::new(agent::Reached {
        world: Arc::clone(world),
        life: Arc::clone(life),
    });
    let account = Account {
        name: Id::trusted(ACCOUNT),
        agent: Id::trusted(AGENT),
        upstream_prefix: String::new(),
        source: None,
    };
    Live::fixed(live::Setup {
        directory: Arc::new(Directory::new(vec![agent_settings()], vec![account])),
        agents: HashMap::from([(Id::trusted(AGENT), agent)]),
        ..live::Setup::default()
    })
}

fn agent_settings() -> AgentSettings {
    AgentSettings {
        name: Id::trusted(AGENT),
        paused: false,
        allowed: AllowList::default(),
        session_timeout: WHILE,
        send_timeout: SEND_TIMEOUT,
        max_queue_age: WHILE,
        max_queued: 1000,
        max_open_requests: 10,
        action_time_limit: SEND_TIMEOUT,
        escalation_time_limit: SEND_TIMEOUT,
        availability_time_limit: SEND_TIMEOUT,
        repeat_window: SEND_TIMEOUT,
        fence_by_id: true,
        human_must_join: false,
        default_account: None,
        handback_parameter: "note".into(),
        always_personal: HashSet::new(),
        action_fallback: ActionFallback::Empty,
        accept_unanswered_escalations: false,
        refuse_unlisted_actions: false,
        actions: HashMap::new(),
    }
}

/// Small, so that a short log leaves memory, too.
fn hub_settings(plan: &Plan) -> hub::Settings {
    hub::Settings {
        ring_events: plan.ring,
        page_events: plan.page,
        ..hub::Settings::default()
    }
}
