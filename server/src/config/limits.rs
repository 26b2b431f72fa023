//! `[limits]`: how much callers, tenants and agents may ask of the server.

use super::section::section;

section! {
    /// How much each caller, each tenant as a whole and each agent may ask of the server; 0 is without that limit. What
    /// goes beyond is answered `RESOURCE_EXHAUSTED` with the time after which to come back (webhooks: 429), and
    /// counted in `parloir_limited_total`. `[[callers]]` and `[[tenants]]` may have their own. Calls without
    /// credentials count on the tenant `default` alone.
    LimitsConfig {
        /// Calls per second of one caller, streams being opened included.
        caller_calls_per_second: u32 = 2_000, "0" to "1000000";
        /// Calls of one caller that may come at once before the rate counts; 0 is a second's worth.
        caller_call_burst: u32 = 4_000, "0" to "1000000";
        /// Calls of one caller under way at one time, those that wait for an agent included; streams are not.
        caller_calls_in_flight: u32 = 1_000, "0" to "1000000";
        /// Open streams of one caller.
        caller_streams: u32 = 5_000, "0" to "1000000";
        /// Bytes of one request of a caller, as they travel; `grpc.max_message_bytes` holds beside it.
        caller_message_bytes: u32 = 0, "0" to "16777216";
        /// Calls per second of one tenant, streams being opened included.
        tenant_calls_per_second: u32 = 10_000, "0" to "1000000";
        /// Calls of one tenant that may come at once before the rate counts; 0 is a second's worth.
        tenant_call_burst: u32 = 20_000, "0" to "1000000";
        /// Calls of one tenant under way at one time; streams are not.
        tenant_calls_in_flight: u32 = 5_000, "0" to "1000000";
        /// Open streams of one tenant; `grpc.max_streams` holds for all tenants together.
        tenant_streams: u32 = 20_000, "0" to "1000000";
        /// Bytes of one request within a tenant, as they travel.
        tenant_message_bytes: u32 = 0, "0" to "16777216";
        /// Webhooks per second to one agent, or to one source; what is for nobody counts together.
        webhooks_per_second: u32 = 5_000, "0" to "1000000";
        /// Webhooks to one agent that may come at once before the rate counts; 0 is a second's worth.
        webhook_burst: u32 = 10_000, "0" to "1000000";
    }
}
