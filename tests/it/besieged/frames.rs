//! HTTP/2 as no library would write it.

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The preface and empty settings.
pub const GREETING: [u8; 33] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A gRPC call's headers, without any table of HPACK's.
fn head(path: &str) -> Vec<u8> {
    // POST and http are in the static table, and so are the names of `:path`, `:authority` and `content-type`.
    let mut block = vec![0x83, 0x86];
    let mut literal = |name: &[u8], value: &str| {
        block.extend(name);
        block.push(u8::try_from(value.len()).expect("short"));
        block.extend(value.as_bytes());
    };
    literal(&[0x04], path);
    literal(&[0x01], "parloir");
    literal(&[0x0f, 0x10], "application/grpc");
    literal(&[0x00, 2, b't', b'e'], "trailers");
    block
}

const SUBSCRIBE: &str = "/parloir.v1.ConversationService/SubscribeEvents";

/// Asks for every event and takes not a byte of it.
pub fn with_closed_window() -> Vec<u8> {
    let window = [0, 4, 0, 0, 0, 0];
    [
        GREETING[..24].to_vec(),
        frame(SETTINGS, 0, 0, &window),
        frame(HEADERS, END_HEADERS, 1, &head(SUBSCRIBE)),
        frame(DATA, END_STREAM, 1, &[0; 5]),
    ]
    .concat()
}

/// Streams opened and reset at once, a thousand; the numbers may repeat from one piece to the next.
pub fn resets() -> Vec<u8> {
    let each = (0..1000).map(|number| {
        let stream = 2 * number + 1;
        let opened = frame(HEADERS, END_HEADERS, stream, &head(SUBSCRIBE));
        [opened, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    });
    each.collect::<Vec<_>>().concat()
}

/// Headers that are to be continued.
pub fn begun_headers() -> Vec<u8> {
    [GREETING.to_vec(), frame(HEADERS, 0, 1, &head(SUBSCRIBE))].concat()
}

/// 16 KiB more of them, and still no end.
pub fn continuation() -> Vec<u8> {
    let field = [&[0x00, 1, b'a', 100][..], &[b'b'; 100]].concat();
    frame(CONTINUATION, 0, 1, &field.repeat(150))
}

pub fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(1000)
}

pub fn pings() -> Vec<u8> {
    frame(PING, 0, 0, &[7; 8]).repeat(1000)
}

/// A call whose message is to come.
pub fn opened() -> Vec<u8> {
    let path = "/parloir.v1.ConversationService/SendMessage";
    [
        GREETING.to_vec(),
        frame(HEADERS, END_HEADERS, 1, &head(path)),
    ]
    .concat()
}

pub fn empty_data() -> Vec<u8> {
    frame(DATA, 0, 1, &[]).repeat(1000)
}
