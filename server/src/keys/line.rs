//! Master keys as text: a line each, `ID:BASE64`.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    cipher::{KEY_BYTES, random},
    ring::MasterKeyId,
};

/// What is wrong with a line. Never shows what stands in it: that may be most of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    #[error(
        "line {0} is not ID:BASE64: `parloir new-master-key` prints one that is, and the first line seals"
    )]
    Form(usize),
    #[error("line {0}: the id must be 1 to 32 of a-z 0-9 _ -")]
    Id(usize),
    #[error("line {0}: the key must be {KEY_BYTES} bytes in base64")]
    Key(usize),
    #[error("line {0}: the id {1} stands in another line, too")]
    Twice(usize, MasterKeyId),
    #[error("there is no key in it: put in a line that `parloir new-master-key` prints")]
    Empty,
}

pub(super) type Line = (MasterKeyId, Zeroizing<[u8; KEY_BYTES]>);

/// A fresh master key under a random id, as a line.
pub fn new_line() -> Zeroizing<String> {
    let id = u32::from_be_bytes(random());
    let key = Zeroizing::new(random::<KEY_BYTES>());
    let text = Zeroizing::new(STANDARD.encode(*key));
    Zeroizing::new(format!("k{id:08x}:{}", *text))
}

/// Reads lines; empty ones, and those that begin with `#`, are passed over.
pub(super) fn read(text: &str) -> Result<Vec<Line>, BadLine> {
    let mut lines: Vec<Line> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, key) = read_line(number, line)?;
        if lines.iter().any(|(other, _)| *other == id) {
            return Err(BadLine::Twice(number, id));
        }
        lines.push((id, key));
    }
    if lines.is_empty() {
        return Err(BadLine::Empty);
    }
    Ok(lines)
}

fn read_line(number: usize, line: &str) -> Result<Line, BadLine> {
    let (id, key) = line.split_once(':').ok_or(BadLine::Form(number))?;
    let id = MasterKeyId::parse(id.trim()).ok_or(BadLine::Id(number))?;
    let bytes = STANDARD.decode(key.trim()).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| BadLine::Key(number))?;
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| BadLine::Key(number))?;
    Ok((id, Zeroizing::new(key)))
}
