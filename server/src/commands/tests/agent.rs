//! A server with one agent behind it that answers in a fixed way, over a real socket.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use parloir_proto::v1::{
    self, ActionParameter, ActionRequested, AgentMessage, Button, ButtonKind, Card, CaughtUp,
    DeliveredEvent, Delivery, DeliveryChanged, DeliveryState, EscalationRequested, Event,
    HumanMessage, HumanMessageKind, Owner, OwnerChangeCause, OwnerChanged, OwnerEvidence,
    RespondToAgentRequest, RespondToAgentResponse, SendMessageRequest, SendMessageResponse,
    StartConversationRequest, StartConversationResponse, StartPosition, Started,
    SubscribeEventsRequest, SubscribeEventsResponse, VisitorMessage,
    conversation_service_server::{ConversationService, ConversationServiceServer},
    delivery_changed::Subject,
    event::Body,
    respond_to_agent_request::Answer,
    send_message_request::Content,
    subscribe_events_request::Start,
    subscribe_events_response::Message,
    visitor_message,
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{Request, Response, Status, transport::Server};
use tonic_types::{ErrorDetails, StatusExt};

/// More events than any test makes.
const MOST: usize = 256;

#[derive(Clone, Default)]
pub(in crate::commands) struct Agent(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    subscriber: Option<mpsc::Sender<Result<SubscribeEventsResponse, Status>>>,
    conversation: String,
    log: Vec<SubscribeEventsResponse>,
    calls: Vec<String>,
}

impl Agent {
    /// Serves, and the URL it serves at.
    pub(in crate::commands) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let service = ConversationServiceServer::new(self.clone());
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        url
    }

    /// What reached the server, in order.
    pub(in crate::commands) fn calls(&self) -> Vec<String> {
        self.with(|state| state.calls.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn called(&self, what: impl Into<String>) {
        self.with(|state| state.calls.push(what.into()));
    }

    fn happens(&self, body: Body) {
        self.with(|state| {
            let number = state.log.len() + 1;
            let event = Event {
                event_id: format!("e{number}"),
                account: "demo".into(),
                conversation_id: state.conversation.clone(),
                sequence: number as u64,
                body: Some(body),
                ..Event::default()
            };
            let message = one(Message::Event(DeliveredEvent {
                event: Some(event),
                cursor: format!("c{number}"),
                ..DeliveredEvent::default()
            }));
            state.log.push(message.clone());
            if let Some(subscriber) = &state.subscriber {
                let _ = subscriber.try_send(Ok(message));
            }
        });
    }

    /// One that wants the log gets it; everybody is caught up then.
    fn subscribe(
        &self,
        from_earliest: bool,
    ) -> mpsc::Receiver<Result<SubscribeEventsResponse, Status>> {
        let (subscriber, messages) = mpsc::channel(MOST);
        self.with(|state| {
            let log = if from_earliest {
                state.log.as_slice()
            } else {
                &[]
            };
            let started = Message::Started(Started {
                cursor: "c0".into(),
                ..Started::default()
            });
            let caught_up = CaughtUp {
                cursor: format!("c{}", state.log.len()),
            };
            let first = [one(started)].into_iter().chain(log.iter().cloned());
            for message in first.chain([one(Message::CaughtUp(caught_up))]) {
                let _ = subscriber.try_send(Ok(message));
            }
            state.subscriber = Some(subscriber);
        });
        messages
    }

    /// The agent speaks.
    pub(in crate::commands) fn says(&self, text: &str, buttons: &[&str]) {
        let buttons = buttons.iter().map(|label| button(label)).collect();
        let message = AgentMessage {
            text: text.into(),
            buttons,
            ..AgentMessage::default()
        };
        self.happens(Body::AgentMessage(message));
    }

    /// What the agent does when it is told this.
    fn hears(&self, text: &str) -> DeliveryState {
        match text {
            "Track my order" => self.happens(Body::ActionRequested(ActionRequested {
                request_id: "r-1".into(),
                name: "fetch_order".into(),
                parameters: vec![ActionParameter {
                    key: "order_number".into(),
                    values: vec!["A-1009".into()],
                    ..ActionParameter::default()
                }],
                ..ActionRequested::default()
            })),
            "human" => self.happens(Body::EscalationRequested(EscalationRequested {
                request_id: "r-2".into(),
                ..EscalationRequested::default()
            })),
            "shop" => {
                let card = |title: &str| Card {
                    title: title.into(),
                    buttons: vec![button("Buy")],
                    ..Card::default()
                };
                let cards = vec![card("Red"), card("Blue")];
                self.happens(Body::AgentMessage(AgentMessage {
                    cards,
                    ..AgentMessage::default()
                }));
            }
            "down" => return DeliveryState::Queued,
            "lost" => return DeliveryState::Unknown,
            "refused" => return DeliveryState::Failed,
            "silence" => {}
            "desk" => self.the_desk_takes_over(),
            "nobody knows" => self.happens(owner(Owner::Unknown, "")),
            text => self.says(&format!("You said {text}"), &[]),
        }
        DeliveryState::Delivered
    }
}

impl Agent {
    /// What a source brings: a human's words, an answer that came too late for the visitor, and last, because it ends the
    /// wait for an answer, who owns the conversation.
    fn the_desk_takes_over(&self) {
        let human = |kind: HumanMessageKind, text: &str| HumanMessage {
            kind: kind.into(),
            text: text.into(),
            name: "Ada".into(),
            from_source: true,
            ..HumanMessage::default()
        };
        let said = [
            human(HumanMessageKind::Joined, ""),
            human(HumanMessageKind::Text, "I am here"),
        ];
        for message in said {
            self.happens(Body::HumanMessage(message));
        }
        self.happens(Body::DeliveryChanged(DeliveryChanged {
            subject: Some(Subject::EventId("e1".into())),
            state: DeliveryState::Superseded.into(),
            reason: "OWNER_MOVED".into(),
            ..DeliveryChanged::default()
        }));
        self.happens(owner(Owner::Human, "angry"));
    }
}

/// What a source says of the owner.
fn owner(to: Owner, note: &str) -> Body {
    Body::OwnerChanged(OwnerChanged {
        to: to.into(),
        cause: OwnerChangeCause::Observed.into(),
        evidence: OwnerEvidence::Pushed.into(),
        note: note.into(),
        ..OwnerChanged::default()
    })
}

fn one(message: Message) -> SubscribeEventsResponse {
    SubscribeEventsResponse {
        message: Some(message),
    }
}

fn expired() -> Status {
    let mut details = ErrorDetails::new();
    let first = ("first_available_cursor".to_owned(), "c90".to_owned());
    details.set_error_info("CURSOR_EXPIRED", "parloir", [first]);
    Status::with_error_details(tonic::Code::OutOfRange, "the log begins later", details)
}

fn button(label: &str) -> Button {
    let (kind, link) = match label {
        "Our shop" => (ButtonKind::Link, "https://shop.example"),
        _ => (ButtonKind::Reply, ""),
    };
    Button {
        kind: kind.into(),
        label: label.into(),
        link: link.into(),
    }
}

fn delivery(state: DeliveryState) -> Delivery {
    Delivery {
        state: state.into(),
        ..Delivery::default()
    }
}

macro_rules! not_here {
    ($($name:ident: $request:ident => $response:ident),* $(,)?) => {$(
        fn $name<'a: 'c, 'c>(
            &'a self,
            _: Request<v1::$request>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<v1::$response>, Status>> + Send + 'c>>
        where
            Self: 'c,
        {
            self.called(stringify!($name));
            Box::pin(async { Ok(Response::new(v1::$response::default())) })
        }
    )*};
}

#[tonic::async_trait]
impl ConversationService for Agent {
    type SubscribeEventsStream =
        Pin<Box<dyn Stream<Item = Result<SubscribeEventsResponse, Status>> + Send>>;

    async fn subscribe_events(
        &self,
        request: Request<SubscribeEventsRequest>,
    ) -> Result<Response<Self::SubscribeEventsStream>, Status> {
        let messages = match request.into_inner().start {
            Some(Start::AfterCursor(_)) => return Err(expired()),
            Some(Start::Position(position)) => {
                self.subscribe(position == i32::from(StartPosition::Earliest))
            }
            _ => self.subscribe(false),
        };
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn start_conversation(
        &self,
        request: Request<StartConversationRequest>,
    ) -> Result<Response<StartConversationResponse>, Status> {
        let request = request.into_inner();
        if request.account != "demo" {
            return Err(Status::not_found("no such account"));
        }
        self.called(format!(
            "start with {} parameters",
            request.parameters.len()
        ));
        self.with(|state| state.conversation = request.conversation_id);
        self.says("Welcome", &["Track my order", "Our shop"]);
        Ok(Response::new(StartConversationResponse {
            delivery: Some(delivery(DeliveryState::Delivered)),
            ..StartConversationResponse::default()
        }))
    }

    async fn send_message(
        &self,
        request: Request<SendMessageRequest>,
    ) -> Result<Response<SendMessageResponse>, Status> {
        let request = request.into_inner();
        let text = match request.content {
            Some(Content::Text(text)) => {
                self.called(format!("say {text}"));
                text
            }
            Some(Content::Choice(choice)) => {
                self.called(format!(
                    "choose {} card {:?} of {}",
                    choice.label, choice.card_index, choice.event_id
                ));
                choice.label
            }
            None => String::new(),
        };
        self.happens(Body::VisitorMessage(VisitorMessage {
            message_id: request.message_id,
            content: Some(visitor_message::Content::Text(text.clone())),
            ..VisitorMessage::default()
        }));
        let state = self.hears(&text);
        Ok(Response::new(SendMessageResponse {
            delivery: Some(delivery(state)),
            ..SendMessageResponse::default()
        }))
    }

    async fn respond_to_agent(
        &self,
        request: Request<RespondToAgentRequest>,
    ) -> Result<Response<RespondToAgentResponse>, Status> {
        match request.into_inner().answer {
            Some(Answer::ActionResults(given)) => {
                let results: Vec<_> = given
                    .results
                    .iter()
                    .map(|p| format!("{}={}", p.key, p.value))
                    .collect();
                self.called(format!("results {}", results.join("; ")));
                self.says("Your order is on its way", &[]);
            }
            Some(Answer::Escalation(given)) => {
                self.called(format!("escalation {}", given.accepted));
                self.happens(Body::OwnerChanged(OwnerChanged {
                    to: Owner::Human.into(),
                    cause: OwnerChangeCause::EscalationAccepted.into(),
                    ..OwnerChanged::default()
                }));
            }
            _ => {
                self.called("refused");
                self.says("Then not", &[]);
            }
        }
        Ok(Response::new(RespondToAgentResponse::default()))
    }

    not_here! {
        update_parameters: UpdateParametersRequest => UpdateParametersResponse,
        end_conversation: EndConversationRequest => EndConversationResponse,
        set_availability: SetAvailabilityRequest => SetAvailabilityResponse,
        transfer_conversation: TransferConversationRequest => TransferConversationResponse,
        send_human_message: SendHumanMessageRequest => SendHumanMessageResponse,
        get_conversation: GetConversationRequest => GetConversationResponse,
        list_conversations: ListConversationsRequest => ListConversationsResponse,
        list_events: ListEventsRequest => ListEventsResponse,
        erase_personal_data: ErasePersonalDataRequest => ErasePersonalDataResponse,
        get_erasure: GetErasureRequest => GetErasureResponse,
        pull_events: PullEventsRequest => PullEventsResponse,
        ack_events: AckEventsRequest => AckEventsResponse,
    }
}
