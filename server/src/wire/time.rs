//! Moments and spans of time.

use std::time::Duration;

use crate::domain::Timestamp;

const MICROS: i64 = 1_000_000;
const NANOS_PER_MICRO: i32 = 1_000;
const NANOS: i32 = 1_000_000_000;

pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let micros = i32::try_from(time.0.rem_euclid(MICROS)).expect("less than a million");
    prost_types::Timestamp {
        seconds: time.0.div_euclid(MICROS),
        nanos: micros * NANOS_PER_MICRO,
    }
}

/// Absent where the nanoseconds are out of range or the moment is beyond what 64 bits of microseconds hold. What is
/// finer than a microsecond is cut off.
pub fn read_timestamp(time: &prost_types::Timestamp) -> Option<Timestamp> {
    if !(0..NANOS).contains(&time.nanos) {
        return None;
    }
    let micros = i64::from(time.nanos / NANOS_PER_MICRO);
    let seconds = time.seconds.checked_mul(MICROS)?;
    seconds.checked_add(micros).map(Timestamp)
}

/// Spans beyond 292 billion years are cut off.
pub fn duration(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).expect("less than a billion"),
    }
}

/// Absent where the span is negative or its nanoseconds are out of range.
pub fn read_duration(span: &prost_types::Duration) -> Option<Duration> {
    if !(0..NANOS).contains(&span.nanos) {
        return None;
    }
    let seconds = u64::try_from(span.seconds).ok()?;
    let nanos = u32::try_from(span.nanos).ok()?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_moment_comes_back_as_it_went(micros: i64) {
            prop_assert_eq!(read_timestamp(&timestamp(Timestamp(micros))), Some(Timestamp(micros)));
        }

        #[test]
        fn a_span_comes_back_as_it_went(seconds in 0..u64::MAX / 2, nanos in 0..1_000_000_000_u32) {
            let span = Duration::new(seconds, nanos);
            prop_assert_eq!(read_duration(&duration(span)), Some(span));
        }
    }

    #[test]
    fn what_is_out_of_range_is_not_read() {
        let moment = |seconds, nanos| read_timestamp(&prost_types::Timestamp { seconds, nanos });
        assert_eq!(moment(-1, 999_999_999), Some(Timestamp(-1)));
        for (seconds, nanos) in [(0, -1), (0, NANOS), (i64::MAX, 0), (i64::MIN, 0)] {
            assert_eq!(moment(seconds, nanos), None, "{seconds}.{nanos}");
        }
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, NANOS)] {
            assert_eq!(
                read_duration(&prost_types::Duration { seconds, nanos }),
                None
            );
        }
    }
}
