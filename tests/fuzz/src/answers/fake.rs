//! Whoever is called: it answers every request with the next bytes of an input and hangs up.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

const SEPARATOR: &[u8] = b"\n~\n";

type Answers = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// It lives in the same thread as who asks, so that an input takes the same way each time.
#[derive(Debug)]
pub struct Fake {
    runtime: Runtime,
    address: SocketAddr,
    answers: Answers,
}

impl Fake {
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let answers = Answers::default();
        runtime.spawn(serve(listener, Arc::clone(&answers)));
        Self {
            runtime,
            address,
            answers,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is answered from now on.
    pub fn answers(&self, text: &[u8]) {
        let mut answers = lock(&self.answers);
        answers.clear();
        let mut rest = text;
        while let Some(at) = rest
            .windows(SEPARATOR.len())
            .position(|part| part == SEPARATOR)
        {
            answers.push_back(rest[..at].to_vec());
            rest = &rest[at + SEPARATOR.len()..];
        }
        answers.push_back(rest.to_vec());
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

async fn serve(listener: TcpListener, answers: Answers) {
    while let Ok((mut socket, _)) = listener.accept().await {
        // A request is read as far as it is there, or the answer might be lost to a reset.
        read_request(&mut socket).await;
        let answer = {
            let mut answers = lock(&answers);
            match answers.len() {
                0 | 1 => answers.front().cloned(),
                _ => answers.pop_front(),
            }
        };
        let _ = socket.write_all(&answer.unwrap_or_default()).await;
        let _ = socket.shutdown().await;
    }
}

async fn read_request(socket: &mut TcpStream) {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length = length
                .and_then(|length| length.trim().parse().ok())
                .unwrap_or(0);
            if request.len() >= end + 4 + length {
                return;
            }
        }
        if !matches!(socket.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
}

fn lock(answers: &Answers) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}
