//! A simulated Social Connect behind a listener, whose recipe posts its messages.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Call, Contact, Failure, Platform, Settings,
    wire::{Reply, Request},
};
use crate::simulate::{StartError, locked, socket, socket::Abort, webhook};

/// A form holds one message.
const MAX_BODY: usize = 1 << 20;
/// How long a wait lasts at most, so that a test which waits in vain fails instead of hanging.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After a failed accept, which mostly means that too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running simulated Social Connect. Dropped, it stops without waiting.
#[derive(Debug)]
pub struct SocialConnect {
    world: Arc<World>,
    local_addr: SocketAddr,
}

/// A webhook that was sent, once.
#[derive(Clone, Debug)]
pub struct PostedWebhook {
    pub body: String,
    /// Absent: it did not arrive, or was not answered.
    pub status: Option<u16>,
}

#[derive(Debug)]
struct World {
    platform: Platform,
    webhook_url: Mutex<String>,
    posted: Mutex<Vec<PostedWebhook>>,
    /// One webhook at a time, so that they keep their order.
    posting: tokio::sync::Mutex<()>,
    client: reqwest::Client,
    stop: CancellationToken,
    tasks: TaskTracker,
    changed: watch::Sender<()>,
}

impl SocialConnect {
    /// Starts on `listener`. A TLS provider must have been installed for the process.
    pub fn start(settings: Settings, listener: TcpListener) -> Result<Self, StartError> {
        let local_addr = listener.local_addr()?;
        let world = Arc::new(World {
            webhook_url: Mutex::new(settings.webhook_url.clone()),
            posted: Mutex::default(),
            posting: tokio::sync::Mutex::default(),
            client: webhook::client(settings.webhook_timeout)?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            changed: watch::Sender::new(()),
            platform: Platform::new(settings),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        world.spawn(accept(listener, router, Arc::clone(&world)));
        Ok(Self { world, local_addr })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What callers use as the base of the API and of OAuth.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.local_addr)
    }

    /// What it knows and does, apart from sending webhooks.
    pub fn platform(&self) -> &Platform {
        &self.world.platform
    }

    /// Where the recipe posts from now on; empty is nowhere.
    pub fn set_webhook_url(&self, url: &str) {
        url.clone_into(&mut locked(&self.world.webhook_url));
    }

    /// A visitor writes, and the recipe tells. Returns once the webhook is answered or lost; its message's id.
    pub async fn visitor_says(&self, contact: &Contact, text: &str) -> String {
        let id = self.world.platform.visitor_says(contact, text);
        self.world.post_all().await;
        id
    }

    /// The newest message of a contact is told again.
    pub async fn tell_again(&self, contact: &Contact) {
        if let Some(mention) = self.world.platform.newest(contact) {
            self.world.post(mention.to_string()).await;
        }
    }

    /// One of the brand's people answers, and the recipe tells.
    pub async fn human_says(&self, contact: &Contact, text: &str) {
        self.world.platform.human_says(contact, text);
        self.world.post_all().await;
    }

    pub fn fail_next(&self, call: Call, failure: Failure) {
        self.world.platform.fail_next(call, failure);
    }

    /// All webhooks in the order of their answers.
    pub fn posted(&self) -> Vec<PostedWebhook> {
        locked(&self.world.posted).clone()
    }

    /// Waits until something is so; false after 30 s in vain.
    pub async fn wait_until(&self, is_so: impl Fn(&Platform) -> bool) -> bool {
        let mut changes = self.world.platform.changes();
        let wait = async {
            while !is_so(&self.world.platform) {
                // The sender lives in the platform, so this cannot be an error.
                let _ = changes.changed().await;
            }
        };
        tokio::time::timeout(LONGEST_WAIT, wait).await.is_ok()
    }

    /// Waits until so many webhooks have been answered or lost; gives up after 30 s. All of them.
    pub async fn wait_for_webhooks(&self, count: usize) -> Vec<PostedWebhook> {
        let mut changed = self.world.changed.subscribe();
        let enough = changed.wait_for(|()| locked(&self.world.posted).len() >= count);
        // In vain or not, the caller looks at what there is.
        let _ = tokio::time::timeout(LONGEST_WAIT, enough).await;
        self.posted()
    }

    /// Closes every connection and returns when all is still.
    pub async fn stop(self) {
        self.world.stop.cancel();
        self.world.tasks.close();
        self.world.tasks.wait().await;
    }
}

impl Drop for SocialConnect {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}

impl World {
    /// Sends what waits, in order.
    async fn post_all(&self) {
        let _turn = self.posting.lock().await;
        while let Some(body) = self.platform.next_webhook() {
            self.post_now(body).await;
        }
    }

    async fn post(&self, body: String) {
        let _turn = self.posting.lock().await;
        self.post_now(body).await;
    }

    async fn post_now(&self, body: String) {
        let url = locked(&self.webhook_url).clone();
        if url.is_empty() {
            return;
        }
        let mut request = self.client.post(url).body(body.clone());
        if self.platform.settings().signs {
            request = request.header("x-signature", self.platform.signature(body.as_bytes()));
        }
        let answer = request.send().await.ok();
        let status = answer.map(|answer| answer.status().as_u16());
        locked(&self.posted).push(PostedWebhook { body, status });
        self.changed.send_replace(());
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}

async fn accept(listener: TcpListener, router: Router, world: Arc<World>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => world.spawn(socket::serve(socket, router.clone())),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn answer(State(world): State<Arc<World>>, request: axum::extract::Request) -> Response {
    let abort = request.extensions().get::<Abort>().cloned();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let reply = world.platform.answer(&Request {
        method: parts.method.to_string(),
        path: path.to_owned(),
        headers: parts.headers,
        body: body.to_vec(),
    });
    // What was published comes back by webhook, after its answer.
    let posting = Arc::clone(&world);
    world.spawn(async move { posting.post_all().await });
    match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let response = response.body(Body::from(body));
            response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        Reply::Silent => std::future::pending().await,
        Reply::Reset => {
            abort.unwrap_or_default().reset();
            std::future::pending().await
        }
    }
}
