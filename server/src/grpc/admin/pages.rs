//! Pages of what is listed by name.

use super::Door;
use crate::{
    domain::Result,
    grpc::{
        checks::Checks,
        page::{Pages, Place},
    },
};

/// A screenful.
const DEFAULT_PAGE: usize = 50;
/// The most of one answer.
const MAX_PAGE: usize = 500;

/// What page is asked for.
pub(super) struct Page {
    pub size: usize,
    after: Option<String>,
    pages: Pages,
}

impl Page {
    /// `query` is the request without its page.
    pub fn asked(
        door: &Door<'_>,
        method: &str,
        query: &impl prost::Message,
        size: i32,
        token: &str,
    ) -> Result<Self> {
        let mut checks = Checks::default();
        let size = checks.page_size(size, DEFAULT_PAGE, MAX_PAGE);
        let pages = Pages::of(method, door.epoch, query);
        let after = pages.place(&mut checks, token, |mut place| place.read_text());
        checks.finish(|| {
            Some(Self {
                size: size?,
                after,
                pages,
            })
        })
    }

    /// Where to go on, as it was written with [`Page::next`].
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The page of `items`, which are in the order of their keys, and the token of the next one.
    pub fn of<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
        let is_new = |item: &T| self.after().is_none_or(|after| key(item).as_str() > after);
        let mut rest = items.into_iter().filter(is_new);
        let page: Vec<T> = rest.by_ref().take(self.size).collect();
        let has_more = rest.next().is_some();
        drop(rest);
        let last = page.last().filter(|_| has_more);
        let token = last.map_or_else(String::new, |last| self.next(&key(last)));
        (page, token)
    }

    /// The token that leads to what comes after `place`.
    pub fn next(&self, place: &str) -> String {
        self.pages.token(Place::default().text(place))
    }
}
