//! Reads what strace wrote and looks for answers that came before their flush.

/// System calls in the order in which they began.
pub struct Trace {
    calls: Vec<Call>,
}

/// One system call. `begun` and `ended` are numbers of lines: strace writes a call in two lines as soon as anything
/// else happens in between, so lines are an order of all that happened.
struct Call {
    name: String,
    /// The file or connection, as strace shows descriptors.
    on: String,
    /// The rest of the arguments.
    arguments: String,
    begun: usize,
    /// Absent: it was under way when the trace ended.
    ended: Option<usize>,
    succeeded: bool,
}

/// What was found.
pub struct Audit {
    /// Webhooks that were answered 2xx.
    pub acknowledged: usize,
    /// The connections of those whose answer began before a flush had ended that began after their bytes were read.
    pub unflushed: Vec<String>,
}

/// Looks at every 2xx on connections to `port`.
pub fn unflushed(trace: &Trace, port: u16) -> Audit {
    let mut audit = Audit {
        acknowledged: 0,
        unflushed: Vec::new(),
    };
    let server_side = format!(":{port}->");
    let answers = trace
        .calls
        .iter()
        .filter(|call| call.on.contains(&server_side) && call.is_acknowledgement());
    for answer in answers {
        audit.acknowledged += 1;
        let read = trace
            .calls
            .iter()
            .filter(|call| call.on == answer.on && call.is_webhook());
        let read = read
            .filter_map(|call| call.ended)
            .filter(|ended| *ended < answer.begun)
            .max();
        let flushed = read.is_some_and(|read| trace.flushed_between(read, answer.begun));
        if !flushed {
            audit.unflushed.push(answer.on.clone());
        }
    }
    audit
}

impl Trace {
    pub fn read(text: &str) -> Self {
        let mut trace = Self { calls: Vec::new() };
        // The thread of each unfinished call; a thread has at most one.
        let mut unfinished: Vec<(&str, usize)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let Some((thread, rest)) = stamped(line) else {
                continue;
            };
            if rest.starts_with("<... ") {
                if let Some(place) = unfinished.iter().position(|(of, _)| *of == thread) {
                    let (_, call) = unfinished.swap_remove(place);
                    trace.calls[call].end(number, rest);
                }
            } else if let Some(mut call) = Call::begin(number, rest) {
                if rest.ends_with("<unfinished ...>") {
                    unfinished.push((thread, trace.calls.len()));
                } else {
                    call.end(number, rest);
                }
                trace.calls.push(call);
            }
        }
        trace
    }

    fn flushed_between(&self, after: usize, before: usize) -> bool {
        let covers =
            |call: &Call| call.begun > after && call.ended.is_some_and(|ended| ended < before);
        self.calls
            .iter()
            .any(|call| call.is_flush() && call.succeeded && covers(call))
    }
}

/// The thread and what it did: `thread  time what`. The number of the thread is padded.
fn stamped(line: &str) -> Option<(&str, &str)> {
    let (thread, rest) = line.trim_start().split_once(' ')?;
    let (_time, rest) = rest.trim_start().split_once(' ')?;
    Some((thread, rest.trim_start()))
}

impl Call {
    /// From `name(descriptor<what>, arguments`.
    fn begin(number: usize, text: &str) -> Option<Self> {
        let (name, arguments) = text.split_once('(')?;
        let (_, described) = arguments.split_once('<')?;
        let (on, arguments) = split_at_closing(described)?;
        Some(Self {
            name: name.to_owned(),
            on: on.to_owned(),
            arguments: arguments.to_owned(),
            begun: number,
            ended: None,
            succeeded: false,
        })
    }

    fn end(&mut self, number: usize, text: &str) {
        self.ended = Some(number);
        let result = text.rsplit_once(" = ").map_or("", |(_, result)| result);
        self.succeeded = !result.is_empty() && !result.starts_with('-') && !result.starts_with('?');
        // What was read is known at the end of the call only.
        if text.starts_with("<... ") {
            self.arguments.push_str(text);
        }
    }

    fn is_flush(&self) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync") && self.on.ends_with("-wal")
    }

    fn is_webhook(&self) -> bool {
        matches!(
            self.name.as_str(),
            "read" | "readv" | "recvfrom" | "recvmsg"
        ) && self.arguments.contains("\"POST /webhooks/")
    }

    fn is_acknowledgement(&self) -> bool {
        matches!(
            self.name.as_str(),
            "write" | "writev" | "sendto" | "sendmsg"
        ) && self.arguments.contains("\"HTTP/1.1 2")
    }
}

/// Splits `what>rest` at the bracket that closes the descriptor: connections hold a `->`.
fn split_at_closing(text: &str) -> Option<(&str, &str)> {
    let closing = text
        .char_indices()
        .find(|(at, c)| *c == '>' && !text[..*at].ends_with('-'));
    closing.map(|(at, _)| (&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#"7 12:00:00.000001 recvfrom(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "POST /webhooks/shop HTTP/1.1"..., 8192, 0, NULL, NULL) = 300"#;
    const FLUSH: &str = "8 12:00:00.000002 fdatasync(4</tmp/a/parloir.db-wal>) = 0";
    const ANSWER: &str = r#"7 12:00:00.000003 sendto(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "HTTP/1.1 200 OK"..., 90, MSG_NOSIGNAL, NULL, 0) = 90"#;

    fn audit(lines: &[&str]) -> (usize, usize) {
        let audit = unflushed(&Trace::read(&lines.join("\n")), 80);
        (audit.acknowledged, audit.unflushed.len())
    }

    #[test]
    fn an_answer_after_its_flush_is_fine() {
        assert_eq!(audit(&[READ, FLUSH, ANSWER]), (1, 0));
    }

    #[test]
    fn an_answer_without_a_flush_is_found() {
        assert_eq!(audit(&[READ, ANSWER]), (1, 1));
        assert_eq!(audit(&[READ, ANSWER, FLUSH]), (1, 1));
    }

    #[test]
    fn a_flush_from_before_the_webhook_does_not_count() {
        assert_eq!(audit(&[FLUSH, READ, ANSWER]), (1, 1));
        let begun = "8 12:00:00.000000 fdatasync(4</tmp/a/parloir.db-wal> <unfinished ...>";
        let ended = "8 12:00:00.000002 <... fdatasync resumed>) = 0";
        assert_eq!(audit(&[begun, READ, ended, ANSWER]), (1, 1));
        assert_eq!(audit(&[READ, begun, ended, ANSWER]), (1, 0));
        assert_eq!(audit(&[READ, begun, ANSWER, ended]), (1, 1));
    }

    #[test]
    fn a_flush_of_another_file_or_one_that_failed_does_not_count() {
        let other = "8 12:00:00.000002 fdatasync(4</tmp/a/parloir.db>) = 0";
        assert_eq!(audit(&[READ, other, ANSWER]), (1, 1));
        let failed =
            "8 12:00:00.000002 fdatasync(4</tmp/a/parloir.db-wal>) = -1 EIO (Input/output error)";
        assert_eq!(audit(&[READ, failed, ANSWER]), (1, 1));
    }

    #[test]
    fn a_webhook_whose_read_took_two_lines_is_recognised() {
        let begun =
            "7 12:00:00.000001 recvfrom(9<TCP:[127.0.0.1:80->127.0.0.1:5]>,  <unfinished ...>";
        let ended = r#"7 12:00:00.000001 <... recvfrom resumed>"POST /webhooks/shop HTTP/1.1"..., 8192, 0, NULL, NULL) = 300"#;
        assert_eq!(audit(&[begun, ended, FLUSH, ANSWER]), (1, 0));
        assert_eq!(audit(&[FLUSH, begun, ended, ANSWER]), (1, 1));
    }

    #[test]
    fn short_numbers_of_threads_are_padded() {
        let padded = [READ, ANSWER].map(|line| line.replacen("7 ", "7     ", 1));
        assert_eq!(audit(&[&padded[0], &padded[1]]), (1, 1));
    }

    #[test]
    fn what_happens_elsewhere_is_left_alone() {
        let metrics = ANSWER.replace(":80->", ":81->");
        assert_eq!(audit(&[READ, &metrics]), (0, 0));
        let refused = ANSWER.replace("200 OK", "503 Service Unavailable");
        assert_eq!(audit(&[READ, &refused]), (0, 0));
    }
}
