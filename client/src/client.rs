//! The client: one connection for calls, others for subscriptions, and what holds for every unary call.

use std::{sync::Arc, time::Duration};

use parloir_proto::v1::{
    account_service_client::AccountServiceClient, admin_service_client::AdminServiceClient,
    conversation_service_client::ConversationServiceClient,
};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{
    Request, Response, Status, service::interceptor::InterceptedService, transport::Channel,
};

use crate::{
    Builder, Error, EventStream, Subscription,
    backoff::Backoff,
    builder::Settings,
    credentials::Credentials,
    pool::{Lease, Pool},
};

/// The shortest and the longest pause before a call is repeated; what the guide for other languages sets too.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// A channel that shows the key with every call.
pub(crate) type Carrier = InterceptedService<Channel, Credentials>;
pub(crate) type Service = ConversationServiceClient<Carrier>;
pub(crate) type AccountsService = AccountServiceClient<Carrier>;
pub(crate) type AdminService = AdminServiceClient<Carrier>;

/// Whether a call may be done again when nobody knows whether the first try was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

/// A client of one Parloir server, or of several behind one address. Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Client {
    calls: Service,
    accounts: AccountsService,
    admin: AdminService,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    settings: Settings,
    credentials: Credentials,
}

impl Client {
    /// Begins to set up a client of the server at `url`, for example `http://127.0.0.1:50051`.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), parloir_client::Error> {
    /// use std::time::Duration;
    ///
    /// let client = parloir_client::Client::builder("http://127.0.0.1:50051")
    ///     .connect_timeout(Duration::from_secs(2))
    ///     .deadline(Duration::from_secs(8))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url)
    }

    /// A client over a channel that the caller made: a Unix socket, a pipe in a test. It shows no key.
    /// Calls and subscriptions share it. Its windows are the caller's matter: the connection's should be the stream's
    /// times the number of subscriptions, and not adaptive.
    pub fn over(channel: Channel) -> Self {
        let pool = Pool::of(channel.clone());
        Self::new(channel, pool, Settings::default(), Credentials::default())
    }

    /// Follows events, reconnecting and resuming by itself until the stream is dropped. Nothing is sent before the
    /// stream is first asked for an item.
    pub fn subscribe(&self, subscription: Subscription) -> EventStream {
        EventStream::new(self.clone(), subscription.into_request())
    }

    pub(crate) fn new(
        calls: Channel,
        pool: Pool,
        settings: Settings,
        credentials: Credentials,
    ) -> Self {
        let calls = Carrier::new(calls, credentials.clone());
        let accounts = AccountsService::new(calls.clone());
        let admin = AdminService::new(calls.clone());
        Self {
            calls: service(calls, settings),
            accounts: accounts.max_decoding_message_size(settings.max_message_bytes),
            admin: admin.max_decoding_message_size(settings.max_message_bytes),
            shared: Arc::new(Shared {
                pool,
                settings,
                credentials,
            }),
        }
    }

    /// Runs a call that carries an idempotency key, or changes nothing, or may safely be done again.
    pub(crate) async fn unary<Q, A, F, Fut>(&self, request: Q, call: F) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(Service, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        self.unary_times(self.shared.settings.attempts, request, call)
            .await
    }

    /// As [`Self::unary`], with a limit of its own on how often it is tried.
    pub(crate) async fn unary_times<Q, A, F, Fut>(
        &self,
        attempts: u32,
        request: Q,
        call: F,
    ) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(Service, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        self.repeated(attempts, request, |request| {
            call(self.calls.clone(), request)
        })
        .await
    }

    /// As [`Self::unary`], for the calls of `AccountService`.
    pub(crate) async fn on_accounts<Q, A, F, Fut>(&self, request: Q, call: F) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(AccountsService, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        let attempts = self.shared.settings.attempts;
        self.repeated(attempts, request, |request| {
            call(self.accounts.clone(), request)
        })
        .await
    }

    /// A call of `AdminService`: with [`Repeat::Safe`] as [`Self::unary`], otherwise tried once.
    pub(crate) async fn on_admin<Q, A, F, Fut>(
        &self,
        repeat: Repeat,
        request: Q,
        call: F,
    ) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(AdminService, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        let attempts = match repeat {
            Repeat::Safe => self.shared.settings.attempts,
            Repeat::Never => 1,
        };
        self.repeated(attempts, request, |request| {
            call(self.admin.clone(), request)
        })
        .await
    }

    async fn repeated<Q, A, F, Fut>(&self, attempts: u32, request: Q, call: F) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        let limit = self.shared.settings.deadline;
        let end = Instant::now() + limit;
        let mut backoff = Backoff::new(PAUSE.0, PAUSE.1);
        let mut attempt = 1;
        loop {
            let mut request = Request::new(request.clone());
            request.set_timeout(end.saturating_duration_since(Instant::now()));
            let error = match timeout_at(end, call(request)).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) => Error::from(status),
                Err(_) => Error::out_of_time(limit),
            };
            let pause = backoff
                .next_delay()
                .max(error.retry_after().unwrap_or_default());
            if attempt >= attempts || !error.is_worth_repeating() || Instant::now() + pause >= end {
                return Err(error);
            }
            sleep(pause).await;
            attempt += 1;
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    pub(crate) fn calls_on(&self, lease: &Lease) -> Service {
        let Shared {
            settings,
            credentials,
            ..
        } = &*self.shared;
        service(
            Carrier::new(lease.channel(), credentials.clone()),
            *settings,
        )
    }
}

fn service(channel: Carrier, settings: Settings) -> Service {
    Service::new(channel).max_decoding_message_size(settings.max_message_bytes)
}
