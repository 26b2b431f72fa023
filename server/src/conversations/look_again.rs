//! A source is looked at for what no webhook brought: webhooks may be lost, and most are while nobody is there.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{
    Id, Result, Timestamp,
    ports::{Transaction, Unit},
};

use super::Conversations;

/// A look begins this long before the end of the last one: clocks differ, and what is found twice is taken once.
const LOOK_BACK: Duration = Duration::from_mins(5);

/// No look goes back further, and the first not at all beyond [`LOOK_BACK`]: what is older has been answered by humans,
/// or is not waited for any more; and what was taken a week ago is not remembered.
const LONGEST_LOOK_BACK: Duration = Duration::from_hours(24);

impl Conversations {
    /// Looks once, and takes what is found as if a webhook had brought it. Answers how much that was.
    ///
    /// # Errors
    ///
    /// The store could not be read or written: the next look begins where this one did.
    pub async fn look_at(&self, tenant: &Id, name: &Id) -> Result<usize> {
        let Some(source) = self.live.source(name.as_str()) else {
            return Ok(0);
        };
        let begun = self.clock.now();
        let since = self.since(name, begun).await?;
        let found = match source.look(since).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(source = %name, ?error, "a source could not be asked for what came");
                return Ok(0);
            }
        };
        let count = found.len();
        // One by one: what one of them is refused for must not keep the others out.
        for event in found {
            self.visit(tenant, name.as_str(), vec![event], "").await?;
        }
        let done = LookedUntil {
            source: name.clone(),
            until: Some(begun),
        };
        self.committer.submit(done).await?;
        Ok(count)
    }

    async fn since(&self, name: &Id, now: Timestamp) -> Result<Timestamp> {
        let known = LookedUntil {
            source: name.clone(),
            until: None,
        };
        let until = self.committer.submit(known).await?.output;
        Ok(since(until, now))
    }
}

fn since(looked_until: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let last = looked_until.unwrap_or(now) - LOOK_BACK;
    last.max(now - LONGEST_LOOK_BACK)
}

/// Reads until when a source has been looked at, or sets it.
#[derive(Debug)]
struct LookedUntil {
    source: Id,
    until: Option<Timestamp>,
}

#[async_trait]
impl Unit for LookedUntil {
    type Output = Option<Timestamp>;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Option<Timestamp>> {
        if let Some(until) = self.until {
            tx.save_looked_until(&self.source, until).await?;
        }
        tx.looked_until(&self.source).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_begins_before_the_last_one_ended_and_never_in_the_distant_past() {
        let now = Timestamp(0) + Duration::from_hours(1000);
        assert_eq!(since(None, now), now - LOOK_BACK, "the first");
        let hour = Duration::from_hours(1);
        assert_eq!(since(Some(now - hour), now), now - hour - LOOK_BACK);
        assert_eq!(since(Some(Timestamp(0)), now), now - LONGEST_LOOK_BACK);
    }
}
