//! Wrong answers, down to the socket.

use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use super::faults::AnswerFault;
use super::socket::Abort;

/// One piece of an endless body. 16 KiB: large enough to reach any limit soon.
const PIECE: &[u8] = &[b' '; 16 << 10];

const FIRST_BYTES: &[u8] = b"{\"status\":";

/// How a body goes on after its first bytes.
#[derive(Clone, Copy)]
enum Rest {
    /// It ends, although more was announced.
    Missing,
    Endless,
    Reset,
}

/// The wrong answer; it may never come, and then either side closes the connection.
pub(super) async fn answer(fault: &AnswerFault, abort: &Abort) -> Response {
    match fault {
        AnswerFault::Status { code, retry_after } => status(*code, *retry_after),
        AnswerFault::NeverAnswer => pending().await,
        AnswerFault::ResetBeforeHeaders => {
            abort.reset();
            pending().await
        }
        AnswerFault::ResetAfterHeaders => announced(body(Rest::Reset, abort)),
        AnswerFault::TruncatedBody => announced(body(Rest::Missing, abort)),
        AnswerFault::EndlessBody => body(Rest::Endless, abort).into_response(),
        AnswerFault::MalformedBody => {
            let json = [(CONTENT_TYPE, "application/json")];
            (json, FIRST_BYTES).into_response()
        }
        AnswerFault::Redirect(url) => {
            let mut answer = StatusCode::FOUND.into_response();
            if let Ok(url) = HeaderValue::try_from(url) {
                answer.headers_mut().insert(LOCATION, url);
            }
            answer
        }
    }
}

fn status(code: u16, retry_after: Option<Duration>) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = (code, "this is a simulated fault").into_response();
    if let Some(retry_after) = retry_after {
        let partial = u64::from(retry_after.subsec_nanos() > 0);
        let seconds = HeaderValue::from(retry_after.as_secs() + partial);
        answer.headers_mut().insert(RETRY_AFTER, seconds);
    }
    answer
}

/// A body that announces more bytes than will come.
fn announced(body: Body) -> Response {
    ([(CONTENT_LENGTH, "1000")], body).into_response()
}

fn body(rest: Rest, abort: &Abort) -> Body {
    let abort = abort.clone();
    let pieces = stream::unfold(0_u64, move |number| {
        let abort = abort.clone();
        async move {
            if number == 0 {
                return Some((Bytes::from_static(FIRST_BYTES), 1));
            }
            // Lets what was written leave before what comes next.
            tokio::task::yield_now().await;
            match rest {
                Rest::Missing => None,
                Rest::Endless => Some((Bytes::from_static(PIECE), number)),
                Rest::Reset => {
                    abort.reset();
                    pending().await
                }
            }
        }
    });
    Body::from_stream(futures_util::StreamExt::map(
        pieces,
        Ok::<_, std::io::Error>,
    ))
}
