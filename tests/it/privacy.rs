//! Personal data: what is erased is gone from streams, transcripts and files, and the platforms are asked for the same.

mod aged;
mod flagged;
mod here;
mod killed;
mod upstream;

use std::{fs, path::Path, time::Duration};

use parloir_client::{
    Client, Error,
    v1::{
        ErasePersonalDataRequest, Erasure, GetErasureRequest, erase_personal_data_request::Subject,
    },
};

use crate::support::server::ACCOUNT;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

async fn erase(client: &Client, conversation: &str, command: &str) -> Result<Erasure, Error> {
    let request = ErasePersonalDataRequest {
        account: ACCOUNT.to_owned(),
        command_id: command.to_owned(),
        subject: Some(Subject::ConversationId(conversation.to_owned())),
    };
    let erased = client.erase_personal_data(request).await?;
    Ok(erased.erasure.expect("a receipt"))
}

async fn receipt(client: &Client, receipt_id: &str) -> Erasure {
    let request = GetErasureRequest {
        receipt_id: receipt_id.to_owned(),
    };
    let found = client.get_erasure(request).await.expect("a receipt");
    found.erasure.expect("a receipt")
}

/// The receipt once `is_so` holds of it.
async fn receipt_when(
    client: &Client,
    receipt_id: &str,
    is_so: impl Fn(&Erasure) -> bool,
) -> Erasure {
    let looked = async {
        loop {
            let found = receipt(client, receipt_id).await;
            if is_so(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looked).await;
    found.expect("the receipt says so in time")
}

/// Whether a file of the database at `path` holds these words anywhere.
fn is_in_files(path: &Path, words: &str) -> bool {
    let folder = path.parent().expect("a folder");
    let name = path.file_name().expect("a name").to_string_lossy();
    let files = fs::read_dir(folder).expect("a folder can be read");
    let mut found = false;
    for file in files {
        let file = file.expect("an entry").path();
        let own = file.file_name().expect("a name").to_string_lossy();
        if own.starts_with(&*name) {
            let bytes = fs::read(&file).expect("a file can be read");
            found |= bytes
                .windows(words.len())
                .any(|window| window == words.as_bytes());
        }
    }
    found
}
