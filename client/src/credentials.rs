//! What the client shows of itself: a key on every call, a certificate on every connection.

use std::fmt;

use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{Certificate, ClientTlsConfig, Identity},
};

use crate::Error;

/// How connections are secured, and what is shown on them. Has no `Debug` that would show a key.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    pub(crate) roots: Vec<String>,
    pub(crate) identity: Option<(String, String)>,
    pub(crate) key: Option<String>,
}

/// The key, as it goes with every call.
#[derive(Clone, Default)]
pub(crate) struct Credentials(Option<MetadataValue<Ascii>>);

impl Transport {
    pub(crate) fn tls(&self) -> ClientTlsConfig {
        let tls = ClientTlsConfig::new();
        // One's own roots are meant to be the only ones.
        let tls = if self.roots.is_empty() {
            tls.with_native_roots()
        } else {
            tls.ca_certificates(self.roots.iter().map(Certificate::from_pem))
        };
        match &self.identity {
            Some((certificate, private_key)) => {
                tls.identity(Identity::from_pem(certificate, private_key))
            }
            None => tls,
        }
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Error> {
        let Some(key) = &self.key else {
            return Ok(Credentials(None));
        };
        let value = format!("Bearer {}", key.trim()).parse();
        // The words of that error could hold the key.
        let mut value: MetadataValue<Ascii> =
            value.map_err(|_| Error::invalid("the key holds characters that no key has"))?;
        value.set_sensitive(true);
        Ok(Credentials(Some(value)))
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("authorization", key.clone());
        }
        Ok(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("roots", &self.roots.len())
            .field("certificate", &self.identity.is_some())
            .field("key", &self.key.is_some())
            .finish()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Credentials({})",
            if self.0.is_some() { "a key" } else { "none" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_key(key: &str) -> Transport {
        Transport {
            key: Some(key.to_owned()),
            ..Transport::default()
        }
    }

    #[test]
    fn a_key_goes_with_the_call_and_is_not_shown() {
        let transport = with_key("parloir_abc_def\n");
        let mut credentials = transport.credentials().expect("a good key");
        let request = credentials.call(Request::new(())).expect("passed on");
        let sent = request.metadata().get("authorization").expect("a key");
        assert_eq!(sent.as_bytes(), b"Bearer parloir_abc_def");
        assert!(sent.is_sensitive());
        let shown = format!("{transport:?} {credentials:?} {request:?}");
        assert!(!shown.contains("abc_def"), "{shown}");
    }

    #[test]
    fn what_no_header_can_carry_is_refused_without_showing_it() {
        let error = with_key("se\u{7f}cret").credentials().expect_err("refused");
        assert!(!error.to_string().contains("cret"), "{error}");
    }
}
