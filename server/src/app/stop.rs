//! The end, in order: say so, let go of what waits, finish what is under way, close.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::App;

/// Over how long the goodbyes to subscribers are spread, so that they do not reconnect all at once.
const SPREAD: Duration = Duration::from_secs(2);

impl App {
    /// Stops within `shutdown.hard_deadline`: what is not finished by then is on disk and goes on after the next start.
    pub async fn stop(self) {
        let deadline = self.shutdown.hard_deadline;
        // Nothing that is cut off here can be lost: everything acknowledged is committed.
        if tokio::time::timeout(deadline, self.stop_in_order())
            .await
            .is_err()
        {
            tracing::warn!(?deadline, "the time to stop in order is over: ending now");
        }
    }

    async fn stop_in_order(self) {
        tracing::info!("stopping: not ready any more");
        self.readiness.stopping();
        // Its last word is ours.
        self.reporting.abort();
        let _ = self.reporting.await;
        self.health.set_serving(false);
        // Load balancers look only now and then.
        tokio::time::sleep(self.shutdown.notice).await;
        let streams = self.parts.hub.streams() + self.parts.subscriptions.streams();
        tracing::info!(streams, "stopping: streams are told where to resume");
        let spread = spread(streams);
        self.parts.hub.shut_down(spread).await;
        let subscriptions = self.parts.subscriptions.shut_down(spread);
        if tokio::time::timeout(self.shutdown.grace, subscriptions)
            .await
            .is_err()
        {
            tracing::warn!("members of subscriptions were not signed off: their leases run out");
        }
        self.stopping.cancel();
        // One grace for all: held webhooks are answered or get their fallback, calls end, and requests to agents that
        // have begun are committed. Nothing new begins.
        let lanes = tokio::time::timeout(self.shutdown.grace, self.parts.lanes.drain());
        let (lanes, ()) = tokio::join!(lanes, finished(self.tasks));
        if lanes.is_err() {
            tracing::warn!(
                "requests to agents are still under way: their outcome is settled after the next start"
            );
        }
        self.parts.committer.drain().await;
        if let Err(error) = self.parts.store.close().await {
            tracing::warn!(%error, "the database was not closed cleanly; it recovers by itself");
        }
        tracing::info!("stopped");
    }
}

async fn finished(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        if let Err(error) = task.await {
            tracing::error!(%error, "a task of the server failed");
        }
    }
}

/// A few streams need no spreading.
fn spread(streams: usize) -> Duration {
    let each = Duration::from_millis(2);
    each.saturating_mul(u32::try_from(streams).unwrap_or(u32::MAX))
        .min(SPREAD)
}
