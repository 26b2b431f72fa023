//! How streams end.

use std::time::Duration;

use parloir_proto::v1::GoingAwayReason;
use tonic::Code;
use tonic_types::StatusExt;

use super::stage::{Stage, earliest, latest, position};
use crate::hub::Settings;

#[tokio::test]
async fn a_shutdown_ends_streams_with_a_goodbye_a_cursor_and_unavailable() {
    let stage = Stage::new(Settings::default()).await;
    stage.world.publish_some(5);
    let (_, mut one) = stage.open(earliest()).await.unwrap();
    let (_, mut other) = stage.open(latest()).await.unwrap();
    one.events(5).await;
    let spread = Duration::from_millis(100);
    stage.world.hub.shut_down(spread).await;
    for reader in [&mut one, &mut other] {
        let (going, status) = reader.goodbye().await;
        assert_eq!(position(&going.resume_cursor), 5);
        assert_eq!(going.reason(), GoingAwayReason::Shutdown);
        let after = Duration::try_from(going.reconnect_after.unwrap()).unwrap();
        assert!(after <= spread);
        assert_eq!(status.code(), Code::Unavailable);
        let info = status.get_details_error_info().expect("error info");
        assert_eq!(info.reason, "SERVER_STOPPING");
    }
    let refused = stage.refusal(latest()).await;
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.get_details_retry_info().is_some());
}

#[tokio::test]
async fn a_stream_ends_at_its_lifetime_and_the_next_one_goes_on_from_there() {
    let stage = Stage::new(Settings {
        lifetime: Duration::from_secs(1),
        ..Settings::default()
    })
    .await;
    let (_, mut reader) = stage.open(latest()).await.unwrap();
    stage.world.publish_some(3);
    assert_eq!(reader.events(3).await, [1, 2, 3]);
    let (going, status) = reader.goodbye().await;
    assert_eq!(going.reason(), GoingAwayReason::Lifetime);
    assert_eq!(status.code(), Code::Unavailable);
    let info = status.get_details_error_info().expect("error info");
    assert_eq!(info.reason, "STREAM_LIFETIME");
    stage.world.publish_some(1);
    let resume = super::stage::after(&going.resume_cursor);
    let (_, mut reader) = stage.open(resume).await.unwrap();
    assert_eq!(reader.events(1).await, [4]);
}

#[tokio::test]
async fn a_reader_that_goes_leaves_nothing_behind() {
    let stage = Stage::new(Settings::default()).await;
    let (_, reader) = stage.open(latest()).await.unwrap();
    assert_eq!(stage.world.hub.streams(), 1);
    drop(reader);
    while stage.world.hub.streams() > 0 {
        tokio::task::yield_now().await;
    }
}
