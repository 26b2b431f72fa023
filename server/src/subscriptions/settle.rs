//! What a turn came to: who waits is told, who was replaced goes.

use tokio::time::Instant;

use super::{
    dispatcher::{Answer, Dispatcher, PAUSE},
    mailbox::Mail,
    plan::Events,
    turn::{Done, Step, Turned},
};
use crate::{
    domain::{Error, Position, subscription::Acked},
    hub::Leave,
};

impl Dispatcher {
    pub(super) async fn turned(&mut self, turned: Turned, answers: Vec<Answer>, events: Events) {
        self.stale = false;
        self.last_turn = turned.now;
        self.turned_at = Instant::now();
        match turned.now_is {
            Some((record, group)) => {
                // Nobody comes for what a member that has gone left over.
                let members = &group.core.members;
                self.left_over
                    .retain(|member, _| members.contains_key(member));
                self.record = Some(record);
                self.known = Some(group);
            }
            None => self.is_gone(),
        }
        for (done, answer) in turned.done.into_iter().zip(
            answers
                .into_iter()
                .map(Some)
                .chain(std::iter::repeat_with(|| None)),
        ) {
            if let Some(answer) = answer {
                self.tell(done, answer);
            }
        }
        self.look_after_members();
        let is_whole = self.deliver(turned.out, events).await;
        for member in std::mem::take(&mut self.rested) {
            self.answer_with_the_rest(&member);
        }
        if !is_whole {
            // The next turn hands it out again: a database that is half away is not to be asked without end.
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Nothing was changed. What somebody waits for is refused; what has to happen is tried again.
    pub(super) async fn failed(&mut self, error: &Error, answers: Vec<Answer>) {
        self.stale = true;
        // What was to be offered is looked for anew.
        self.asked_through = None;
        for answer in answers {
            match answer {
                Answer::Join(member, _, reply) => {
                    self.streams.remove(&member);
                    let _ = reply.send(Err(error.clone()));
                }
                Answer::Pull(member) => {
                    if let Some(pull) = self.pulls.remove(&member) {
                        let _ = pull.reply.send(Err(error.clone()));
                    }
                }
                Answer::Ack(reply) => {
                    let _ = reply.send(Err(error.clone()));
                }
                Answer::Act(reply) => {
                    let _ = reply.send(Err(error.clone()));
                }
                // Whose leases are still lost asks again after the next turn.
                Answer::Rejoin(..) | Answer::Forget { .. } | Answer::Nobody => {}
            }
        }
        self.over = *error == Error::Stopping;
        if self.over {
            self.stop();
            for stopped in self.stopped.drain(..) {
                let _ = stopped.send(());
            }
            self.running.lock().inboxes.remove(&self.key);
            return;
        }
        tracing::warn!(subscription = %self.key.name, %error, "what a subscription did was not committed and is tried again");
        tokio::time::sleep(PAUSE).await;
    }

    fn tell(&mut self, done: Done, answer: Answer) {
        let gone = || Error::not_found("subscription", &self.key.name);
        match (answer, done) {
            (Answer::Join(_, _, reply), Done::Joined(Ok(()))) => {
                let _ = reply.send(Ok(self.done_through()));
            }
            (Answer::Join(member, session, reply), Done::Joined(Err(error))) => {
                let ours = self.streams.get(&member);
                if ours.is_some_and(|stream| stream.session == session) {
                    self.streams.remove(&member);
                }
                let _ = reply.send(Err(error));
            }
            (Answer::Rejoin(member, session), Done::Joined(Err(error))) => {
                let ours = self.streams.get(&member);
                if ours.is_some_and(|stream| stream.session == session)
                    && let Some(stream) = self.streams.remove(&member)
                {
                    // Asking without end would keep the head of the log from everybody else.
                    stream.mailbox.end(Mail::Failed(error));
                }
            }
            (Answer::Pull(member), Done::Joined(joined)) => match joined {
                Ok(()) => {
                    if let Some(pull) = self.pulls.get_mut(&member) {
                        pull.joined = true;
                    }
                    self.rested.push(member);
                }
                Err(error) => {
                    if let Some(pull) = self.pulls.remove(&member) {
                        let _ = pull.reply.send(Err(error));
                    }
                }
            },
            (Answer::Ack(reply), Done::Acked(acked)) => {
                for result in &acked {
                    let word = match result {
                        Acked::Ok => "ok",
                        Acked::Stale => "stale",
                        Acked::DoneBefore => "done_before",
                    };
                    let (tenant, name) = (self.key.tenant.as_str(), self.key.name.as_str());
                    self.parts
                        .metrics
                        .subscriptions
                        .acknowledged(tenant, name, word);
                }
                let _ = reply.send(Ok(acked));
            }
            (Answer::Act(reply), Done::Acted(acted)) => {
                let _ = reply.send(acted);
            }
            (Answer::Forget { asked, resumed }, Done::Forgot(true)) => {
                self.tell_gap(asked, resumed);
            }
            (Answer::Join(_, _, reply), _) => {
                let _ = reply.send(Err(gone()));
            }
            (Answer::Ack(reply), _) => {
                let _ = reply.send(Err(gone()));
            }
            (Answer::Act(reply), _) => {
                let _ = reply.send(Err(gone()));
            }
            _ => {}
        }
    }

    /// Retention removed what was not done.
    fn tell_gap(&mut self, asked: Position, resumed: Position) {
        let (tenant, name) = (self.key.tenant.as_str(), self.key.name.as_str());
        self.parts.metrics.subscriptions.gap(tenant, name);
        for stream in self.streams.values() {
            stream.mailbox.put(Mail::Gap { asked, resumed });
        }
        for pull in self.pulls.values_mut() {
            pull.gap = Some((asked, resumed));
        }
    }

    /// There is no such subscription any more.
    fn is_gone(&mut self) {
        self.known = None;
        self.record = None;
        let error = Error::not_found("subscription", &self.key.name);
        for stream in std::mem::take(&mut self.streams).into_values() {
            stream.mailbox.end(Mail::Failed(error.clone()));
        }
        for pull in std::mem::take(&mut self.pulls).into_values() {
            let _ = pull.reply.send(Err(error.clone()));
        }
    }

    /// Who was replaced elsewhere goes; whose leases ran out although it is there comes again.
    fn look_after_members(&mut self) {
        let Some(group) = &self.known else { return };
        let members = &group.core.members;
        let mut replaced = Vec::new();
        let mut lost = Vec::new();
        for (id, stream) in &self.streams {
            match members.get(id) {
                Some(member) if member.session == stream.session => {}
                Some(_) => replaced.push(id.clone()),
                None => lost.push((id.clone(), stream.session, stream.max_in_flight)),
            }
        }
        for id in replaced {
            if let Some(stream) = self.streams.remove(&id) {
                self.say_goodbye(&stream, Leave::Replaced);
            }
        }
        for (member, session, max_in_flight) in lost {
            let answer = Answer::Rejoin(member.clone(), session);
            let step = Step::Join {
                member,
                session,
                pulls: false,
                max_in_flight,
                lease: self.parts.settings.lease,
            };
            self.steps.push((step, answer));
        }
    }
}
