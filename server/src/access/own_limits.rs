//! What one caller has in place of the limits of all callers.

use crate::config::CallerConfig;

/// Each limit that is given counts for this caller alone; where none is given, that of all callers does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnLimits {
    pub calls_per_second: Option<u32>,
    pub call_burst: Option<u32>,
    pub calls_in_flight: Option<u32>,
    pub streams: Option<u32>,
    pub message_bytes: Option<u32>,
}

impl OwnLimits {
    /// Those that the configuration gives.
    pub fn of(config: &CallerConfig) -> Self {
        Self {
            calls_per_second: config.calls_per_second,
            call_burst: config.call_burst,
            calls_in_flight: config.calls_in_flight,
            streams: config.streams,
            message_bytes: config.message_bytes,
        }
    }

    /// All of them by their names, which are those of the settings, too.
    pub fn each(mut self) -> [(&'static str, Option<u32>); 5] {
        self.places().map(|(name, limit)| (name, *limit))
    }

    /// The one of this name.
    pub fn named(&mut self, name: &str) -> Option<&mut Option<u32>> {
        let mut places = self.places().into_iter();
        places.find_map(|(known, limit)| (known == name).then_some(limit))
    }

    fn places(&mut self) -> [(&'static str, &mut Option<u32>); 5] {
        [
            ("calls_per_second", &mut self.calls_per_second),
            ("call_burst", &mut self.call_burst),
            ("calls_in_flight", &mut self.calls_in_flight),
            ("streams", &mut self.streams),
            ("message_bytes", &mut self.message_bytes),
        ]
    }
}
