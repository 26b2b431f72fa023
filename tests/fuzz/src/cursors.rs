//! Cursors, which callers keep and send back, perhaps damaged.

use parloir::domain::{Cursor, CursorError, Position};

/// The database that the seeds belong to.
const EPOCH: u64 = 7;

pub fn run(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        read(text);
    }
    if let Some(numbers) = input.first_chunk::<18>() {
        write(numbers);
    }
}

/// Any text is either refused, or the one spelling of a cursor of this database.
fn read(text: &str) {
    match Cursor::decode(text, EPOCH) {
        Ok(cursor) => {
            assert_eq!(cursor.epoch, EPOCH, "a cursor of another database was read");
            assert_eq!(cursor.encode(), text, "one cursor has two spellings");
        }
        Err(CursorError::OtherDatabase | CursorError::Malformed) => {}
    }
}

/// Any cursor comes back as it went, and only to its own database.
fn write(numbers: &[u8; 18]) {
    let number = |from: usize| {
        let bytes = &numbers[from..from + 8];
        u64::from_be_bytes(bytes.try_into().expect("eight bytes"))
    };
    let cursor = Cursor {
        epoch: number(0),
        log_id: u16::from_be_bytes([numbers[16], numbers[17]]),
        position: Position(number(8)),
    };
    let text = cursor.encode();
    assert_eq!(Cursor::decode(&text, cursor.epoch), Ok(cursor));
    let other = Cursor::decode(&text, cursor.epoch ^ 1);
    assert_eq!(other, Err(CursorError::OtherDatabase));
}
