//! The TLS of each listener, as configured.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};

use crate::{
    config::{GrpcTlsConfig, TlsConfig},
    domain::Clock,
    net::{
        Tls, TlsFiles,
        tls::{HTTP_1, HTTP_2},
    },
};

/// For callers; `None` where none is configured.
pub fn grpc(config: &GrpcTlsConfig, clock: &Arc<dyn Clock>) -> Result<Option<Arc<Tls>>> {
    let Some((certificate, private_key)) =
        pair(config.certificate.as_ref(), config.private_key.as_ref())
    else {
        return Ok(None);
    };
    let files = TlsFiles {
        certificate,
        private_key,
        client_ca: config.client_ca.clone(),
        require_client_certificate: config.require_client_certificate,
    };
    let tls = Tls::new(files, HTTP_2, config.handshake_timeout, Arc::clone(clock));
    Ok(Some(Arc::new(tls.context("[grpc.tls]")?)))
}

/// For platforms, or for operators; `None` where none is configured.
pub fn http(config: &TlsConfig, clock: &Arc<dyn Clock>) -> Result<Option<Arc<Tls>>> {
    let Some((certificate, private_key)) =
        pair(config.certificate.as_ref(), config.private_key.as_ref())
    else {
        return Ok(None);
    };
    let files = TlsFiles {
        certificate,
        private_key,
        client_ca: None,
        require_client_certificate: false,
    };
    let tls = Tls::new(files, HTTP_1, config.handshake_timeout, Arc::clone(clock));
    Ok(Some(Arc::new(tls.context("[webhooks.tls] or [ops.tls]")?)))
}

fn pair(
    certificate: Option<&PathBuf>,
    private_key: Option<&PathBuf>,
) -> Option<(PathBuf, PathBuf)> {
    Some((certificate?.clone(), private_key?.clone()))
}
