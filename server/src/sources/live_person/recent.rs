//! What is worth knowing for a while: a few values by their key, the oldest forgotten first.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

/// At most so many values, none of them older than so long.
pub(super) struct Recent<V> {
    most: usize,
    keep: Duration,
    values: HashMap<String, (u64, V)>,
    /// When each was put, oldest first. One that was replaced or taken still has its place here.
    order: VecDeque<(Instant, u64, String)>,
    next: u64,
}

impl<V> Recent<V> {
    pub(super) fn new(most: usize, keep: Duration) -> Self {
        Self {
            most,
            keep,
            values: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
        }
    }

    pub(super) fn put(&mut self, key: &str, value: V) {
        self.next += 1;
        self.values.insert(key.to_owned(), (self.next, value));
        let place = (Instant::now(), self.next, key.to_owned());
        self.order.push_back(place);
        self.forget();
    }

    pub(super) fn get(&mut self, key: &str) -> Option<&V> {
        self.forget();
        self.values.get(key).map(|(_, value)| value)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<V> {
        self.forget();
        self.values.remove(key).map(|(_, value)| value)
    }

    /// Drops the values of which this holds.
    pub(super) fn drop_those(&mut self, mut is_one: impl FnMut(&V) -> bool) {
        self.values.retain(|_, (_, value)| !is_one(value));
    }

    fn forget(&mut self) {
        while let Some((at, ..)) = self.order.front()
            && (self.order.len() > self.most || at.elapsed() >= self.keep)
            && let Some((_, number, key)) = self.order.pop_front()
        {
            // Another value under this key has a place of its own.
            if self.values.get(&key).is_some_and(|(put, _)| *put == number) {
                self.values.remove(&key);
            }
        }
    }
}
