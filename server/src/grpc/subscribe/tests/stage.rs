//! A tonic server with the stream in front of a service that answers nothing else, and readers of it.

use std::{sync::Arc, time::Duration};

use parloir_proto::v1::{
    self, SubscribeEventsRequest, conversation_service_client::ConversationServiceClient,
    conversation_service_server::ConversationServiceServer, subscribe_events_request::Start,
    subscribe_events_response::Message,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status, Streaming,
    service::InterceptorLayer,
    transport::{Channel, Server},
};

use crate::{
    domain::{Cursor, Identity, SystemClock},
    grpc::with_streams,
    hub::{
        Settings,
        tests::support::{EPOCH, World},
    },
};

pub(super) type Client = ConversationServiceClient<Channel>;

pub(super) struct Stage {
    pub world: World,
    pub url: String,
    pub client: Client,
}

impl Stage {
    pub async fn new(settings: Settings) -> Self {
        Self::with(World::new(settings)).await
    }

    pub async fn with(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = ConversationServiceServer::new(Others);
        let clock = Arc::new(SystemClock);
        let service = with_streams(calls, world.hub.clone(), None, clock, 64 * 1024);
        // What the guard does for everybody who may call.
        let somebody = InterceptorLayer::new(|mut request: Request<()>| {
            request.extensions_mut().insert(Identity::anonymous());
            Ok(request)
        });
        let server = Server::builder()
            .layer(somebody)
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        let client = Client::connect(url.clone()).await.unwrap();
        Self { world, url, client }
    }

    /// Opens a stream and reads `Started`.
    pub async fn open(
        &self,
        request: SubscribeEventsRequest,
    ) -> Result<(v1::Started, Reader), Status> {
        let response = self.client.clone().subscribe_events(request).await?;
        let mut reader = Reader {
            stream: response.into_inner(),
        };
        match reader.next().await {
            Some(Message::Started(started)) => Ok((started, reader)),
            other => panic!("started, not {other:?}"),
        }
    }

    /// The refusal of a request.
    pub async fn refusal(&self, request: SubscribeEventsRequest) -> Status {
        match self.client.clone().subscribe_events(request).await {
            Ok(_) => panic!("not refused"),
            Err(status) => status,
        }
    }
}

/// A client on a connection of its own that takes little before it is read.
pub(super) async fn with_small_windows(url: &str) -> Client {
    let endpoint = Channel::from_shared(url.to_owned()).unwrap();
    let endpoint = endpoint
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535);
    Client::new(endpoint.connect().await.unwrap())
}

pub(super) struct Reader {
    pub stream: Streaming<v1::SubscribeEventsResponse>,
}

impl Reader {
    /// The next message; absent when the stream ended well.
    pub async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(Duration::from_secs(30), self.stream.message());
        let message = next.await.expect("a sign of life").unwrap();
        message.map(|message| message.message.expect("a kind that is known"))
    }

    /// Positions of the next so many events, whatever comes between them.
    pub async fn events(&mut self, count: usize) -> Vec<u64> {
        let mut positions = Vec::new();
        while positions.len() < count {
            if let Some(Message::Event(event)) = self.next().await {
                positions.push(position(&event.cursor));
            }
        }
        positions
    }

    /// Reads up to the goodbye. Answers it and the status after it.
    pub async fn goodbye(&mut self) -> (v1::GoingAway, Status) {
        loop {
            if let Some(Message::GoingAway(going)) = self.next().await {
                let end = self.stream.message().await;
                return (going, end.expect_err("a stream ends with a status"));
            }
        }
    }
}

pub(super) fn position(cursor: &str) -> u64 {
    Cursor::decode(cursor, EPOCH).unwrap().position.0
}

pub(super) fn after(cursor: &str) -> SubscribeEventsRequest {
    SubscribeEventsRequest {
        start: Some(Start::AfterCursor(cursor.to_owned())),
        ..SubscribeEventsRequest::default()
    }
}

pub(super) fn earliest() -> SubscribeEventsRequest {
    SubscribeEventsRequest {
        start: Some(Start::Position(v1::StartPosition::Earliest.into())),
        ..SubscribeEventsRequest::default()
    }
}

pub(super) fn latest() -> SubscribeEventsRequest {
    SubscribeEventsRequest::default()
}

/// All other calls: one of them answers, to show that it is reached.
struct Others;

macro_rules! unreached {
    ($($name:ident($request:ident) -> $response:ident;)+) => {
        #[tonic::async_trait]
        impl v1::conversation_service_server::ConversationService for Others {
            type SubscribeEventsStream =
                tokio_stream::Empty<Result<v1::SubscribeEventsResponse, Status>>;

            async fn subscribe_events(
                &self,
                _: Request<SubscribeEventsRequest>,
            ) -> Result<Response<Self::SubscribeEventsStream>, Status> {
                Err(Status::internal("the generated stream was reached"))
            }

            $(async fn $name(
                &self,
                _: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                Err(Status::not_found(stringify!($name)))
            })+
        }
    };
}

unreached! {
    start_conversation(StartConversationRequest) -> StartConversationResponse;
    send_message(SendMessageRequest) -> SendMessageResponse;
    update_parameters(UpdateParametersRequest) -> UpdateParametersResponse;
    end_conversation(EndConversationRequest) -> EndConversationResponse;
    respond_to_agent(RespondToAgentRequest) -> RespondToAgentResponse;
    set_availability(SetAvailabilityRequest) -> SetAvailabilityResponse;
    transfer_conversation(TransferConversationRequest) -> TransferConversationResponse;
    send_human_message(SendHumanMessageRequest) -> SendHumanMessageResponse;
    get_conversation(GetConversationRequest) -> GetConversationResponse;
    list_conversations(ListConversationsRequest) -> ListConversationsResponse;
    list_events(ListEventsRequest) -> ListEventsResponse;
    erase_personal_data(ErasePersonalDataRequest) -> ErasePersonalDataResponse;
    get_erasure(GetErasureRequest) -> GetErasureResponse;
    pull_events(PullEventsRequest) -> PullEventsResponse;
    ack_events(AckEventsRequest) -> AckEventsResponse;
}
