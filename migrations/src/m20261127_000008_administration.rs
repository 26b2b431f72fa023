//! What administrators make: objects, their secrets, keys of callers; and the record of every act, to which rows can
//! only be added.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::{bytes, flag, index, maybe_number, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What is written for each engine: what may never happen must not depend on whoever opens the database.
const APPEND_ONLY_FILE: [&str; 3] = [
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    // INSERT OR REPLACE deletes without asking the trigger above.
    "CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE tenant = NEW.tenant AND number = NEW.number)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
];

const APPEND_ONLY_SERVER: [&str; 3] = [
    "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
    "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [resource(), resource_secret(), caller_key(), audit()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let append_only = match manager.get_database_backend() {
            DbBackend::Postgres => APPEND_ONLY_SERVER,
            _ => APPEND_ONLY_FILE,
        };
        for trigger in append_only {
            manager.get_connection().execute_unprepared(trigger).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Agents, accounts, sources and callers. `settings` is JSON without secrets; `off` is paused, or disabled.
fn resource() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("kind"),
        text("name"),
        number("revision"),
        flag("off"),
        bytes("settings"),
        number("created_at"),
        number("updated_at"),
    ];
    table("resource", &["tenant", "kind", "name"], columns)
}

/// Secrets of agents and sources, sealed.
fn resource_secret() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("tenant"),
        text("kind"),
        text("name"),
        text("path"),
        bytes("value"),
        number("created_at"),
        maybe_number("expires_at"),
    ];
    table("resource_secret", &["id"], columns)
}

/// Keys of callers: keyed hashes of them.
fn caller_key() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("tenant"),
        text("caller"),
        bytes("digest"),
        number("created_at"),
        maybe_number("expires_at"),
        maybe_number("revoked_at"),
        maybe_number("last_used_at"),
    ];
    table("caller_key", &["id"], columns)
}

/// Acts of administrators. `hash` is keyed, over the row and the hash of the row before it.
fn audit() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        number("number"),
        number("at"),
        text("caller"),
        text("credential"),
        text("action"),
        text("target"),
        bytes("detail"),
        text("reason"),
        bytes("previous"),
        bytes("hash"),
    ];
    table("audit", &["tenant", "number"], columns)
}

fn indexes() -> [IndexCreateStatement; 4] {
    [
        index(
            "resource_secret_owner",
            "resource_secret",
            &["tenant", "kind", "name"],
        ),
        index("caller_key_caller", "caller_key", &["tenant", "caller"]),
        index("audit_target", "audit", &["tenant", "target", "number"]),
        index("audit_at", "audit", &["tenant", "at"]),
    ]
}
