//! `[[callers]]` and `[[tenants]]`: who may call, and for which organisation.

use std::time::Duration;

use super::section::section;
use crate::secret::Secret;

section! {
    /// One caller: a backend, a tool or an operator. It shows a key (`authorization: Bearer parloir_...`) or a client
    /// certificate, and does what its scopes allow, within its tenant.
    CallerConfig {
        /// Its name, in logs and in the audit log; unique within its tenant; 1 to 64 of `a-z`, `0-9`, `_` and `-`.
        name: String;
        /// The organisation that it belongs to: it sees nothing of any other.
        tenant: String = "default".into();
        /// What it may do: `converse` (commands, reading), `subscribe` (event streams, reading), `respond` (answers to
        /// agents' questions, availability), `admin` (everything of `AdminService`, erasure).
        scopes: Vec<String>;
        /// Where its keys stand. Several count at a time, so that a change of keys overlaps. Files are looked at every
        /// second: a key that is replaced or removed counts without a restart, and its streams end within 2 seconds.
        /// `parloir new-key` makes one.
        keys: Vec<Secret> = Vec::new();
        /// What its client certificate is made out to: one of the certificate's SAN URIs or DNS names, exactly. Needs
        /// `grpc.tls.client_ca`.
        certificates: Vec<String> = Vec::new();
        /// As `limits.caller_calls_per_second`, for this one alone.
        calls_per_second: Option<u32> = None, "0" to "1000000";
        /// As `limits.caller_call_burst`.
        call_burst: Option<u32> = None, "0" to "1000000";
        /// As `limits.caller_calls_in_flight`.
        calls_in_flight: Option<u32> = None, "0" to "1000000";
        /// As `limits.caller_streams`.
        streams: Option<u32> = None, "0" to "1000000";
        /// As `limits.caller_message_bytes`.
        message_bytes: Option<u32> = None, "0" to "16777216";
    }
}

section! {
    /// One organisation. Only what differs from the defaults must be written: a tenant exists as soon as a caller, an
    /// agent or a source names it.
    TenantConfig {
        /// Its name: 1 to 32 of `a-z`, `0-9`, `_` and `-`.
        name: String;
        /// As `limits.tenant_calls_per_second`, for this one alone.
        calls_per_second: Option<u32> = None, "0" to "1000000";
        /// As `limits.tenant_call_burst`.
        call_burst: Option<u32> = None, "0" to "1000000";
        /// As `limits.tenant_calls_in_flight`.
        calls_in_flight: Option<u32> = None, "0" to "1000000";
        /// As `limits.tenant_streams`.
        streams: Option<u32> = None, "0" to "1000000";
        /// As `limits.tenant_message_bytes`.
        message_bytes: Option<u32> = None, "0" to "16777216";
        /// What its visitors said and told is erased after this time: events read as Erased from then on, and
        /// conversations idle for as long keep their ids only. At most `log.retention_age`, which counts without it.
        #[serde(with = "humantime_serde")]
        retention_age: Option<Duration> = None, "1m" to "36500days";
    }
}
