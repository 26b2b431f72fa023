//! The record of everything that came in and went out, for tests to look at and for people to read.

mod seen;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::locked;
pub use seen::{SeenRequest, SentWebhook, WebhookAnswer};

/// How long a wait lasts at most, so that a test which waits in vain fails instead of hanging.
/// 30 s: more than any time limit that a simulated platform keeps.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Told of each request once it is answered, and of each webhook once its answer is there.
pub type Observer = Arc<dyn Fn(&Observation) + Send + Sync>;

/// Something finished.
#[derive(Clone, Debug)]
pub enum Observation {
    Request(SeenRequest),
    Webhook(SentWebhook),
}

pub(super) struct Recorder {
    kept: usize,
    observer: Option<Observer>,
    records: Mutex<Records>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Records {
    requests: VecDeque<SeenRequest>,
    requests_seen: usize,
    requests_ended: usize,
    webhooks: VecDeque<SentWebhook>,
    webhooks_sent: usize,
    metadata_variants: BTreeMap<String, u64>,
}

impl Recorder {
    pub(super) fn new(kept: usize, observer: Option<Observer>) -> Self {
        Self {
            kept: kept.max(1),
            observer,
            records: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Records a request that has arrived whole; the guard records how it ended.
    pub(super) fn arrived(self: &Arc<Self>, mut request: SeenRequest) -> Answering {
        let mut records = locked(&self.records);
        request.number = records.requests_seen;
        records.requests_seen += 1;
        let number = request.number;
        push_bounded(&mut records.requests, request, self.kept);
        drop(records);
        self.changed.send_replace(());
        Answering {
            recorder: Arc::clone(self),
            number,
            status: None,
        }
    }

    pub(super) fn webhook(&self, mut webhook: SentWebhook) {
        let mut records = locked(&self.records);
        webhook.number = records.webhooks_sent;
        records.webhooks_sent += 1;
        push_bounded(&mut records.webhooks, webhook.clone(), self.kept);
        drop(records);
        self.changed.send_replace(());
        self.observe(&Observation::Webhook(webhook));
    }

    pub(super) fn metadata_variant(&self, variant: String) {
        let mut records = locked(&self.records);
        *records.metadata_variants.entry(variant).or_default() += 1;
    }

    pub(super) fn metadata_variants(&self) -> BTreeMap<String, u64> {
        locked(&self.records).metadata_variants.clone()
    }

    pub(super) fn requests(&self) -> Vec<SeenRequest> {
        locked(&self.records).requests.iter().cloned().collect()
    }

    pub(super) fn webhooks(&self) -> Vec<SentWebhook> {
        locked(&self.records).webhooks.iter().cloned().collect()
    }

    pub(super) async fn wait_for_requests(&self, count: usize) -> Vec<SeenRequest> {
        self.wait(|records| records.requests_seen >= count).await;
        self.requests()
    }

    pub(super) async fn wait_for_answers(&self, count: usize) -> Vec<SeenRequest> {
        self.wait(|records| records.requests_ended >= count).await;
        self.requests()
    }

    pub(super) async fn wait_for_webhooks(&self, count: usize) -> Vec<SentWebhook> {
        self.wait(|records| records.webhooks_sent >= count).await;
        self.webhooks()
    }

    async fn wait(&self, enough: impl Fn(&Records) -> bool) {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !enough(&locked(&self.records)) {
                // The sender lives in `self`, so this cannot be an error.
                let _ = changed.changed().await;
            }
        };
        // In vain or not, the caller looks at what there is.
        let _ = tokio::time::timeout(LONGEST_WAIT, wait).await;
    }

    fn ended(&self, number: usize, status: Option<u16>) {
        let mut records = locked(&self.records);
        records.requests_ended += 1;
        // Older ones may have been forgotten: the record's place counts from the newest.
        let back = records.requests_seen - number;
        let Some(place) = records.requests.len().checked_sub(back) else {
            return;
        };
        let Some(request) = records.requests.get_mut(place) else {
            return;
        };
        request.ended = Some(Instant::now());
        request.status = status;
        let request = request.clone();
        drop(records);
        self.changed.send_replace(());
        self.observe(&Observation::Request(request));
    }

    fn observe(&self, observation: &Observation) {
        if let Some(observer) = &self.observer {
            observer(observation);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// A request that is being answered. Dropped without an answer, it was reset or its sender hung up.
pub(super) struct Answering {
    recorder: Arc<Recorder>,
    number: usize,
    status: Option<u16>,
}

impl Answering {
    pub(super) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.recorder.ended(self.number, self.status);
    }
}

fn push_bounded<T>(records: &mut VecDeque<T>, record: T, kept: usize) {
    if records.len() == kept {
        records.pop_front();
    }
    records.push_back(record);
}
