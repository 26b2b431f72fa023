//! For a chat that is not typed by hand: whether what was sent has been answered, so that the next line may go.

use std::time::Duration;

use tokio::time::Instant;

/// An agent may answer in several messages, which follow each other closely.
const MORE: Duration = Duration::from_millis(400);

/// How long a welcome is waited for: not every agent has one, and nothing says that none will come.
const WELCOME: Duration = Duration::from_secs(2);

pub(super) struct Awaited {
    patience: Duration,
    answer_by: Option<Instant>,
    /// Something was said that calls for an answer; a welcome may come or not.
    owed: bool,
    more_until: Instant,
}

impl Awaited {
    /// `patience` is how long one answer may take.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            patience,
            answer_by: None,
            owed: false,
            more_until: Instant::now(),
        }
    }

    /// The agent was spoken to and should answer.
    pub(super) fn answer(&mut self) {
        self.answer_by = Some(Instant::now() + self.patience);
        self.owed = true;
    }

    /// The agent may welcome the visitor.
    pub(super) fn welcome(&mut self) {
        self.answer_by = Some(Instant::now() + self.patience.min(WELCOME));
        self.owed = false;
    }

    /// It answered; more may follow at once.
    pub(super) fn came(&mut self) {
        self.answer_by = None;
        self.more_until = Instant::now() + MORE;
    }

    /// Nothing will come: what was sent does not reach the agent.
    pub(super) fn nothing(&mut self) {
        self.answer_by = None;
    }

    /// When the wait is over if nothing happens until then.
    pub(super) fn until(&self) -> Instant {
        self.answer_by
            .unwrap_or(self.more_until)
            .max(self.more_until)
    }

    /// The wait is over. Whether an answer that was owed did not come.
    pub(super) fn missed(&mut self) -> bool {
        let missed = self.owed && self.answer_by.is_some_and(|by| by <= Instant::now());
        if missed {
            self.nothing();
        }
        missed
    }

    pub(super) fn is_over(&self) -> bool {
        self.until() <= Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_until_patience_ends() {
        let mut awaited = Awaited::new(PATIENCE);
        assert!(awaited.is_over());
        awaited.answer();
        assert!(!awaited.is_over());
        tokio::time::advance(PATIENCE).await;
        assert!(awaited.is_over());
        assert!(awaited.missed());
        assert!(!awaited.missed(), "it is missed once");
    }

    #[tokio::test(start_paused = true)]
    async fn after_an_answer_a_moment_is_left_for_more() {
        let mut awaited = Awaited::new(PATIENCE);
        awaited.answer();
        awaited.came();
        assert!(!awaited.is_over());
        tokio::time::advance(MORE).await;
        assert!(awaited.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_welcome_is_not_waited_for_as_long_as_an_answer() {
        let mut awaited = Awaited::new(PATIENCE);
        awaited.welcome();
        assert!(awaited.until() < Instant::now() + PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_reaches_the_agent_is_not_waited_for() {
        let mut awaited = Awaited::new(PATIENCE);
        awaited.answer();
        awaited.nothing();
        assert!(awaited.is_over());
    }
}
