//! Calls by their path and with bytes, so that one walk can make all of them.

use parloir_client::v1::{
    DeliveredEvent, SubscribeEventsRequest, SubscribeEventsResponse,
    subscribe_events_response::Message as Item,
};
use prost::{
    Message,
    bytes::{Buf, BufMut, Bytes},
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// A backend with its key.
#[derive(Clone)]
pub struct Caller {
    pub channel: Channel,
    pub key: String,
}

impl Caller {
    /// Calls `service/method` of the contract. The bytes of the answer.
    pub async fn send(&self, method: &str, message: Bytes) -> Result<Bytes, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.expect("a connection");
        let answered = grpc.unary(self.request(message), path(method), Raw);
        Ok(answered.await?.into_inner())
    }

    /// The answer to a call that must succeed.
    pub async fn ask<T: Message + Default>(&self, method: &str, message: &impl Message) -> T {
        let answer = self.send(method, message.encode_to_vec().into()).await;
        let answer = answer.unwrap_or_else(|status| panic!("{method}: {status:?}"));
        T::decode(answer).expect("an answer of the contract")
    }

    pub async fn subscribe(&self, wish: &SubscribeEventsRequest) -> Result<Stream, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.expect("a connection");
        let path = path("ConversationService/SubscribeEvents");
        let opened = grpc
            .server_streaming(self.request(wish.encode_to_vec().into()), path, Raw)
            .await?;
        Ok(Stream(opened.into_inner()))
    }

    fn request(&self, message: Bytes) -> Request<Bytes> {
        let mut request = Request::new(message);
        let key = format!("Bearer {}", self.key);
        let key = key.parse().expect("ASCII");
        request.metadata_mut().insert("authorization", key);
        request
    }
}

fn path(method: &str) -> http::uri::PathAndQuery {
    let path = format!("/parloir.v1.{method}");
    path.parse().expect("a path")
}

pub struct Stream(tonic::Streaming<Bytes>);

impl Stream {
    /// What comes next, within the patience of a test.
    pub async fn next(&mut self) -> Item {
        let next = tokio::time::timeout(std::time::Duration::from_secs(30), self.0.message());
        let next = next.await.expect("something in time").expect("no error");
        let response = SubscribeEventsResponse::decode(next.expect("an open stream"));
        response
            .expect("of the contract")
            .message
            .expect("something")
    }

    /// The events up to where the log ends now.
    pub async fn caught_up(&mut self) -> Vec<DeliveredEvent> {
        let mut events = Vec::new();
        loop {
            match self.next().await {
                Item::Event(event) => events.push(event),
                Item::CaughtUp(_) => return events,
                _ => {}
            }
        }
    }

    pub async fn event(&mut self) -> DeliveredEvent {
        loop {
            if let Item::Event(event) = self.next().await {
                return event;
            }
        }
    }
}

/// Bytes as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
