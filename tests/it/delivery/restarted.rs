//! A server that was killed while something was on its way.

use parloir_client::{
    Client, Subscription,
    v1::{DeliveryState, UpdateParametersRequest},
};

use super::{changed, recorded, texts};
use crate::{
    process::{ACCOUNT, Server, Setup},
    support::{events::Events, platform::FakeServer, server::parameter},
};

struct Running {
    platform: FakeServer,
    setup: Setup,
    server: Server,
    client: Client,
    events: Events,
}

impl Running {
    async fn start() -> Self {
        let platform = FakeServer::start().await;
        let setup = Setup::new(&platform.url(), r#"grpc.answer_within = "200ms""#);
        let mut server = setup.start(&[]);
        server.ready().await;
        let client = Client::builder(setup.grpc_url()).connect().await;
        let client = client.expect("a server that listens");
        let events = Events::new(client.subscribe(Subscription::new().from_earliest()));
        Self {
            platform,
            setup,
            server,
            client,
            events,
        }
    }

    async fn say(&self, id: &str, text: &str) -> DeliveryState {
        let sent = self.client.say(ACCOUNT, "C", id, text).await;
        let sent = sent.expect("a message");
        sent.delivery.expect("a delivery").state()
    }

    /// Killed while the platform holds its answer back, and started again with a platform that answers.
    async fn restart(&mut self) {
        self.server.kill();
        self.platform.release();
        self.server = self.setup.start(&[]);
        self.server.ready().await;
    }
}

#[tokio::test]
async fn after_a_kill_what_was_queued_is_sent_and_what_was_under_way_is_unknown_and_not() {
    let mut running = Running::start().await;
    running.platform.hold();
    assert_eq!(running.say("1", "one").await, DeliveryState::Attempting);
    for (id, text) in [("2", "two"), ("3", "three")] {
        assert_eq!(running.say(id, text).await, DeliveryState::Queued);
    }
    recorded(&mut running.events, "3").await;
    running.platform.wait_for(1).await;
    running.restart().await;
    let first = changed(&mut running.events, "1").await;
    assert_eq!(
        (first.state(), first.reason.as_str()),
        (DeliveryState::Unknown, "INTERRUPTED")
    );
    for id in ["2", "3"] {
        assert_eq!(
            changed(&mut running.events, id).await.state(),
            DeliveryState::Delivered
        );
    }
    assert_eq!(texts(&running.platform), ["one", "two", "three"]);
    assert_eq!(
        running.say("1", "one").await,
        DeliveryState::Unknown,
        "the key finds the outcome"
    );
    assert_eq!(running.say("2", "two").await, DeliveryState::Delivered);
    assert_eq!(texts(&running.platform).len(), 3);
}

#[tokio::test]
async fn after_a_kill_parameters_that_were_under_way_are_sent_again() {
    let mut running = Running::start().await;
    assert_eq!(running.say("1", "one").await, DeliveryState::Delivered);
    running.platform.hold();
    let request = UpdateParametersRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "u".to_owned(),
        parameters: vec![parameter("tier", "gold", false)],
    };
    let set = running.client.update_parameters(request.clone()).await;
    let delivery = set.expect("an update").delivery.expect("a delivery");
    assert_eq!(delivery.state(), DeliveryState::Attempting);
    running.platform.wait_for(2).await;
    running.restart().await;
    running.platform.wait_for(3).await;
    let bodies = running.platform.requests();
    assert_eq!(bodies[1].json(), bodies[2].json());
    let known = loop {
        let set = running.client.update_parameters(request.clone()).await;
        let delivery = set.expect("an update").delivery.expect("a delivery");
        if delivery.state() != DeliveryState::Attempting {
            break delivery.state();
        }
    };
    assert_eq!(known, DeliveryState::Delivered);
    assert_eq!(running.platform.requests().len(), 3);
}
