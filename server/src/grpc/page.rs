//! Page tokens: a place in a query's order as opaque text. A token of another query, of another database, or damaged,
//! is refused instead of answering the wrong page.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::checks::Checks;

/// Enough against slips of hand. Forging one gains nothing: the query's own fields decide what is read.
const CHECKSUM_BYTES: usize = 8;

/// The pages of one query.
#[derive(Debug)]
pub(super) struct Pages {
    /// Hash of the query, into which a token's place is mixed.
    query: Sha256,
}

impl Pages {
    /// `query` is the request without its page fields. Nothing of it can be read from a token.
    pub fn of(method: &str, epoch: u64, query: &impl prost::Message) -> Self {
        let hash = Sha256::new()
            .chain_update(method)
            .chain_update([0])
            .chain_update(epoch.to_be_bytes())
            .chain_update(query.encode_to_vec());
        Self { query: hash }
    }

    /// The token that leads to what comes after `place`.
    pub fn token(&self, place: Place) -> String {
        let mut bytes = self.checksum(&place.0).to_vec();
        bytes.extend(place.0);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Where to go on; absent on the first page, which has no token.
    pub fn place<T>(
        &self,
        checks: &mut Checks,
        token: &str,
        read: impl FnOnce(Place) -> Option<T>,
    ) -> Option<T> {
        if token.is_empty() {
            return None;
        }
        let place = self.decode(token).and_then(read);
        if place.is_none() {
            let why = "is not a token of this query: pass next_page_token with the other fields unchanged";
            checks.wrong("page_token", why);
        }
        place
    }

    fn decode(&self, token: &str) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (checksum, place) = bytes.split_at_checked(CHECKSUM_BYTES)?;
        (checksum == self.checksum(place)).then(|| Place(place.to_vec()))
    }

    fn checksum(&self, place: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let hash = self.query.clone().chain_update(place).finalize();
        let mut short = [0; CHECKSUM_BYTES];
        short.copy_from_slice(&hash[..CHECKSUM_BYTES]);
        short
    }
}

/// A place as bytes: written and read part by part.
#[derive(Debug, Default)]
pub(super) struct Place(Vec<u8>);

impl Place {
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub fn text(self, text: &str) -> Self {
        let mut place = self.number(text.len() as u64);
        place.0.extend(text.as_bytes());
        place
    }

    pub fn read_number(&mut self) -> Option<u64> {
        let number = u64::from_be_bytes(self.0.get(..8)?.try_into().ok()?);
        self.0.drain(..8);
        Some(number)
    }

    pub fn read_text(&mut self) -> Option<String> {
        let length = usize::try_from(self.read_number()?).ok()?;
        if length > self.0.len() {
            return None;
        }
        String::from_utf8(self.0.drain(..length).collect()).ok()
    }
}

#[cfg(test)]
mod tests {
    use parloir_proto::v1::ListEventsRequest;

    use super::*;

    fn pages(account: &str, epoch: u64) -> Pages {
        let query = ListEventsRequest {
            account: account.into(),
            ..ListEventsRequest::default()
        };
        Pages::of("ListEvents", epoch, &query)
    }

    fn read(pages: &Pages, token: &str) -> Option<(u64, String)> {
        let mut place = pages.decode(token)?;
        Some((place.read_number()?, place.read_text()?))
    }

    #[test]
    fn a_token_leads_its_own_query_back_to_its_place() {
        let token = pages("a", 1).token(Place::default().number(7).text("c-1"));
        assert_eq!(read(&pages("a", 1), &token), Some((7, "c-1".to_owned())));
    }

    #[test]
    fn a_token_of_another_query_database_or_method_is_refused() {
        let token = pages("a", 1).token(Place::default().number(7).text("c-1"));
        assert!(pages("b", 1).decode(&token).is_none());
        assert!(pages("a", 2).decode(&token).is_none());
        let other = Pages::of("ListConversations", 1, &ListEventsRequest::default());
        assert!(other.decode(&token).is_none());
    }

    #[test]
    fn a_damaged_token_is_refused_with_its_field() {
        let pages = pages("a", 1);
        let token = pages.token(Place::default().number(7));
        for bad in [&token[1..], "x", "not a token", &format!("{token}AA")] {
            let mut checks = Checks::default();
            let place = pages.place(&mut checks, bad, |mut place| place.read_number());
            assert_eq!(place, None, "{bad}");
            let error = checks.finish(|| Some(())).expect_err("refused");
            assert!(error.to_string().starts_with("page_token"), "{error}");
        }
    }

    #[test]
    fn a_place_that_is_cut_off_is_not_read() {
        assert_eq!(Place(vec![0; 7]).read_number(), None);
        let mut place = Place::default().number(5);
        place.0.extend(b"abc");
        assert_eq!(place.read_text(), None);
    }
}
