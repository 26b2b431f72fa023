//! The layer before all services that asks who calls, and refuses by default: only what the table of permissions opens
//! is passed on, and only within the caller's limits.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderValue, Request, Response, header::AUTHORIZATION};
use tokio::time::timeout;
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::{
    call::patience,
    observe::Whose,
    permissions::{Permission, Permissions, Rule},
    revocable::RevocableBody,
    sized::SizedBody,
    status::status,
};
use crate::{
    access::{Callers, Credential, InFlight, OpenStream},
    admin::Admin,
    domain::{Error, Id, Identity, Result, Scope},
    metrics::Metrics,
    net::{Peer, PeerCertificate},
};

/// Puts the guard before a service.
#[derive(Debug, Clone)]
pub struct GuardLayer(Arc<Parts>);

/// A service that is called only by those who may.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    callers: Arc<Callers>,
    permissions: Permissions,
    metrics: Arc<Metrics>,
    /// Records who calls what is the administrators' alone.
    admin: Option<Arc<Admin>>,
}

/// Why a call is not let in.
enum Refusal {
    NoSuchMethod,
    Because(Error),
    /// It is the administrators', and this caller is none.
    NoAdministrator(Error, Identity),
}

/// A call that was let in.
struct Admitted {
    /// Absent for methods that are open to everybody.
    by: Option<By>,
    permission: Permission,
    place: Place,
}

/// What a call was let in with.
struct By {
    credential: Arc<Credential>,
    certificate: Option<Arc<PeerCertificate>>,
}

/// What a call takes up as long as it lasts.
enum Place {
    Nothing,
    Call(#[expect(dead_code, reason = "given back on drop")] InFlight),
    Stream(OpenStream),
}

impl GuardLayer {
    pub fn new(callers: Arc<Callers>, metrics: Arc<Metrics>, admin: Option<Arc<Admin>>) -> Self {
        Self(Arc::new(Parts {
            callers,
            permissions: Permissions::new(),
            metrics,
            admin,
        }))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            parts: Arc::clone(&self.0),
        }
    }
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future =
        Pin<Box<dyn Future<Output = std::result::Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let admitted = match self.parts.admit(&request) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                let parts = Arc::clone(&self.parts);
                let path = request.uri().path().to_owned();
                return Box::pin(async move { Ok(parts.refuse(refusal, &path).await.into_http()) });
            }
        };
        let Admitted {
            by,
            permission,
            place,
        } = admitted;
        if let Some(By { credential, .. }) = &by {
            if let Some(whose) = request.extensions().get::<Whose>() {
                whose.found(&credential.identity);
            }
            request.extensions_mut().insert(credential.identity.clone());
            if let Some((limit, setting)) = credential.meters.message_bytes() {
                let (metrics, tenant) = (Arc::clone(&self.parts.metrics), credential.tenant());
                let told = move || metrics.limits.limited(tenant.as_str(), setting);
                request = request
                    .map(|body| Body::new(SizedBody::new(body, limit, setting, Box::new(told))));
            }
        }
        let patience = match place {
            Place::Call(_) => patience(request.headers()),
            Place::Nothing | Place::Stream(_) => None,
        };
        let answering = self.inner.call(request);
        Box::pin(async move {
            let answered = match patience {
                None => answering.await,
                // What was begun goes its way, whoever waits for it.
                Some(patience) => match timeout(patience, answering).await {
                    Ok(answered) => answered,
                    Err(_) => return Ok(status(&Error::StoreUnavailable, 0).into_http()),
                },
            };
            match (place, by) {
                (Place::Stream(open), Some(by)) => answered.map(|response| {
                    let ends = by
                        .certificate
                        .map(|certificate| certificate.ended().clone());
                    response.map(|body| {
                        let whose = (&by.credential, permission);
                        Body::new(RevocableBody::new(body, whose, ends, open))
                    })
                }),
                // A call's place is given back once it is answered.
                _ => answered,
            }
        })
    }
}

impl Parts {
    fn admit(&self, request: &Request<Body>) -> std::result::Result<Admitted, Refusal> {
        let uri = request.uri();
        let Some(rule) = self.permissions.rule(uri.path()) else {
            // Not asked further: what is not known here is passed on to nobody.
            return Err(Refusal::NoSuchMethod);
        };
        if rule.permission == Permission::Open {
            return Ok(Admitted {
                by: None,
                permission: rule.permission,
                place: Place::Nothing,
            });
        }
        if uri.query().is_some() {
            self.callers
                .refuse("credentials do not belong in the address");
            return Err(Error::CredentialsInvalid.into());
        }
        let by = self.identify(request)?;
        Self::permit(&by.credential, rule)?;
        let place = place(&by.credential, rule);
        let place = place.inspect_err(|error| self.count(&by.credential.tenant(), error))?;
        Ok(Admitted {
            by: Some(by),
            permission: rule.permission,
            place,
        })
    }

    /// A key that is shown counts before a certificate, and both before nothing.
    fn identify(&self, request: &Request<Body>) -> Result<By> {
        let certificate = request.extensions().get::<Peer>();
        let certificate = certificate.and_then(|peer| peer.certificate.as_ref());
        let certificate = certificate.filter(|shown| !shown.ended().is_cancelled());
        let by = |credential| By {
            credential,
            certificate: certificate.cloned(),
        };
        if let Some(key) = self.bearer(request.headers())? {
            let known = self.callers.by_key(key);
            return known.map(by).map_err(|_| Error::CredentialsInvalid);
        }
        if let Some(shown) = certificate
            && let Ok(credential) = self.callers.by_certificate(shown.names())
        {
            return Ok(by(credential));
        }
        let nobody = self.callers.without_credentials();
        nobody.map(by).ok_or(match certificate {
            Some(_) => Error::CredentialsInvalid,
            None => Error::CredentialsMissing,
        })
    }

    /// The key that a call shows; an error where what it shows is not one.
    fn bearer<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>> {
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let Some(first) = shown.next() else {
            return Ok(None);
        };
        // Of two, a proxy before us may have looked at the other one.
        let only = shown.next().is_none().then_some(first);
        let key = only.and_then(|value: &HeaderValue| value.to_str().ok());
        let key = key.and_then(|text| {
            let (scheme, key) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        if key.is_none() {
            self.callers
                .refuse("`authorization` is not one `Bearer` and a key");
            return Err(Error::CredentialsInvalid);
        }
        Ok(key)
    }

    fn permit(credential: &Credential, rule: Rule) -> std::result::Result<(), Refusal> {
        if rule.permission == Permission::Closed {
            return Err(Error::MethodClosed.into());
        }
        match rule.permission.missing(credential.identity.scopes) {
            Some(needed @ [Scope::Admin]) => {
                let identity = credential.identity.clone();
                let error = Error::ScopeMissing { needed };
                Err(Refusal::NoAdministrator(error, identity))
            }
            Some(needed) => Err(Error::ScopeMissing { needed }.into()),
            None => Ok(()),
        }
    }

    async fn refuse(&self, refusal: Refusal, path: &str) -> Status {
        let error = match refusal {
            Refusal::NoSuchMethod => return Status::unimplemented("there is no such method"),
            Refusal::Because(error) => error,
            Refusal::NoAdministrator(error, identity) => {
                let method = path.rsplit('/').next().unwrap_or_default();
                if let Some(admin) = &self.admin {
                    admin.refused(&identity, method, &error).await;
                }
                error
            }
        };
        status(&error, 0)
    }

    fn count(&self, tenant: &Id, error: &Error) {
        if let Error::Limited { setting, .. } = error {
            self.metrics.limits.limited(tenant.as_str(), setting);
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

fn place(credential: &Credential, rule: Rule) -> Result<Place> {
    Ok(if rule.streams {
        Place::Stream(credential.meters.stream()?)
    } else {
        Place::Call(credential.meters.call()?)
    })
}

#[cfg(test)]
mod tests;
