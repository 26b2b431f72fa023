//! Questions whose server died while they waited.

use parloir_client::{
    Client, Subscription,
    v1::{Disposition, RequestDelivery, RequestOutcome},
};

use crate::{
    process::{AGENT, Setup},
    support::{
        events::Events,
        http::Connection,
        platform::FakeServer,
        questions::{action_requested, disposition, request_closed},
        webhook::action,
    },
};

#[tokio::test]
async fn a_question_whose_server_died_is_closed_as_abandoned_at_the_next_start() {
    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), "");
    let mut server = setup.start(&[]);
    server.ready().await;
    let client = Client::builder(setup.grpc_url())
        .connect()
        .await
        .expect("a server");
    let mut events = Events::new(client.subscribe(Subscription::new().from_earliest()));
    let mut connection = Connection::open(setup.webhooks).await;
    let body = action("C", "fetch");
    connection
        .post(&format!("/webhooks/{AGENT}"), &[], body.as_bytes())
        .await;
    let request = action_requested(&mut events).await.request_id;
    server.kill();
    assert_eq!(
        connection.reply().await,
        None,
        "nobody answered the platform"
    );

    let mut server = setup.start(&[]);
    server.ready().await;
    // The same subscription has reconnected by itself.
    let closed = request_closed(&mut events).await;
    assert_eq!(
        (&closed.request_id, closed.outcome()),
        (&request, RequestOutcome::Abandoned)
    );
    assert_eq!(closed.delivery(), RequestDelivery::NotDelivered);
    assert_eq!((closed.answered_by.as_str(), closed.answer), ("", None));
    let late = client.answer_action(&request, vec![]).await;
    assert_eq!(disposition(&late), Disposition::TooLate);
    let known = client.conversation("demo", "C").await.expect("an answer");
    assert_eq!(known.expect("a conversation").open_requests, []);
}
