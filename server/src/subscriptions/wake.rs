//! When the task goes on: something has come up, or a time is over.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    dispatcher::{Dispatcher, LINGER},
    mailbox::Mail,
    op::Pulled,
    turn::Step,
};
use crate::hub::Leave;

impl Dispatcher {
    /// What the time has brought up on this server.
    pub(super) fn note_times(&mut self) {
        let now = Instant::now();
        self.note_expired(now);
        self.end_old_streams(now);
        self.note_pulls(now);
        self.say_checkpoints(now);
        if now >= self.renew_at {
            self.renew_at = now + self.parts.settings.lease / 3;
            let lease = self.parts.settings.lease;
            let renewals: Vec<_> = self
                .streams
                .iter()
                .map(|(member, stream)| Step::Renew {
                    member: member.clone(),
                    session: stream.session,
                    lease,
                })
                .collect();
            for renewal in renewals {
                self.push(renewal);
            }
        }
        if let Some(due) = self.next_due()
            && due.is_zero()
        {
            self.stale = true;
        }
    }

    fn note_expired(&mut self, now: Instant) {
        let mailboxes = self.streams.values().map(|stream| &stream.mailbox);
        let expired: Vec<_> = mailboxes.flat_map(|it| it.expired(now)).collect();
        for over in expired {
            let is_there = self
                .known
                .as_ref()
                .is_none_or(|group| group.is_in_flight(over.ack, over.attempt));
            if is_there {
                self.push(Step::Expire {
                    ack: over.ack,
                    attempt: over.attempt,
                });
            }
        }
    }

    fn end_old_streams(&mut self, now: Instant) {
        let old = self.streams.iter().filter(|(_, it)| it.ends_at <= now);
        let old: Vec<_> = old.map(|(id, _)| id.clone()).collect();
        for member in old {
            if let Some(stream) = self.streams.remove(&member) {
                self.say_goodbye(&stream, Leave::Lifetime);
                let session = stream.session;
                self.push(Step::Leave { member, session });
            }
        }
    }

    fn note_pulls(&mut self, now: Instant) {
        let over = self
            .pulls
            .iter()
            .filter(|(_, pull)| (pull.joined && pull.until <= now) || pull.reply.is_closed());
        let over: Vec<_> = over.map(|(id, _)| id.clone()).collect();
        for member in over {
            if let Some(pull) = self.pulls.remove(&member) {
                let _ = pull.reply.send(Ok(Pulled {
                    gap: pull.gap,
                    ..self.nothing()
                }));
            }
        }
    }

    fn say_checkpoints(&mut self, now: Instant) {
        let done = self.done_through();
        for stream in self.streams.values() {
            let quiet = stream.mailbox.quiet_since();
            if quiet.is_some_and(|since| since + beat(stream.heartbeat) <= now) {
                stream.mailbox.put(Mail::Checkpoint(done));
            }
        }
    }

    /// How long until the state of the subscription brings something up by itself.
    fn next_due(&self) -> Option<Duration> {
        let due = self.known.as_ref()?.next_due(self.last_turn)?;
        // The database's clock may go otherwise than this machine's.
        Some(due.since(self.last_turn + self.turned_at.elapsed()))
    }

    pub(super) async fn wait(&mut self) {
        let until = self.wake_at();
        let watches = !self.streams.is_empty() || !self.pulls.is_empty();
        tokio::select! {
            // All that has come up is done after any of them; so it is no matter of chance which of two is seen.
            biased;
            op = self.inbox.recv() => {
                if let Some(op) = op {
                    self.take(op);
                }
            }
            moved = self.heads.changed(), if watches => {
                // The hub is gone: so is the server.
                if moved.is_err() {
                    tokio::time::sleep_until(until).await;
                }
            }
            () = self.bell.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
        self.look().await;
    }

    /// Whether another server has changed something.
    async fn look(&mut self) {
        let now = Instant::now();
        if now < self.look_at {
            return;
        }
        self.look_at = now + self.parts.settings.look_interval;
        let Some(record) = &self.record else { return };
        match self.parts.kept.revision(&self.key).await {
            Ok(revision) => self.stale |= revision != Some(record.revision),
            Err(error) => {
                tracing::warn!(subscription = %self.key.name, %error, "a subscription could not be looked at");
            }
        }
    }

    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let mut until = now + LINGER;
        if !self.streams.is_empty() {
            until = until.min(self.renew_at).min(self.look_at);
        }
        if !self.pulls.is_empty() {
            until = until.min(self.look_at);
        }
        for stream in self.streams.values() {
            let beats = stream.mailbox.quiet_since();
            let beats = beats.map(|since| since + beat(stream.heartbeat));
            let ends = stream.mailbox.next_end();
            let each = [Some(stream.ends_at), beats, ends];
            until = each.into_iter().flatten().fold(until, Instant::min);
        }
        for pull in self.pulls.values() {
            until = until.min(pull.until);
        }
        if let Some(due) = self.next_due() {
            // A little later than the database's clock says, so that it has come by then.
            until = until.min(now + due + Duration::from_millis(1));
        }
        until
    }
}

/// Early enough to be there in time.
fn beat(heartbeat: Duration) -> Duration {
    heartbeat.mul_f64(0.75)
}
