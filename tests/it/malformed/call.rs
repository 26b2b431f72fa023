//! One call, byte by byte: what stands in its body is up to the test.

use std::{future::poll_fn, time::Duration};

use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use tonic::{
    Code, Status,
    body::Body,
    client::GrpcService,
    transport::{Channel, Endpoint},
};

use super::methods::Method;

/// Far more than any answer takes here.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub struct Caller {
    url: String,
    channel: Channel,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub body: Vec<u8>,
    pub content_type: &'static str,
    pub encoding: Option<&'static str>,
    pub http_method: http::Method,
    /// Behind the method's path.
    pub more_path: &'static str,
}

impl Sent {
    pub fn of(body: Vec<u8>) -> Self {
        Self {
            body,
            content_type: "application/grpc",
            encoding: None,
            http_method: http::Method::POST,
            more_path: "",
        }
    }
}

/// A message in a frame that is fine.
pub fn framed(message: &[u8]) -> Vec<u8> {
    frame(
        0,
        u32::try_from(message.len()).expect("a short message"),
        message,
    )
}

/// A frame that may lie.
pub fn frame(flag: u8, length: u32, message: &[u8]) -> Vec<u8> {
    [&[flag], length.to_be_bytes().as_slice(), message].concat()
}

impl Caller {
    pub async fn connect(url: String) -> Self {
        let endpoint = Endpoint::from_shared(url.clone()).expect("an address");
        let channel = endpoint.connect().await.expect("a listener");
        Self { url, channel }
    }

    /// How it is answered.
    pub async fn send(&self, method: &Method, sent: Sent) -> Code {
        let answered = tokio::time::timeout(PATIENCE, self.answer(method, sent)).await;
        answered.unwrap_or_else(|_| panic!("{} does not answer", method.path))
    }

    pub async fn good_call(&self) -> Code {
        let method = Method {
            path: "/parloir.v1.AccountService/ListAccounts".to_owned(),
            is_ours: true,
            answers_for_long: false,
            is_conversation: false,
            fields: Vec::new(),
            loops: Vec::new(),
        };
        self.send(&method, Sent::of(framed(&[]))).await
    }

    async fn answer(&self, method: &Method, sent: Sent) -> Code {
        let mut request = Request::builder()
            .method(sent.http_method)
            .uri(format!("{}{}{}", self.url, method.path, sent.more_path))
            .header("te", "trailers")
            .header(CONTENT_TYPE, sent.content_type);
        if !method.answers_for_long {
            // What waits for something to come answers at its caller's deadline.
            request = request.header("grpc-timeout", "2S");
        }
        if let Some(encoding) = sent.encoding {
            request = request.header("grpc-encoding", encoding);
        }
        let body = Body::new(Full::new(sent.body.into()));
        let request = request.body(body).expect("a request");
        let mut channel = self.channel.clone();
        poll_fn(|context| GrpcService::poll_ready(&mut channel, context))
            .await
            .expect("a connection that lives");
        let response = GrpcService::call(&mut channel, request).await;
        code(response.expect("an answer"), method.answers_for_long).await
    }
}

/// What the headers say, or the trailers; a stream that goes on was taken.
async fn code(response: Response<Body>, answers_for_long: bool) -> Code {
    let (head, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        return status.code();
    }
    assert!(head.status.is_success(), "HTTP {}", head.status);
    if answers_for_long {
        return Code::Ok;
    }
    let collected = body.collect().await.expect("a whole answer");
    let trailers = collected.trailers().expect("trailers");
    Status::from_header_map(trailers).expect("a status").code()
}
