//! `[database]`: where everything is kept.

use super::section::section;

section! {
    /// The database.
    DatabaseConfig {
        /// The embedded database's file, as `sqlite:PATH`. It is made when it is not there; only one server may use
        /// it at a time.
        url: String = "sqlite:parloir.db".to_owned();
    }
}
