//! What carries the planted values through the server: calls, webhooks, replies, refusals and mistakes.

use std::{net::SocketAddr, time::Duration};

use parloir_client::{
    Client, Error, Subscription,
    v1::{
        ActionResults, Caller, Choice, CreateCallerRequest, CreateKeyRequest, HumanText,
        ListEventsRequest, ListKeysRequest, Owner, Parameter, RespondToAgentRequest, Scope,
        SendHumanMessageRequest, SendMessageRequest, StartConversationRequest,
        UpdateParametersRequest, Visitor, event::Body, respond_to_agent_request::Answer,
        send_human_message_request, send_message_request,
    },
};
use serde_json::json;

use super::{plants::Plants, posts::post_to_agent};
use crate::{
    process::{ACCOUNT, BOT},
    support::platform::{Behaviour, FakeServer},
};

/// Named in the search, so that it is known to look where it should.
pub(super) const CONVERSATION: &str = "conv-1";

pub struct Traffic<'a> {
    pub plants: &'a Plants,
    pub client: Client,
    pub grpc: String,
    pub webhooks: SocketAddr,
    pub platform: &'a FakeServer,
    pub number: &'a FakeServer,
    /// What errors said.
    pub answers: Vec<String>,
}

impl Traffic<'_> {
    /// Answers the text of a key that was made for a caller.
    pub async fn run(&mut self) -> String {
        let events = self.client.subscribe(Subscription::new().from_earliest());
        let reader = tokio::spawn(read_all(events));
        self.visitor_speaks().await;
        self.agent_speaks().await;
        self.agent_asks().await;
        self.human_speaks().await;
        self.visitor_comes_by_whatsapp().await;
        self.platforms_refuse().await;
        self.callers_err().await;
        self.strangers_post().await;
        self.all_was_there().await;
        reader.abort();
        // Last: nobody is let in without a key from then on.
        self.a_key_is_made_and_used().await
    }

    pub(super) fn plant(&self, name: &str) -> String {
        self.plants.get(name).to_owned()
    }

    fn parameter(&self, name: &str, personal: bool) -> Parameter {
        Parameter {
            key: "k".to_owned(),
            value: self.plant(name),
            personal,
        }
    }

    fn failed<T>(&mut self, done: Result<T, Error>) {
        match done {
            Ok(_) => panic!("this should have been refused"),
            Err(error) => self.answers.push(format!("{error:?} {error}")),
        }
    }

    async fn visitor_speaks(&mut self) {
        let start = StartConversationRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: CONVERSATION.to_owned(),
            command_id: "start-1".to_owned(),
            visitor: Some(Visitor {
                visitor_id: self.plant("visitor_id"),
                display_name: self.plant("visitor_name"),
                language: "fr".to_owned(),
            }),
            parameters: vec![self.parameter("personal_at_start", true)],
            ..StartConversationRequest::default()
        };
        self.client.start_conversation(start).await.expect("starts");
        for name in ["visitor_text_1", "visitor_text_2"] {
            self.says(name, vec![self.parameter("personal_with_message", true)])
                .await
                .expect("is taken");
        }
        let update = UpdateParametersRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: CONVERSATION.to_owned(),
            command_id: "update-1".to_owned(),
            parameters: vec![
                self.parameter("personal_updated", true),
                Parameter {
                    key: "plain".to_owned(),
                    ..self.parameter("plain_parameter", false)
                },
            ],
        };
        self.client
            .update_parameters(update)
            .await
            .expect("is taken");
    }

    async fn says(
        &self,
        name: &str,
        parameters: Vec<Parameter>,
    ) -> Result<impl Sized + use<>, Error> {
        let request = SendMessageRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: CONVERSATION.to_owned(),
            message_id: format!("m-{name}"),
            content: Some(send_message_request::Content::Text(self.plant(name))),
            parameters,
            ..SendMessageRequest::default()
        };
        self.client.send_message(request).await
    }

    async fn agent_speaks(&mut self) {
        let link = self.plant("button_link");
        self.agent_posts(json!({
            "eventType": "sendMessage", "type": "text", "text": self.plant("agent_text_1"),
            "internalConversationId": self.plant("internal_id"),
            "buttons": [self.plant("button_label"), { "type": "link", "text": "L", "link": link }],
            "messageId": "am-1",
        }))
        .await;
        self.agent_posts(json!({
            "eventType": "sendMessage", "type": "carousel", "text": self.plant("agent_text_2"),
            "carouselCards": [{ "title": self.plant("card_title"),
                "description": self.plant("card_description"), "buttons": [] }],
        }))
        .await;
        self.agent_posts(
            json!({ "eventType": "somethingNew", "what": self.plant("unknown_event") }),
        )
        .await;
        let alert = json!({ "botName": "Shop", "event": "actionFailed",
            "data": { "botId": BOT, "httpStatus": 500, "what": self.plant("alert_text") } });
        self.post_as_agent(&alert.to_string()).await;
        let chosen = self.client.choose(
            ACCOUNT,
            CONVERSATION,
            "m-choice",
            Choice {
                label: self.plant("choice_label"),
                ..Choice::default()
            },
        );
        chosen.await.expect("is taken");
    }

    async fn agent_asks(&mut self) {
        let body = json!({
            "botId": BOT, "platformConversationId": CONVERSATION, "name": "look_up",
            "data": [{ "key": "tag", "value": [self.plant("action_parameter")] }],
        });
        let asked = {
            let (to, secret) = (self.webhooks, self.plant("old_webhook_secret"));
            let body = body.to_string();
            tokio::spawn(async move { post_to_agent(to, &secret, &body).await })
        };
        let request_id = self.request_id().await;
        let answer = RespondToAgentRequest {
            request_id,
            responder: self.plant("responder"),
            answer: Some(Answer::ActionResults(ActionResults {
                results: vec![self.parameter("action_result", true)],
            })),
        };
        self.client
            .respond_to_agent(answer)
            .await
            .expect("is taken");
        let reply = asked.await.expect("no panic");
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(
            reply.body.contains(&self.plant("action_result")),
            "{}",
            reply.body
        );
    }

    async fn request_id(&self) -> String {
        loop {
            for body in self.bodies(CONVERSATION).await {
                if let Body::ActionRequested(asked) = body {
                    return asked.request_id;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn bodies(&self, conversation: &str) -> Vec<Body> {
        let request = ListEventsRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: conversation.to_owned(),
            ..ListEventsRequest::default()
        };
        let page = self.client.list_events(request).await.expect("a page");
        let events = page.events.into_iter();
        events
            .filter_map(|delivered| delivered.event?.body)
            .collect()
    }

    async fn human_speaks(&mut self) {
        let note = self.plant("handover_note");
        self.client
            .hand_over(ACCOUNT, CONVERSATION, "over-1", Owner::Human, note)
            .await
            .expect("is taken");
        let said = SendHumanMessageRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: CONVERSATION.to_owned(),
            message_id: "h-1".to_owned(),
            content: Some(send_human_message_request::Content::Text(HumanText {
                text: self.plant("human_text"),
                name: self.plant("human_name"),
                ..HumanText::default()
            })),
            ..SendHumanMessageRequest::default()
        };
        self.client
            .send_human_message(said)
            .await
            .expect("is taken");
        self.says("visitor_text_queued", Vec::new())
            .await
            .expect("is held");
        self.client
            .hand_over(ACCOUNT, CONVERSATION, "back-1", Owner::Agent, "")
            .await
            .expect("is taken");
    }

    async fn platforms_refuse(&mut self) {
        // The words of the refused message, and some that are nobody's: both come back in the refusal.
        let echo = format!(
            "{} {}",
            self.plant("echo_of_agent"),
            self.plant("visitor_text_refused")
        );
        self.platform.next(Behaviour::answer(
            400,
            &json!({ "message": echo }).to_string(),
        ));
        let refused = self.says("visitor_text_refused", Vec::new()).await;
        let error = format!("{:?}", refused.err().expect("it was refused"));
        // What a platform says in words of its own is for the caller to read, and for nobody else.
        let own = self.plant("echo_of_agent");
        assert!(
            error.contains(&own) && error.contains("[removed]"),
            "{error}"
        );
        self.answers.push(error.replace(&own, ""));
    }

    async fn callers_err(&mut self) {
        let nobody = self.client.say(
            "nobody",
            CONVERSATION,
            "m-9",
            self.plant("unknown_account_text"),
        );
        let nobody = nobody.await;
        self.failed(nobody);
        let invalid = Parameter {
            key: String::new(),
            ..self.parameter("invalid_parameter", true)
        };
        let invalid = self.says("visitor_text_1", vec![invalid]).await;
        self.failed(invalid);
        let choice = Choice {
            label: self.plant("unknown_choice"),
            event_id: "nowhere".to_owned(),
            ..Choice::default()
        };
        let choice = self
            .client
            .choose(ACCOUNT, CONVERSATION, "m-10", choice)
            .await;
        self.failed(choice);
        let other = self.client.say(
            ACCOUNT,
            CONVERSATION,
            "m-visitor_text_1",
            self.plant("visitor_text_2"),
        );
        let other = other.await;
        self.failed(other);
        self.answers.push(self.with_a_key().await);
    }

    /// A call over plain HTTP/2 with a caller's key, which reaches every layer that could log headers.
    async fn with_a_key(&self) -> String {
        use parloir_proto::v1::{
            GetConversationRequest, conversation_service_client::ConversationServiceClient,
        };
        let channel = tonic::transport::Endpoint::from_shared(self.grpc.clone());
        let channel = channel.expect("a URL").connect().await.expect("a server");
        let bearer: tonic::metadata::AsciiMetadataValue =
            format!("Bearer {}", self.plant("caller_key"))
                .parse()
                .expect("a header");
        let mut client = ConversationServiceClient::with_interceptor(
            channel,
            move |mut request: tonic::Request<()>| {
                request
                    .metadata_mut()
                    .insert("authorization", bearer.clone());
                Ok(request)
            },
        );
        let asked = client
            .get_conversation(GetConversationRequest {
                account: ACCOUNT.to_owned(),
                conversation_id: "nowhere".to_owned(),
            })
            .await;
        format!("{:?}", asked.expect_err("nothing there"))
    }

    async fn a_key_is_made_and_used(&self) -> String {
        let caller = CreateCallerRequest {
            caller: Some(Caller {
                name: "ops".to_owned(),
                scopes: vec![Scope::Admin.into()],
                ..Caller::default()
            }),
        };
        self.client.create_caller(caller).await.expect("made");
        let of_ops = ListKeysRequest {
            caller: "ops".to_owned(),
            ..ListKeysRequest::default()
        };
        let key = CreateKeyRequest {
            caller: "ops".to_owned(),
            ..CreateKeyRequest::default()
        };
        let made = self.client.create_key(key).await.expect("made");
        let client = Client::builder(&self.grpc).key(&made.text).attempts(1);
        let client = client.connect().await.expect("a server that listens");
        let listed = client.list_keys(of_ops).await.expect("its key counts");
        assert_eq!(listed.keys.len(), 1);
        made.text
    }

    /// What nobody could read is not well kept, it is lost.
    async fn all_was_there(&self) {
        let told = format!("{:?}", self.bodies(CONVERSATION).await);
        for name in [
            "visitor_name",
            "visitor_text_1",
            "visitor_text_2",
            "visitor_text_queued",
            "visitor_text_refused",
            "personal_updated",
            "choice_label",
            "agent_text_1",
            "agent_text_2",
            "button_label",
            "card_title",
            "action_parameter",
            "action_result",
            "responder",
            "human_text",
            "handover_note",
            "unknown_event",
        ] {
            assert!(
                told.contains(&self.plant(name)),
                "{name} is not in the transcript"
            );
        }
    }
}

/// A stream sees what a transcript does.
async fn read_all(mut events: parloir_client::EventStream) {
    while events.next().await.is_some() {}
}
