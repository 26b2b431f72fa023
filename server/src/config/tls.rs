//! `[grpc.tls]`, `[webhooks.tls]`, `[ops.tls]`: the certificates of the listeners.

use std::{path::PathBuf, time::Duration};

use super::{
    problem::Problems,
    section::{Kind, Section, Setting, section},
};

section! {
    /// TLS 1.2 or 1.3 of the callers' listener. Unset, it speaks plain HTTP/2. The files are looked at every second and
    /// on SIGHUP: a renewed certificate counts for new connections without a restart, and a broken one is told of in
    /// the log and leaves the old one in force.
    GrpcTlsConfig {
        /// The certificate and what leads to its root, in PEM.
        certificate: Option<PathBuf> = None;
        /// Its private key, in PEM.
        private_key: Option<PathBuf> = None;
        /// The roots of client certificates, in PEM. Set, callers may show a certificate instead of a key; whose it is
        /// tells `callers.certificates`. Streams of one that expires, or whose root is removed here, end within 2 seconds.
        client_ca: Option<PathBuf> = None;
        /// Refuse connections without a client certificate of `client_ca`, whatever key they would show.
        require_client_certificate: bool = false;
        /// A connection whose handshake takes longer is closed.
        #[serde(with = "humantime_serde")]
        handshake_timeout: Duration = Duration::from_secs(5), "10ms" to "1m";
    }
}

section! {
    /// TLS 1.2 or 1.3 of this listener. Unset, it speaks plain HTTP/1.1. The files are looked at every second and on
    /// SIGHUP: a renewed certificate counts for new connections without a restart.
    TlsConfig {
        /// The certificate and what leads to its root, in PEM.
        certificate: Option<PathBuf> = None;
        /// Its private key, in PEM.
        private_key: Option<PathBuf> = None;
        /// A connection whose handshake takes longer is closed.
        #[serde(with = "humantime_serde")]
        handshake_timeout: Duration = Duration::from_secs(5), "10ms" to "1m";
    }
}

impl Setting for GrpcTlsConfig {
    const KIND: Kind = Kind::Table;
}

impl Setting for TlsConfig {
    const KIND: Kind = Kind::Table;
}

/// What is wrong with a listener's TLS.
pub(super) fn check_grpc(tls: &GrpcTlsConfig, problems: &mut Problems) {
    let at = "grpc.tls";
    tls.check(at, problems);
    check_pair(
        tls.certificate.is_some(),
        tls.private_key.is_some(),
        at,
        problems,
    );
    if tls.client_ca.is_some() && tls.certificate.is_none() {
        problems.add(
            format!("{at}.certificate"),
            "is missing: without TLS nobody can show the certificates of client_ca",
        );
    }
    if tls.require_client_certificate && tls.client_ca.is_none() {
        problems.add(
            format!("{at}.client_ca"),
            "is missing: require_client_certificate needs the roots of those certificates",
        );
    }
}

/// As [`check_grpc`], for a listener of HTTP.
pub(super) fn check(tls: &TlsConfig, at: &str, problems: &mut Problems) {
    tls.check(at, problems);
    check_pair(
        tls.certificate.is_some(),
        tls.private_key.is_some(),
        at,
        problems,
    );
}

fn check_pair(certificate: bool, private_key: bool, at: &str, problems: &mut Problems) {
    if certificate && !private_key {
        problems.add(
            format!("{at}.private_key"),
            "is missing: certificate needs it",
        );
    }
    if private_key && !certificate {
        problems.add(
            format!("{at}.certificate"),
            "is missing: private_key belongs to one",
        );
    }
}
