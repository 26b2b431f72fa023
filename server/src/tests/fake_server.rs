//! An HTTP server over a bare socket: it records what it is asked and fails in the ways that a well-made one never
//! would.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Longer than anything here takes on a busy machine: waiting in vain fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it arrived.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Request {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a text header")
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Never answers.
    Silent,
    CloseBeforeAnswer,
    ResetBeforeAnswer,
    ResetWithinHeaders,
    /// Announces a body and resets instead.
    ResetAfterHeaders(u16),
    /// Not HTTP at all.
    Malformed,
    /// Announces more than it sends, then closes.
    Truncated(u16),
    /// Sends without end.
    Endless(u16),
}

impl Behaviour {
    pub fn answer(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A running server. Answers 200 with nothing unless told otherwise.
pub struct FakeServer {
    address: SocketAddr,
    state: Arc<State>,
    arrivals: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

type Handler = Box<dyn Fn(&Request) -> Behaviour + Send + Sync>;

struct State {
    /// What a request gets that no behaviour was set for.
    handler: Handler,
    held: watch::Sender<bool>,
    requests: Mutex<Vec<Request>>,
    behaviours: Mutex<VecDeque<Behaviour>>,
    arrived: watch::Sender<usize>,
}

impl FakeServer {
    pub async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    pub fn start_on(listener: TcpListener) -> Self {
        Self::answering_on(listener, |_| Behaviour::answer(200, ""))
    }

    /// Answers what `handler` says, unless told otherwise for the next request.
    pub async fn answering(
        handler: impl Fn(&Request) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        Self::answering_on(
            TcpListener::bind("127.0.0.1:0").await.expect("a port"),
            handler,
        )
    }

    pub fn answering_on(
        listener: TcpListener,
        handler: impl Fn(&Request) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let (arrived, arrivals) = watch::channel(0);
        let state = Arc::new(State {
            handler: Box::new(handler),
            held: watch::Sender::new(false),
            requests: Mutex::default(),
            behaviours: Mutex::default(),
            arrived,
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            arrivals,
            accepting,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the next request without a behaviour of its own gets.
    pub fn next(&self, behaviour: Behaviour) {
        lock(&self.state.behaviours).push_back(behaviour);
    }

    /// In the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = lock(&self.state.requests).clone();
        requests.sort_by_key(|request| request.at);
        requests
    }

    pub fn last_request(&self) -> Request {
        self.requests().pop().expect("a request")
    }

    /// Answers nothing until [`Self::release`]. Requests are still read.
    pub fn hold(&self) {
        self.state.held.send_replace(true);
    }

    pub fn release(&self) {
        self.state.held.send_replace(false);
    }

    /// Waits until so many requests have come.
    pub async fn wait_for(&self, count: usize) {
        let mut arrivals = self.arrivals.clone();
        let arrived = arrivals.wait_for(|arrived| *arrived >= count);
        let arrived = tokio::time::timeout(PATIENCE, arrived).await;
        arrived
            .expect("requests in time")
            .expect("the server lives");
    }

    /// Connections are refused from now on.
    pub async fn stop(&self) {
        self.accepting.abort();
        while !self.accepting.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(serve(socket, Arc::clone(&state)));
    }
}

async fn serve(mut socket: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut socket, &mut buffer).await {
        // Decided now, in the order of arrival, even if it is held back.
        let next = lock(&state.behaviours).pop_front();
        let behaviour = next.unwrap_or_else(|| (state.handler)(&request));
        lock(&state.requests).push(request);
        state.arrived.send_modify(|count| *count += 1);
        let mut held = state.held.subscribe();
        held.wait_for(|held| !held).await.expect("the state lives");
        if behave(&mut socket, behaviour).await.is_none() {
            return;
        }
    }
}

/// `None`: the connection is over.
async fn behave(socket: &mut TcpStream, behaviour: Behaviour) -> Option<()> {
    match behaviour {
        Behaviour::Answer {
            status,
            headers,
            body,
        } => {
            let lines: Vec<_> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            let head = format!(
                "HTTP/1.1 {status} Because\r\ncontent-length: {}\r\n",
                body.len()
            );
            return write(socket, &format!("{head}{}\r\n{body}", lines.concat())).await;
        }
        Behaviour::Silent => std::future::pending().await,
        Behaviour::CloseBeforeAnswer => {}
        Behaviour::ResetBeforeAnswer => reset(socket),
        Behaviour::ResetWithinHeaders => {
            write(socket, "HTTP/1.1 200 OK\r\ncontent-le").await?;
            reset(socket);
        }
        Behaviour::ResetAfterHeaders(status) => {
            write(
                socket,
                &format!("HTTP/1.1 {status} Because\r\ncontent-length: 99\r\n\r\n"),
            )
            .await?;
            reset(socket);
        }
        Behaviour::Malformed => write(socket, "\0\u{1}SMTP ready\r\n\r\n").await?,
        Behaviour::Truncated(status) => {
            write(
                socket,
                &format!("HTTP/1.1 {status} Because\r\ncontent-length: 99\r\n\r\ncut"),
            )
            .await?;
        }
        Behaviour::Endless(status) => {
            write(
                socket,
                &format!("HTTP/1.1 {status} Because\r\nconnection: close\r\n\r\n"),
            )
            .await?;
            let piece = "more ".repeat(4000);
            while write(socket, &piece).await.is_some() {}
        }
    }
    None
}

fn reset(socket: &TcpStream) {
    socket.set_zero_linger().expect("a socket option");
}

async fn write(socket: &mut TcpStream, text: &str) -> Option<()> {
    socket.write_all(text.as_bytes()).await.ok()
}

async fn read_request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        match buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None => read_more(socket, buffer).await?,
        }
    };
    let head: Vec<u8> = buffer.drain(..end).collect();
    let head = String::from_utf8(head).expect("text");
    let mut lines = head.split("\r\n");
    let mut first = lines.next().expect("a line").split(' ');
    let method = first.next().expect("a method").to_owned();
    let path = first.next().expect("a path").to_owned();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            (name, HeaderValue::from_str(value).expect("a header"))
        })
        .collect();
    let length = headers.get("content-length");
    let length = length.map_or("0", |length| length.to_str().expect("a number"));
    let length: usize = length.parse().expect("a number");
    while buffer.len() < length {
        read_more(socket, buffer).await?;
    }
    Some(Request {
        method,
        path,
        headers,
        body: buffer.drain(..length).collect(),
        at: Instant::now(),
    })
}

async fn read_more(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    match socket.read_buf(buffer).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
