//! Counts the records of an export's file as it passes by: objects in one JSON list, or one after the other.

/// The count so far.
#[derive(Debug, Default)]
pub(super) struct Records {
    count: u64,
    /// Lists and objects that are open.
    depth: u32,
    /// What is open around each record: a list, or nothing. Absent: nothing but blanks has come.
    around: Option<u32>,
    in_text: bool,
    escaped: bool,
    /// It is not what is counted here.
    other: bool,
}

impl Records {
    pub(super) fn feed(&mut self, piece: &[u8]) {
        for byte in piece {
            if self.in_text {
                self.within_text(*byte);
            } else {
                self.outside(*byte);
            }
        }
    }

    /// Absent where the file is not JSON of that kind, or not whole.
    pub(super) fn count(&self) -> Option<u64> {
        let whole = self.depth == 0 && !self.in_text && !self.other;
        whole.then_some(self.count)
    }

    fn within_text(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_text = false,
            _ => {}
        }
    }

    fn outside(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() {
            return;
        }
        let around = *self.around.get_or_insert_with(|| match byte {
            b'[' => 1,
            b'{' => 0,
            _ => {
                self.other = true;
                0
            }
        });
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => {
                self.count += u64::from(byte == b'{' && self.depth == around);
                self.depth += 1;
            }
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b'}' | b']' => self.other = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Option<u64> {
        let mut records = Records::default();
        // Byte by byte: pieces end anywhere.
        for byte in text.as_bytes() {
            records.feed(&[*byte]);
        }
        records.count()
    }

    #[test]
    fn a_list_and_lines_are_counted_alike() {
        assert_eq!(count(r#"[{"a":{"b":[{}]}}, {"c":"]}{\"{"}]"#), Some(2));
        assert_eq!(count("{\"a\":{}}\n{\"b\":[{}]}\r\n{}\n"), Some(3));
        assert_eq!(count("[]"), Some(0));
        assert_eq!(count(" \n"), Some(0));
        assert_eq!(count(r#"{"a":"\\"}{"b":"\\\""}"#), Some(2));
    }

    #[test]
    fn what_is_no_such_json_or_not_whole_is_not_counted() {
        for other in [
            "a,b\n1,2\n",
            "\u{1f}\u{8b}{}",
            "[{}",
            "{\"a",
            "{}}",
            "\"{}\"",
        ] {
            assert_eq!(count(other), None, "{other}");
        }
    }
}
