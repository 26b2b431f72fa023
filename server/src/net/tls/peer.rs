//! Whom a client's certificate is made out to.

use rustls::{
    pki_types::{CertificateDer, UnixTime},
    server::danger::ClientCertVerifier,
};
use tokio_util::sync::CancellationToken;

/// A verified client certificate, as long as it counts.
#[derive(Debug)]
pub struct PeerCertificate {
    names: Vec<String>,
    chain: Vec<CertificateDer<'static>>,
    ended: CancellationToken,
}

impl PeerCertificate {
    pub(super) fn new(chain: &[CertificateDer<'_>]) -> Result<Self, webpki::Error> {
        let chain: Vec<_> = chain
            .iter()
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        let own = chain.first().ok_or(webpki::Error::BadDer)?;
        let own = webpki::EndEntityCert::try_from(own)?;
        let names = own.valid_uri_names().chain(own.valid_dns_names());
        Ok(Self {
            names: names.map(str::to_owned).collect(),
            chain: chain.clone(),
            ended: CancellationToken::new(),
        })
    }

    /// Its SAN URIs and DNS names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Told once it no longer counts: it has expired, or its authority is not believed any more.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    pub(super) fn still_counts(&self, verifier: &dyn ClientCertVerifier, now: UnixTime) -> bool {
        let Some((own, between)) = self.chain.split_first() else {
            return false;
        };
        verifier.verify_client_cert(own, between, now).is_ok()
    }
}
