//! The measuring itself, tried on a server of this process.

use std::{fs, time::Duration};

use tempfile::TempDir;

use super::{Crowd, idle, memory, streams::Source, stuck};
use crate::{app::App, config};

#[tokio::test]
async fn idle_streams_are_opened_held_and_told_per_stream() {
    let (_folder, app) = server().await;
    let figures = idle::measure(&crowd(&app, 7, 3), Duration::from_millis(1)).await;
    let figures = figures.expect("measured");
    assert_eq!(figures.streams, 7);
    let told = figures.to_string();
    assert!(
        told.contains("with 7 idle streams, 3 per connection"),
        "{told}"
    );
    assert!(
        told.contains(&format!("{} bytes", figures.each())),
        "{told}"
    );
    app.stop().await;
}

#[tokio::test]
async fn events_beside_stuck_streams_all_arrive_at_the_one_that_reads() {
    let (_folder, app) = server().await;
    let crowd = crowd(&app, 4, 2);
    let source = Source::new(&crowd.server, "crm".into())
        .await
        .expect("a conversation");
    let figures = stuck::measure(&crowd, source, 50).await.expect("measured");
    assert_eq!((figures.streams, figures.events), (4, 50));
    assert!(figures.to_string().contains("beside them"), "{figures}");
    app.stop().await;
}

#[test]
fn a_process_that_is_not_there_is_told_by_the_option_that_named_it() {
    assert!(memory::resident(std::process::id()).expect("this one").0 > 0);
    let error = memory::resident(0).expect_err("no process").to_string();
    assert!(error.contains("--server-pid"), "{error}");
}

fn crowd(app: &App, streams: usize, per_connection: usize) -> Crowd {
    Crowd {
        server: format!("http://{}", app.grpc()),
        server_pid: std::process::id(),
        streams,
        per_connection,
    }
}

/// A server with an agent that nobody reaches: nothing here needs it.
async fn server() -> (TempDir, App) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("bench.db");
    let text = format!(
        r#"
grpc.listen = "127.0.0.1:0"
grpc.answer_within = "100ms"
webhooks.listen = "127.0.0.1:0"
ops.listen = "127.0.0.1:0"
database.url = "sqlite:{}"
shutdown.notice = "0s"
shutdown.grace = "1s"

[[agents]]
name = "nobody"
[agents.platform.zendesk]
bot_id = "65f0c1a2b3d4e5f60718293a"
base_url = "http://127.0.0.1:9"
api_key = {{ file = "{}" }}

[[accounts]]
name = "crm"
agent = "nobody"
"#,
        database.display(),
        folder.path().join("key").display(),
    );
    fs::write(folder.path().join("key"), "a-key").expect("written");
    let path = folder.path().join("parloir.toml");
    fs::write(&path, text).expect("written");
    let loaded = config::load(Some(&path), std::iter::empty()).expect("a good configuration");
    let app = App::start(&loaded.config).await.expect("started");
    (folder, app)
}
