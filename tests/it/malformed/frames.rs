//! Frames, headers and compression that are wrong around any message.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::call::{Sent, frame, framed};

/// Bytes that a bomb unfolds to.
const UNFOLDED: usize = 200 * 1024 * 1024;

/// A request, and what is wrong with it.
pub struct Case {
    pub what: &'static str,
    pub sent: Sent,
    /// It may be understood all the same.
    pub may_be_valid: bool,
}

pub fn broken() -> Vec<Case> {
    let no = |what, sent| Case {
        what,
        sent,
        may_be_valid: false,
    };
    let perhaps = |what, sent| Case {
        what,
        sent,
        may_be_valid: true,
    };
    let in_encoding = |encoding, body| Sent {
        encoding: Some(encoding),
        ..Sent::of(body)
    };
    let plain = || Sent::of(framed(&[]));
    vec![
        no("a flag 1 without an encoding", Sent::of(frame(1, 0, &[]))),
        no("a flag 2", Sent::of(frame(2, 0, &[]))),
        no("a flag 255", Sent::of(frame(255, 0, &[]))),
        no("a frame that is cut off", Sent::of(frame(0, 10, &[8, 1]))),
        no("a header that is cut off", Sent::of(vec![0, 0, 0])),
        no("a frame of 4 GiB", Sent::of(frame(0, u32::MAX, &[8, 1]))),
        no("a frame of 2 GiB", Sent::of(frame(0, 1 << 31, &[]))),
        no("no gzip", in_encoding("gzip", frame(1, 4, b"nope"))),
        no("an empty gzip", in_encoding("gzip", frame(1, 0, &[]))),
        no(
            "gzip that is cut off",
            in_encoding("gzip", compressed(&gzip(1000)[..12])),
        ),
        no(
            "an encoding nobody knows",
            in_encoding("br", frame(1, 0, &[])),
        ),
        perhaps("no frame at all", Sent::of(Vec::new())),
        perhaps("a frame after the message", Sent::of(framed(&[]).repeat(2))),
        perhaps(
            "garbage after the message",
            Sent::of([framed(&[]), vec![9; 40]].concat()),
        ),
        no(
            "another content type",
            Sent {
                content_type: "text/plain",
                ..plain()
            },
        ),
        no(
            "JSON",
            Sent {
                content_type: "application/json",
                ..Sent::of(b"{}".to_vec())
            },
        ),
        no(
            "a GET",
            Sent {
                http_method: http::Method::GET,
                ..plain()
            },
        ),
        no(
            "a method that does not exist",
            Sent {
                more_path: "More",
                ..plain()
            },
        ),
        no(
            "a path below the method",
            Sent {
                more_path: "/../..",
                ..plain()
            },
        ),
    ]
}

/// A frame that says it is compressed.
pub fn compressed(bytes: &[u8]) -> Vec<u8> {
    frame(
        1,
        u32::try_from(bytes.len()).expect("a short message"),
        bytes,
    )
}

/// Below the largest message as it is, 800 times the largest once it is unfolded.
pub fn bomb() -> Vec<u8> {
    gzip(UNFOLDED)
}

fn gzip(zeros: usize) -> Vec<u8> {
    static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut left = zeros;
    while left > 0 {
        let piece = left.min(PIECE.len());
        encoder.write_all(&PIECE[..piece]).expect("memory takes it");
        left -= piece;
    }
    encoder.finish().expect("memory takes it")
}
