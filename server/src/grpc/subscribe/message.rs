//! The one message that opens a stream, read by hand: tonic's decoder belongs to the service that is passed by.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use prost::Message;
use tonic::{Status, body::Body};

use crate::grpc::too_large;

/// gRPC's prefix: whether it is compressed, and the length in four bytes.
const PREFIX_BYTES: usize = 5;

/// A caller sends the message together with the headers; one that takes longer holds a call open for nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the message that the body holds.
pub(super) async fn read<M: Message + Default>(
    request: Request<Body>,
    max_bytes: usize,
) -> Result<M, Status> {
    if let Some(encoding) = request.headers().get("grpc-encoding")
        && encoding != "identity"
    {
        return Err(compressed());
    }
    let bytes = tokio::time::timeout(READ_TIMEOUT, collect(request.into_body(), max_bytes))
        .await
        .map_err(|_| Status::deadline_exceeded("the request did not arrive in time"))??;
    let (prefix, message) = bytes
        .split_first_chunk::<PREFIX_BYTES>()
        .ok_or_else(incomplete)?;
    let [flag, length @ ..] = *prefix;
    if flag != 0 {
        return Err(compressed());
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length != message.len() {
        return Err(incomplete());
    }
    M::decode(message).map_err(|_| Status::internal("the request is not of the contract's form"))
}

async fn collect(mut body: Body, max_bytes: usize) -> Result<Vec<u8>, Status> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > max_bytes.saturating_add(PREFIX_BYTES) {
            return Err(too_large::refusal(max_bytes));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn compressed() -> Status {
    let mut status =
        Status::unimplemented("a subscription is not read compressed: send it as it is");
    let identity = tonic::metadata::MetadataValue::from_static("identity");
    status
        .metadata_mut()
        .insert("grpc-accept-encoding", identity);
    status
}

fn incomplete() -> Status {
    Status::internal("the request is not exactly one message")
}
