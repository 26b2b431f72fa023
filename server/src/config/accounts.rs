//! `[[accounts]]`: the customer accounts that callers name.

use super::section::section;

section! {
    /// One customer account on a CRM or channel. It is connected to exactly one agent.
    AccountConfig {
        /// The name that callers use; 1 to 256 bytes without control characters. It belongs to its agent's tenant, and
        /// is the only one of that name there.
        name: String;
        /// The agent that answers its visitors, by name.
        agent: String;
        /// The source that brings its visitors, by name. Unset, they come from callers alone. A source serves one
        /// account.
        source: Option<String> = None;
        /// Put before the conversation id that the agent's platform sees. Where several accounts share an agent, give
        /// each its own: the platform keeps one conversation per id, and an id used by two accounts is refused.
        upstream_prefix: String = String::new();
    }
}
