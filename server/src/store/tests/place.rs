//! Where tests keep their databases: in a file each, or, where `PARLOIR_TEST_POSTGRES` names a server, in a database each
//! of that server. Tests that say nothing about files hold on either.

use std::{fs, path::Path, thread};

use sea_orm::{ConnectionTrait, Database};
use uuid::Uuid;

use crate::{keys::KeySource, store::StoreSettings};

const SERVER: &str = "PARLOIR_TEST_POSTGRES";
/// 32 bytes that everybody may know.
const MASTER_KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// A database of its own that does not exist yet, or is empty.
pub(crate) fn fresh(folder: &Path) -> StoreSettings {
    match std::env::var(SERVER) {
        Ok(server) => at_server(&server, folder),
        Err(_) => StoreSettings::new(folder.join("parloir.db")),
    }
}

/// What only a server can be tried for is not tried where tests keep files.
pub(crate) fn is_file() -> bool {
    std::env::var(SERVER).is_err()
}

fn at_server(server: &str, folder: &Path) -> StoreSettings {
    let name = format!("t{}", Uuid::new_v4().simple());
    let (admin, create) = (
        format!("{server}/postgres"),
        format!("CREATE DATABASE {name}"),
    );
    // A runtime of its own: whoever asks may be within one.
    let made = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let server = Database::connect(admin).await.expect("the server is there");
            server.execute_unprepared(&create).await.expect("is made");
            server.close().await.expect("closes");
        });
    });
    made.join().expect("is made");
    let key = folder.join("parloir.db.key");
    fs::write(&key, MASTER_KEY).expect("a file");
    StoreSettings {
        master_key: KeySource::File(key),
        ..StoreSettings::from_url(&format!("{server}/{name}")).expect("a URL")
    }
}
