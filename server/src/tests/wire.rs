//! The way between two parties, in the hands of a test: it may be slow, silent or cut, and it may lead to another place
//! each time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// Pieces that are on their way in one direction: more than anybody sends within a delay.
const ON_THE_WAY: usize = 1024;
const PIECE: usize = 16 * 1024;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything arrives after so long, in order.
    Delay(Duration),
    /// A black hole: connections stay, new ones are taken, and nothing arrives until this is over. Then all of it does.
    Silent,
    /// Fair, and silent from the first piece on that holds these words.
    SilentFrom(&'static str),
    /// Fair, and silent behind the first piece that holds these words.
    SilentAfter(&'static str),
}

pub const FAIR: Weather = Weather::Delay(Duration::ZERO);

/// Where a new connection goes: tried in this order.
pub type Places = Arc<dyn Fn() -> Vec<SocketAddr> + Send + Sync>;

/// Dropped, it takes no more connections.
pub struct Wire {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    places: Places,
    weather: watch::Sender<Weather>,
    /// Counts the cuts: whoever was connected before the last one is gone.
    cuts: watch::Sender<u64>,
    open: AtomicUsize,
}

impl Wire {
    pub async fn to(place: SocketAddr) -> Self {
        Self::to_any(Arc::new(move || vec![place])).await
    }

    pub async fn to_any(places: Places) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            places,
            weather: watch::Sender::new(FAIR),
            cuts: watch::Sender::new(0),
            open: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            accepting,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, weather: Weather) {
        self.state.weather.send_replace(weather);
    }

    /// Waits until it is silent.
    pub async fn silent(&self) {
        let mut weather = self.state.weather.subscribe();
        let silent = weather.wait_for(|now| *now == Weather::Silent).await;
        silent.expect("the sender is our own");
    }

    /// Resets every connection.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            state.open.fetch_add(1, Ordering::Relaxed);
            carry(near, &state).await;
            state.open.fetch_sub(1, Ordering::Relaxed);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Carries one connection until either end closes it or it is cut.
async fn carry(mut near: TcpStream, state: &State) {
    let mut cuts = state.cuts.subscribe();
    let Some(mut far) = connect(state).await else {
        near.set_zero_linger().expect("a socket option");
        return;
    };
    for end in [&near, &far] {
        end.set_nodelay(true).expect("a socket option");
    }
    let is_cut = {
        let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
        tokio::select! {
            // One end is gone: what it said before has arrived, and the other learns that it is gone.
            () = pump(near_in, far_out, &state.weather) => false,
            () = pump(far_in, near_out, &state.weather) => false,
            _ = cuts.changed() => true,
        }
    };
    if is_cut {
        for end in [&near, &far] {
            end.set_zero_linger().expect("a socket option");
        }
    }
}

async fn connect(state: &State) -> Option<TcpStream> {
    for place in (state.places)() {
        if let Ok(far) = TcpStream::connect(place).await {
            return Some(far);
        }
    }
    None
}

/// One direction, until it ends.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    weather: &watch::Sender<Weather>,
) {
    let (send, mut receive) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let taking = async move {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let taken = (Instant::now(), piece[..length].to_vec());
            if send.send(taken).await.is_err() {
                return;
            }
        }
    };
    let giving = async move {
        while let Some((taken, piece)) = receive.recv().await {
            let hears = |words: &str| holds(&piece, words);
            quieten(
                weather,
                |now| matches!(now, Weather::SilentFrom(words) if hears(words)),
            );
            arrival(taken, weather.subscribe()).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
            quieten(
                weather,
                |now| matches!(now, Weather::SilentAfter(words) if hears(words)),
            );
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(taking, giving);
}

fn holds(piece: &[u8], words: &str) -> bool {
    piece
        .windows(words.len())
        .any(|part| part == words.as_bytes())
}

fn quieten(weather: &watch::Sender<Weather>, is_time: impl Fn(Weather) -> bool) {
    weather.send_if_modified(|now| {
        let is_time = is_time(*now);
        if is_time {
            *now = Weather::Silent;
        }
        is_time
    });
}

/// Waits until what was taken then arrives.
async fn arrival(taken: Instant, mut weather: watch::Receiver<Weather>) {
    loop {
        let now = *weather.borrow_and_update();
        let changed = weather.changed();
        match now {
            Weather::SilentFrom(_) | Weather::SilentAfter(_) => return,
            Weather::Delay(delay) => {
                tokio::select! {
                    () = tokio::time::sleep_until(taken + delay) => return,
                    _ = changed => {}
                }
            }
            Weather::Silent => drop(changed.await),
        }
    }
}
