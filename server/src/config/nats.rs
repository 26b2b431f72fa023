//! `[nats]`: the broker by which replicas wake each other, and how a NATS server is reached.

use std::path::PathBuf;

use super::{
    problem::Problems,
    section::{Kind, Section, Setting, section},
};
use crate::secret::Secret;

section! {
    /// The NATS servers by which replicas that share a `PostgreSQL` database tell each other that there is something new.
    /// They carry no event: when they are lost, events come up to a second later and none is lost. Starting,
    /// health and readiness never wait for them.
    NatsConfig {
        /// Where they are: `nats://HOST:PORT`, or `tls://HOST:PORT` for TLS alone; several of one cluster with commas in
        /// between. Never with a user or a password in it: those stand in `access`. Unset: the database's own NOTIFY.
        url: Option<String> = None;
        /// What the subjects begin with: the doorbell is `PREFIX.log.0`, which the server must be allowed to publish and
        /// subscribe to. Installations that share a broker may share it, too: they tell each other's rings apart.
        prefix: String = "parloir".to_owned();
        /// How the server shows there who it is.
        access: NatsAccessConfig = NatsAccessConfig::default();
    }
}

section! {
    /// How the server shows a NATS server who it is, and how it knows it: by at most one of user, token and credentials,
    /// and by a certificate. User, password and token are read anew whenever it connects.
    NatsAccessConfig {
        /// The user's name.
        user: Option<String> = None;
        /// The user's password.
        password: Option<Secret> = None;
        /// A token, for servers that know one instead of users.
        token: Option<Secret> = None;
        /// What stands in a `.creds` file: a user's JWT and its key. Read when the server starts.
        credentials: Option<Secret> = None;
        /// The roots of its certificate, in PEM; TLS is demanded then. Unset: those of the system.
        ca: Option<PathBuf> = None;
        /// The certificate that is shown there and what leads to its root, in PEM; TLS is demanded then.
        certificate: Option<PathBuf> = None;
        /// Its private key, in PEM.
        private_key: Option<PathBuf> = None;
    }
}

impl Setting for NatsAccessConfig {
    const KIND: Kind = Kind::Table;
}

impl NatsAccessConfig {
    /// Every secret that is named, with its setting.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let named = [
            ("password", &self.password),
            ("token", &self.token),
            ("credentials", &self.credentials),
        ];
        named
            .into_iter()
            .filter_map(|(setting, secret)| Some((setting, secret.as_ref()?)))
    }
}

/// Whether text is one part of a subject, or several with dots in between.
pub(super) fn is_subject(text: &str) -> bool {
    let is_token = |token: &str| {
        !token.is_empty()
            && token
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'*' && byte != b'>')
    };
    text.len() <= 256 && text.split('.').all(is_token)
}

pub(super) fn check(nats: &NatsConfig, problems: &mut Problems) {
    nats.check("nats", problems);
    if let Some(url) = &nats.url {
        check_url(url, "nats", problems);
    }
    if !is_subject(&nats.prefix) {
        problems.add(
            "nats.prefix",
            "must be the beginning of a subject: words with dots in between, without * and >",
        );
    }
    check_access(&nats.access, "nats.access", problems);
}

/// `at` is the section whose `url` it is. What is wrong with it is not repeated: it may hold a password.
pub(super) fn check_url(url: &str, at: &str, problems: &mut Problems) {
    let key = format!("{at}.url");
    if url.contains('@') {
        problems.add(
            key,
            format!(
                "must not hold a user, a password or a token: name them in {at}.access, where a secret is named by its \
                 place"
            ),
        );
    } else if !url.split(',').all(is_server) {
        problems.add(
            key,
            "must be nats://HOST:PORT or tls://HOST:PORT; several servers of one cluster are separated by commas, \
             without spaces",
        );
    }
}

fn is_server(url: &str) -> bool {
    let host = ["nats://", "tls://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let Some(host) = host else { return false };
    let is_host = |parts: http::uri::Authority| !parts.host().is_empty();
    host.parse().is_ok_and(is_host)
}

pub(super) fn check_access(access: &NatsAccessConfig, at: &str, problems: &mut Problems) {
    access.check(at, problems);
    if access.user.is_some() != access.password.is_some() {
        let (missing, there) = match access.user {
            Some(_) => ("password", "user"),
            None => ("user", "password"),
        };
        problems.add(
            format!("{at}.{missing}"),
            format!("is missing: {there} belongs to one"),
        );
    }
    let ways = [
        access.user.is_some(),
        access.token.is_some(),
        access.credentials.is_some(),
    ];
    if ways.iter().filter(|way| **way).count() > 1 {
        problems.add(at, "names more than one of user, token and credentials");
    }
    if access.certificate.is_some() != access.private_key.is_some() {
        let (missing, there) = match access.certificate {
            Some(_) => ("private_key", "certificate"),
            None => ("certificate", "private_key"),
        };
        problems.add(
            format!("{at}.{missing}"),
            format!("is missing: {there} belongs to one"),
        );
    }
}
