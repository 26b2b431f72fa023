//! Zendesk AI agents - Advanced.

mod config;

pub use config::{ContentTypePolicy, MetadataField, ZendeskConfig};
