//! The files that TLS is made from.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use thiserror::Error;

/// Where a listener's certificate stands, and whom it believes.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate and what leads to its root, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub private_key: PathBuf,
    /// The roots of client certificates, in PEM; absent: none is asked for.
    pub client_ca: Option<PathBuf>,
    pub require_client_certificate: bool,
}

/// Why a listener cannot speak TLS. Names the file, never what is in it.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("the file {path} cannot be read: {source}")]
    File { path: String, source: io::Error },
    #[error("tls.{setting}: {text}")]
    Content { setting: &'static str, text: String },
}

/// What the files held at one moment.
#[derive(PartialEq, Eq)]
pub(super) struct Content {
    certificate: Vec<u8>,
    private_key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl TlsFiles {
    pub(super) fn read(&self) -> Result<Content, TlsError> {
        Ok(Content {
            certificate: read(&self.certificate)?,
            private_key: read(&self.private_key)?,
            client_ca: self.client_ca.as_deref().map(read).transpose()?,
        })
    }
}

impl Content {
    pub fn identity(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = certificates("certificate", &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.private_key);
        // What is wrong with a key is not told: the words could hold some of it.
        let key = key.map_err(|_| content("private_key", "holds no private key in PEM"))?;
        Ok((chain, key))
    }

    pub fn client_roots(&self) -> Result<Option<RootCertStore>, TlsError> {
        let Some(pem) = &self.client_ca else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for root in certificates("client_ca", pem)? {
            let added = roots.add(root);
            added.map_err(|error| content("client_ca", error.to_string()))?;
        }
        Ok(Some(roots))
    }
}

impl TlsError {
    pub(super) fn certificate(error: &rustls::Error) -> Self {
        content(
            "certificate",
            format!("{error}; does private_key belong to it?"),
        )
    }

    pub(super) fn client_ca(error: &dyn std::error::Error) -> Self {
        content("client_ca", error.to_string())
    }
}

fn certificates(
    setting: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let each = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let each = each.map_err(|error| content(setting, error.to_string()))?;
    if each.is_empty() {
        return Err(content(setting, "holds no certificate in PEM"));
    }
    Ok(each)
}

fn content(setting: &'static str, text: impl Into<String>) -> TlsError {
    let text = text.into();
    TlsError::Content { setting, text }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File {
        path: path.display().to_string(),
        source,
    })
}
