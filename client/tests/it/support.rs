//! A server of the contract that tells the test who called and answers as the test says.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use parloir_client::{
    Client,
    v1::{
        self, CaughtUp, Checkpoint, DeliveredEvent, Event, GoingAway, GoingAwayReason,
        SendMessageRequest, SendMessageResponse, Started, SubscribeEventsRequest,
        SubscribeEventsResponse,
        conversation_service_server::{ConversationService, ConversationServiceServer},
        subscribe_events_response::Message,
    },
};
use tokio::{
    io::DuplexStream,
    net::TcpListener,
    sync::mpsc::{self, Receiver, Sender},
};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{
    Request, Response, Status,
    transport::{Endpoint, Server},
};

/// More than any test sends before the client reads.
const MOST: usize = 8_192;

/// The test's side of the fake.
pub struct Fake {
    pub url: String,
    pub sent: Arc<Sent>,
    streams: Receiver<OpenStream>,
}

/// A subscription as the server sees it. Dropping it ends the stream.
pub struct OpenStream {
    pub request: SubscribeEventsRequest,
    out: Sender<Result<SubscribeEventsResponse, Status>>,
}

/// The messages that were sent, and the answers still to be given; delivered where there are none.
#[derive(Default)]
pub struct Sent {
    pub requests: Mutex<Vec<SendMessageRequest>>,
    pub timeouts: Mutex<Vec<String>>,
    pub answers: Mutex<VecDeque<Answer>>,
}

pub enum Answer {
    Status(Status),
    Never,
}

impl Fake {
    /// On a socket.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (service, fake) = service(url);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        fake
    }

    /// On a pipe, for tests that stop the clock: a paused clock runs ahead of sockets, but not of pipes.
    pub fn on_a_pipe() -> (Self, Client) {
        let (service, fake) = service(String::new());
        let (connect, connections) = mpsc::channel::<std::io::Result<DuplexStream>>(MOST);
        let incoming = ReceiverStream::new(connections);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        let channel = Endpoint::from_static("http://pipe").connect_with_connector_lazy(
            tower::service_fn(move |_| {
                let (ours, theirs) = tokio::io::duplex(64 * 1024);
                let taken = connect.try_send(Ok(theirs));
                async move {
                    taken
                        .map(|()| TokioIo::new(ours))
                        .map_err(std::io::Error::other)
                }
            }),
        );
        (fake, Client::over(channel))
    }

    pub fn client(&self) -> Client {
        Client::builder(&self.url).connect_lazy().unwrap()
    }

    /// The next subscription that reaches the server.
    pub async fn subscribed(&mut self) -> OpenStream {
        self.streams.recv().await.expect("the server runs")
    }
}

impl OpenStream {
    pub fn after(&self) -> Option<&str> {
        match self.request.start.as_ref()? {
            v1::subscribe_events_request::Start::AfterCursor(cursor) => Some(cursor),
            _ => None,
        }
    }

    pub fn started(&self, cursor: &str) {
        let heartbeat = Some(Duration::from_secs(15).try_into().unwrap());
        self.send(Message::Started(Started {
            cursor: cursor.into(),
            heartbeat,
            ..Started::default()
        }));
    }

    /// Event `number` has the id `e<number>` and the cursor `c<number>`.
    pub fn event(&self, number: u32) {
        let event = Event {
            event_id: format!("e{number}"),
            ..Event::default()
        };
        let cursor = format!("c{number}");
        self.send(Message::Event(DeliveredEvent {
            event: Some(event),
            cursor,
            ..DeliveredEvent::default()
        }));
    }

    pub fn checkpoint(&self, cursor: &str) {
        self.send(Message::Checkpoint(Checkpoint {
            cursor: cursor.into(),
            server_time: None,
        }));
    }

    pub fn caught_up(&self, cursor: &str) {
        self.send(Message::CaughtUp(CaughtUp {
            cursor: cursor.into(),
        }));
    }

    pub fn going_away(&self, cursor: &str, after: Duration, reason: GoingAwayReason) {
        self.send(Message::GoingAway(GoingAway {
            resume_cursor: cursor.into(),
            reconnect_after: Some(after.try_into().unwrap()),
            reason: reason.into(),
        }));
    }

    pub fn send(&self, message: Message) {
        self.out
            .try_send(Ok(SubscribeEventsResponse {
                message: Some(message),
            }))
            .unwrap();
    }

    pub fn fail(self, status: Status) {
        self.out.try_send(Err(status)).unwrap();
    }
}

struct Service {
    streams: Sender<OpenStream>,
    sent: Arc<Sent>,
}

fn service(url: String) -> (ConversationServiceServer<Service>, Fake) {
    let (opened, streams) = mpsc::channel(MOST);
    let sent = Arc::<Sent>::default();
    let service = Service {
        streams: opened,
        sent: Arc::clone(&sent),
    };
    (
        ConversationServiceServer::new(service),
        Fake { url, sent, streams },
    )
}

macro_rules! unused {
    ($($name:ident: $request:ident => $response:ident),* $(,)?) => {$(
        fn $name<'a: 'c, 'c>(
            &'a self,
            _: Request<v1::$request>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<v1::$response>, Status>> + Send + 'c>>
        where
            Self: 'c,
        {
            Box::pin(async { Err(Status::unimplemented(stringify!($name))) })
        }
    )*};
}

#[tonic::async_trait]
impl ConversationService for Service {
    type SubscribeEventsStream =
        Pin<Box<dyn Stream<Item = Result<SubscribeEventsResponse, Status>> + Send>>;

    async fn subscribe_events(
        &self,
        request: Request<SubscribeEventsRequest>,
    ) -> Result<Response<Self::SubscribeEventsStream>, Status> {
        assert!(
            request.metadata().get("grpc-timeout").is_none(),
            "a subscription has no deadline"
        );
        let (out, messages) = mpsc::channel(MOST);
        self.streams
            .try_send(OpenStream {
                request: request.into_inner(),
                out,
            })
            .map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn send_message(
        &self,
        request: Request<SendMessageRequest>,
    ) -> Result<Response<SendMessageResponse>, Status> {
        let timeout = request
            .metadata()
            .get("grpc-timeout")
            .expect("a unary call has a deadline");
        self.sent
            .timeouts
            .lock()
            .unwrap()
            .push(timeout.to_str().unwrap().to_owned());
        self.sent
            .requests
            .lock()
            .unwrap()
            .push(request.into_inner());
        let answer = self.sent.answers.lock().unwrap().pop_front();
        match answer {
            None => Ok(Response::new(SendMessageResponse {
                cursor: "c1".into(),
                ..SendMessageResponse::default()
            })),
            Some(Answer::Status(status)) => Err(status),
            Some(Answer::Never) => std::future::pending().await,
        }
    }

    unused! {
        start_conversation: StartConversationRequest => StartConversationResponse,
        update_parameters: UpdateParametersRequest => UpdateParametersResponse,
        end_conversation: EndConversationRequest => EndConversationResponse,
        respond_to_agent: RespondToAgentRequest => RespondToAgentResponse,
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
