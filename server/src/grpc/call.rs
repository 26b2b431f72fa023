//! What a call brings besides its message: who calls, since when, and for how long.

use std::time::Duration;

use http::{Extensions, HeaderMap};
use tonic::metadata::MetadataMap;

use crate::{
    conversations::Caller,
    domain::{Error, Identity, Result, Scope, is_traceparent},
};

/// Before the caller's deadline, an answer needs this long to be committed to and to travel.
const ANSWER_MARGIN: Duration = Duration::from_millis(250);

/// A call whose work is not done this long before its deadline is answered that the store is not there: the caller's own
/// library would say less, and a little later. After [`ANSWER_MARGIN`], so that what was reached is told first.
const LAST_MARGIN: Duration = Duration::from_millis(100);

/// A call at the door.
#[derive(Debug)]
pub(super) struct Call {
    pub caller: Caller,
    /// How long the call may wait for an outcome before it answers with the state reached so far.
    pub wait: Duration,
    /// Whether personal values are shown to the caller.
    pub sees_personal: bool,
}

impl Call {
    /// `answer_within` is the longest wait whatever the caller's deadline.
    pub fn of(
        metadata: &MetadataMap,
        extensions: &Extensions,
        answer_within: Duration,
    ) -> Result<Self> {
        let text = |key| metadata.get(key).and_then(|value| value.to_str().ok());
        let deadline = text("grpc-timeout").and_then(read_timeout);
        let wait = deadline.map_or(answer_within, |left| {
            left.saturating_sub(ANSWER_MARGIN).min(answer_within)
        });
        let traceparent = text("traceparent").filter(|text| is_traceparent(text));
        let identity = identity(extensions)?;
        let sees_personal = identity.scopes.allows(Scope::Converse);
        let caller = Caller {
            tenant: identity.tenant,
            traceparent: traceparent.unwrap_or_default().to_owned(),
        };
        Ok(Self {
            caller,
            wait,
            sees_personal,
        })
    }
}

/// How long a call that waits for something may take, so that its answer arrives.
pub(super) fn time_for(metadata: &MetadataMap) -> Duration {
    let deadline = metadata.get("grpc-timeout");
    let deadline = deadline.and_then(|value| read_timeout(value.to_str().ok()?));
    deadline.map_or(Duration::MAX, |left| left.saturating_sub(ANSWER_MARGIN))
}

/// How long a call is worked on, where its caller has a deadline. A short one leaves a quarter for the way back.
pub(super) fn patience(headers: &HeaderMap) -> Option<Duration> {
    let left = read_timeout(headers.get("grpc-timeout")?.to_str().ok()?)?;
    Some(left.saturating_sub((left / 4).min(LAST_MARGIN)))
}

/// Who calls, as the guard before the services found out. Without a guard nobody calls: that would be a fault of ours.
pub(super) fn identity(extensions: &Extensions) -> Result<Identity> {
    extensions.get::<Identity>().cloned().ok_or(Error::Internal)
}

/// `grpc-timeout`: at most eight digits and a unit.
fn read_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(number)),
        "M" => Some(Duration::from_mins(number)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn call(key: &'static str, value: &str) -> Call {
        let mut metadata = MetadataMap::new();
        metadata.insert(key, value.parse().expect("ascii"));
        let mut extensions = Extensions::new();
        extensions.insert(Identity::anonymous());
        Call::of(&metadata, &extensions, WITHIN).expect("somebody calls")
    }

    #[test]
    fn a_call_that_no_guard_has_seen_is_nobodys() {
        let call = Call::of(&MetadataMap::new(), &Extensions::new(), WITHIN);
        assert_eq!(call.map(drop), Err(Error::Internal));
    }

    #[test]
    fn a_call_without_a_deadline_waits_as_long_as_the_setting_says() {
        assert_eq!(call("x", "").wait, WITHIN);
    }

    #[test]
    fn an_earlier_deadline_leaves_time_to_answer() {
        assert_eq!(call("grpc-timeout", "1S").wait, Duration::from_millis(750));
        assert_eq!(
            call("grpc-timeout", "2000000u").wait,
            Duration::from_millis(1750)
        );
        assert_eq!(call("grpc-timeout", "100m").wait, Duration::ZERO);
        assert_eq!(call("grpc-timeout", "1H").wait, WITHIN);
    }

    #[test]
    fn a_malformed_deadline_counts_as_none() {
        for bad in ["", "S", "1", "1s", "-1S", "123456789S", "+1S", "1 S"] {
            assert_eq!(call("grpc-timeout", bad).wait, WITHIN, "{bad:?}");
            assert_eq!(patience_of(bad), None, "{bad:?}");
        }
    }

    fn patience_of(timeout: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", timeout.parse().expect("ascii"));
        patience(&headers)
    }

    #[test]
    fn work_ends_before_the_deadline_and_after_the_last_wait_for_an_outcome() {
        assert_eq!(patience(&HeaderMap::new()), None);
        assert_eq!(patience_of("1S"), Some(Duration::from_millis(900)));
        assert_eq!(patience_of("100m"), Some(Duration::from_millis(75)));
        assert_eq!(patience_of("0m"), Some(Duration::ZERO));
    }

    #[test]
    fn a_valid_trace_context_is_taken_over() {
        assert_eq!(call("traceparent", TRACE).caller.traceparent, TRACE);
    }

    #[test]
    fn anything_else_in_its_place_is_dropped() {
        let upper = TRACE.to_uppercase();
        let long = format!("{TRACE}-more");
        for bad in [
            "",
            "x",
            &TRACE[1..],
            &upper,
            &long,
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        ] {
            assert_eq!(call("traceparent", bad).caller.traceparent, "", "{bad:?}");
        }
    }
}
