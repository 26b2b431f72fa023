//! What is no gRPC is turned away at the door. tonic would read the body of any request: a web page may have a browser
//! send a POST of plain text, or a GET, anywhere without asking, and must not make calls that way.

use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use tonic::{Status, body::Body};

const GRPC: &str = "application/grpc";

/// What it is answered, if it is none.
pub(super) fn refusal(request: &Request<Body>) -> Option<Response<Body>> {
    let (status, why) = if request.method() != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, "calls are POST requests")
    } else if is_grpc(request) {
        return None;
    } else {
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "calls have the content type application/grpc",
        )
    };
    let mut response = Status::unimplemented(why).into_http();
    *response.status_mut() = status;
    Some(response)
}

/// `application/grpc`, with or without a codec or parameters behind it; gRPC-Web is another protocol.
fn is_grpc(request: &Request<Body>) -> bool {
    let value = request.headers().get(CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok()?.strip_prefix(GRPC))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(method: Method, content_type: &str) -> Option<StatusCode> {
        let request = Request::builder()
            .method(method)
            .header(CONTENT_TYPE, content_type)
            .body(Body::empty())
            .expect("a request");
        refusal(&request).map(|response| response.status())
    }

    #[test]
    fn only_a_post_of_grpc_is_a_call() {
        for fine in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=y",
        ] {
            assert_eq!(answered(Method::POST, fine), None, "{fine}");
        }
        for other in ["text/plain", "application/grpc-web", "application/json", ""] {
            let status = Some(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert_eq!(answered(Method::POST, other), status, "{other}");
        }
        let status = Some(StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answered(Method::GET, GRPC), status);
        let without = Request::new(Body::empty());
        assert!(refusal(&without).is_some());
    }
}
