//! TLS of a listener: its certificate and the authority of its peers, looked at again while it serves, so that renewed
//! ones count without a restart.

mod files;
mod peer;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak},
    time::Duration,
};

use rustls::{
    ServerConfig,
    pki_types::UnixTime,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    time_provider::TimeProvider,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::domain::Clock;
use files::Content;

pub use files::{TlsError, TlsFiles};
pub use peer::PeerCertificate;

/// How often the files are looked at, and whether the certificates of open connections still count.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The protocols that a listener speaks, as TLS names them.
pub const HTTP_2: &[&[u8]] = &[b"h2"];
pub const HTTP_1: &[&[u8]] = &[b"http/1.1"];

/// One listener's TLS. New connections get what the files held when they were looked at last.
pub struct Tls {
    files: TlsFiles,
    protocols: &'static [&'static [u8]],
    handshake_timeout: Duration,
    clock: Arc<dyn Clock>,
    live: RwLock<Arc<Live>>,
    seen: Mutex<Seen>,
    /// The certificates of open connections.
    peers: Mutex<Vec<Weak<PeerCertificate>>>,
}

/// What is in force.
struct Live {
    config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

/// What the files held at the last look, whether it was good or not.
struct Seen {
    content: Content,
    unreadable: bool,
}

impl Tls {
    /// With what the files hold now.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or does not hold what it should.
    pub fn new(
        files: TlsFiles,
        protocols: &'static [&'static [u8]],
        handshake_timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let content = files.read()?;
        let live = live(
            &content,
            files.require_client_certificate,
            protocols,
            &clock,
        )?;
        Ok(Self {
            files,
            protocols,
            handshake_timeout,
            clock,
            live: RwLock::new(Arc::new(live)),
            seen: Mutex::new(Seen {
                content,
                unreadable: false,
            }),
            peers: Mutex::default(),
        })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.live().config))
    }

    pub(super) fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
    }

    /// Takes note of a connection's certificate, to end it when it no longer counts.
    pub(super) fn met(
        &self,
        chain: &[rustls::pki_types::CertificateDer<'_>],
    ) -> io::Result<Arc<PeerCertificate>> {
        let peer = PeerCertificate::new(chain)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let peer = Arc::new(peer);
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.push(Arc::downgrade(&peer));
        Ok(peer)
    }

    /// Looks at the files and at open connections' certificates, again and again until `stop`, and at once when the
    /// process is told to by SIGHUP.
    pub async fn keep_live(self: Arc<Self>, stop: CancellationToken) {
        use tokio::signal::unix::{SignalKind, signal};
        // Without the signal the interval does.
        let mut told = signal(SignalKind::hangup()).ok();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let hangup = async {
                match &mut told {
                    Some(told) => told.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
                _ = hangup => {}
            }
            self.look();
        }
    }

    /// One look.
    pub fn look(&self) {
        self.look_at_files();
        self.look_at_peers();
    }

    fn look_at_files(&self) {
        let mut seen = self.seen();
        let content = match self.files.read() {
            Ok(content) => content,
            Err(error) => {
                if !std::mem::replace(&mut seen.unreadable, true) {
                    tracing::warn!(%error, "the TLS files cannot be read: what was read before stays in force");
                }
                return;
            }
        };
        seen.unreadable = false;
        if content == seen.content {
            return;
        }
        let required = self.files.require_client_certificate;
        match live(&content, required, self.protocols, &self.clock) {
            Ok(live) => {
                *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
                tracing::info!(certificate = %self.files.certificate.display(), "renewed TLS files are in force");
            }
            Err(error) => {
                tracing::warn!(%error, "the renewed TLS files are not good: what was read before stays in force");
            }
        }
        // A bad one is told of once.
        seen.content = content;
    }

    fn look_at_peers(&self) {
        let live = self.live();
        let Some(verifier) = &live.verifier else {
            return;
        };
        let now = now(&*self.clock);
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| {
            let Some(peer) = peer.upgrade() else {
                return false;
            };
            let counts = peer.still_counts(verifier.as_ref(), now);
            if !counts {
                tracing::info!("a connection's client certificate no longer counts");
                peer.end();
            }
            counts
        });
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn live(
    content: &Content,
    require_client_certificate: bool,
    protocols: &[&[u8]],
    clock: &Arc<dyn Clock>,
) -> Result<Live, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = match content.client_roots()? {
        Some(roots) => {
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
            let verifier = if require_client_certificate {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            Some(
                verifier
                    .build()
                    .map_err(|error| TlsError::client_ca(&error))?,
            )
        }
        None => None,
    };
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let time: Arc<dyn TimeProvider> = Arc::new(Time(Arc::clone(clock)));
    let builder = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&versions)
        .map_err(|error| TlsError::certificate(&error))?;
    let builder = match &verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        None => builder.with_no_client_auth(),
    };
    let (chain, key) = content.identity()?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| TlsError::certificate(&error))?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    // A resumed session would not show its client certificate again, however old it has become.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Live {
        config: Arc::new(config),
        verifier,
    })
}

/// The server's clock, for certificates.
#[derive(Debug)]
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(now(&*self.0))
    }
}

fn now(clock: &dyn Clock) -> UnixTime {
    let micros = u64::try_from(clock.now().0).unwrap_or_default();
    UnixTime::since_unix_epoch(Duration::from_micros(micros))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
