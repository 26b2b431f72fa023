//! The task of one subscription on this server: takes what has come up, looks into the log for what its members can take,
//! and does all of it in one turn after the other.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};

use super::{
    Parts, Running,
    mailbox::Mail,
    member::LocalStream,
    op::{LeftOver, Op, Pull, Pulled, Reply},
    plan::Plan,
    turn::{Known, Local, Step, Turn},
};
use crate::{
    domain::{
        Directory, Error, Id, Position, Result, Timestamp,
        subscription::{Acked, Group, SLOTS, SubscriptionKey, SubscriptionRecord},
    },
    hub::{Filter, Leave},
};

/// Without members the task stays for this long, so that calls that come one after the other find it.
pub(super) const LINGER: Duration = Duration::from_secs(10);

/// After a turn that could not be committed.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Whoever was replaced and comes back all the same does so within this time.
const REPLACED: Duration = Duration::from_millis(500);

/// Repeats that one turn hands out.
const REPEATS: usize = 256;

pub(super) struct Dispatcher {
    pub(super) parts: Arc<Parts>,
    pub(super) running: Arc<Running>,
    pub(super) key: SubscriptionKey,
    pub(super) inbox: mpsc::UnboundedReceiver<Op>,
    pub(super) heads: watch::Receiver<Position>,
    /// Rung by mailboxes.
    pub(super) bell: Arc<Notify>,
    pub(super) streams: BTreeMap<Id, LocalStream>,
    pub(super) pulls: BTreeMap<Id, Pull>,
    /// Handed to members that pull, and more than one answer holds.
    pub(super) left_over: BTreeMap<Id, LeftOver>,
    /// Whose pulls have just joined.
    pub(super) rested: Vec<Id>,
    pub(super) record: Option<SubscriptionRecord>,
    pub(super) known: Option<Group>,
    pub(super) filter: Option<(Arc<Directory>, Filter)>,
    /// Of each slot: under this token, everything up to here was looked at and is of no concern.
    pub(super) seen: Vec<(u64, Position)>,
    /// Questions were looked for up to here.
    pub(super) asked_through: Option<Position>,
    pub(super) steps: Vec<(Step, Answer)>,
    /// Somebody else may have changed something.
    pub(super) stale: bool,
    /// The database's time of the last turn.
    pub(super) last_turn: Timestamp,
    pub(super) turned_at: Instant,
    pub(super) renew_at: Instant,
    pub(super) look_at: Instant,
    pub(super) idle_since: Instant,
    pub(super) stopped: Vec<tokio::sync::oneshot::Sender<()>>,
    pub(super) over: bool,
}

/// Whom the end of a step is told.
pub(super) enum Answer {
    Nobody,
    Join(Id, u64, Reply<Position>),
    /// The member's stream itself: its leases ran out, and it asks for them anew.
    Rejoin(Id, u64),
    Pull(Id),
    Ack(Reply<Vec<Acked>>),
    Act(Reply<usize>),
    Forget {
        asked: Position,
        resumed: Position,
    },
}

impl Dispatcher {
    pub(super) fn new(
        parts: Arc<Parts>,
        running: Arc<Running>,
        key: SubscriptionKey,
        inbox: mpsc::UnboundedReceiver<Op>,
    ) -> Self {
        let now = Instant::now();
        Self {
            heads: parts.hub.heads(),
            parts,
            running,
            key,
            inbox,
            bell: Arc::new(Notify::new()),
            streams: BTreeMap::new(),
            pulls: BTreeMap::new(),
            left_over: BTreeMap::new(),
            rested: Vec::new(),
            record: None,
            known: None,
            filter: None,
            seen: vec![(0, Position(0)); usize::from(SLOTS)],
            asked_through: None,
            steps: Vec::new(),
            stale: true,
            last_turn: Timestamp(0),
            turned_at: now,
            renew_at: now,
            look_at: now,
            idle_since: now,
            stopped: Vec::new(),
            over: false,
        }
    }

    pub(super) async fn run(mut self) {
        while !self.over {
            self.take_ops();
            self.note_times();
            let plan = match self.plan().await {
                Ok(plan) => plan,
                Err(error) => {
                    tracing::warn!(subscription = %self.key.name, %error, "the log could not be read for a subscription");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            if plan.is_empty() && self.steps.is_empty() && !self.stale {
                self.tell_level();
                if self.has_ended() {
                    return;
                }
                self.wait().await;
                continue;
            }
            let mut plan = plan;
            self.note_seen(&mut plan);
            self.turn(plan).await;
        }
    }

    /// Nobody has anything to do with it, and nobody will be told of what comes: the next one who comes starts it anew.
    fn has_ended(&mut self) -> bool {
        for stopped in self.stopped.drain(..) {
            // Whoever stops may have run out of time.
            let _ = stopped.send(());
        }
        let is_idle = self.streams.is_empty() && self.pulls.is_empty();
        if !is_idle {
            self.idle_since = Instant::now();
            return false;
        }
        let mut running = self.running.lock();
        if (self.idle_since.elapsed() < LINGER && !running.stopping) || !self.inbox.is_empty() {
            return false;
        }
        running.inboxes.remove(&self.key);
        true
    }

    fn take_ops(&mut self) {
        while let Ok(op) = self.inbox.try_recv() {
            self.take(op);
        }
    }

    pub(super) fn take(&mut self, op: Op) {
        match op {
            Op::Join {
                member,
                mut stream,
                reply,
            } => {
                stream.bell.clone_from(&self.bell);
                self.join(member, stream, reply);
            }
            Op::Left { member, session } => {
                let ours = self.streams.get(&member);
                if ours.is_some_and(|stream| stream.session == session) {
                    self.streams.remove(&member);
                }
                self.push(Step::Leave { member, session });
            }
            Op::Pull { member, pull } => self.pull(member, pull),
            Op::Ack { acks, reply } => self.steps.push((Step::Ack(acks), Answer::Ack(reply))),
            Op::Act { act, record, reply } => {
                self.steps
                    .push((Step::Act(act, record), Answer::Act(reply)));
            }
            Op::Forget { floor } => self.forget(floor),
            Op::Stop { reply } => {
                self.stopped.push(reply);
                self.stop();
            }
        }
    }

    fn join(&mut self, member: Id, stream: LocalStream, reply: Reply<Position>) {
        let session = stream.session;
        let step = Step::Join {
            member: member.clone(),
            session,
            pulls: false,
            max_in_flight: stream.max_in_flight,
            lease: self.parts.settings.lease,
        };
        let before = self.streams.insert(member.clone(), stream);
        if let Some(before) = before {
            self.say_goodbye(&before, Leave::Replaced);
        }
        self.steps
            .push((step, Answer::Join(member, session, reply)));
    }

    fn pull(&mut self, member: Id, pull: Pull) {
        let step = Step::Join {
            member: member.clone(),
            // All calls of one member are one session.
            session: 0,
            pulls: true,
            max_in_flight: pull.max_in_flight,
            lease: pull.lease,
        };
        let before = self.pulls.insert(member.clone(), pull);
        if let Some(before) = before {
            // It has gone away, or waits twice: one answer is enough.
            let _ = before.reply.send(Ok(self.nothing()));
        }
        if let Some(stream) = self.streams.remove(&member) {
            self.say_goodbye(&stream, Leave::Replaced);
        }
        self.steps.push((step, Answer::Pull(member)));
    }

    /// What a pull is answered that was in vain.
    pub(super) fn nothing(&self) -> Pulled {
        Pulled {
            done_through: self.done_through(),
            ..Pulled::default()
        }
    }

    pub(super) fn stop(&mut self) {
        for (member, stream) in std::mem::take(&mut self.streams) {
            self.say_goodbye(&stream, Leave::Shutdown);
            self.push(Step::Leave {
                member,
                session: stream.session,
            });
        }
        for (_, pull) in std::mem::take(&mut self.pulls) {
            let _ = pull.reply.send(Err(Error::Stopping));
        }
    }

    pub(super) fn say_goodbye(&self, stream: &LocalStream, reason: Leave) {
        let within = match reason {
            Leave::Shutdown => self.running.lock().spread,
            // Two that go on taking each other's place do it at leisure.
            Leave::Replaced => REPLACED,
            // Lifetimes are of different lengths already.
            Leave::Lifetime => Duration::ZERO,
        };
        stream.mailbox.end(Mail::GoingAway {
            resume: self.done_through(),
            reconnect_after: within.mul_f64(fastrand::f64()),
            reason,
        });
    }

    pub(super) fn done_through(&self) -> Position {
        self.known.as_ref().map_or(Position(0), Group::done_through)
    }

    pub(super) fn push(&mut self, step: Step) {
        self.steps.push((step, Answer::Nobody));
    }

    pub(super) fn forget(&mut self, floor: Position) {
        let resumed = Position(floor.0.saturating_sub(1));
        let before = Position(resumed.0.saturating_sub(1));
        let asked = self.done_through().min(before);
        self.steps
            .push((Step::Forget(floor), Answer::Forget { asked, resumed }));
    }

    async fn turn(&mut self, plan: Plan) {
        let (steps, answers): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.steps).into_iter().unzip();
        // What nobody waits for happens all the same when this turn cannot be committed.
        let owed = steps.iter().filter(|step| step.is_owed());
        let owed: Vec<_> = owed.cloned().collect();
        let known = self.known.take().zip(self.record.as_ref());
        let known = known.map(|(group, record)| Known {
            revision: record.revision,
            group,
        });
        let turn = Turn {
            key: self.key.clone(),
            known: Mutex::new(known),
            steps,
            offers: plan.offers,
            catch_ups: plan.catch_ups,
            scans: plan.scans,
            locals: self.locals(),
            limit: REPEATS,
            max_pending: self.parts.settings.max_pending,
            max_members: self.parts.settings.max_members,
            reason: self.parts.reason,
        };
        let turned = self.parts.committer.submit(turn).await;
        match turned {
            Ok(committed) => self.turned(committed.output, answers, plan.events).await,
            Err(error) => {
                for step in owed {
                    self.push(step);
                }
                self.failed(&error, answers).await;
            }
        }
    }

    /// Who of this server can be handed something.
    pub(super) fn locals(&self) -> BTreeMap<Id, Local> {
        let streams = self.streams.iter().map(|(id, stream)| {
            let local = Local {
                session: Some(stream.session),
                room: stream.max_in_flight as usize,
            };
            (id.clone(), local)
        });
        // Whoever does not wait any more is handed nothing.
        let waiting = self
            .pulls
            .iter()
            .filter(|(_, pull)| !pull.reply.is_closed());
        let pulls = waiting.map(|(id, pull)| {
            let local = Local {
                session: None,
                // What was handed out before goes first.
                room: if self.left_over.contains_key(id) {
                    0
                } else {
                    pull.want
                },
            };
            (id.clone(), local)
        });
        streams.chain(pulls).collect()
    }
}

/// Results of database work that somebody waits for.
pub(super) type Read<T> = Result<T>;
