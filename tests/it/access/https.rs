//! Webhooks and the operators' listener over TLS.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{
    certificates::Authority,
    house::{House, PATIENCE},
};

/// What is answered to these bytes by a server whose certificate leads to this root.
fn exchange(to: SocketAddr, root: &str, request: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(root.as_bytes()).expect("a certificate");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), to.ip().into()).expect("a name");
    let mut socket = TcpStream::connect(to)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // A server may close without the last word of TLS.
    let read = stream.read_to_end(&mut answer);
    if answer.is_empty() {
        read?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn webhooks_and_probes_are_answered_over_tls_and_not_beside_it() {
    let authority = Authority::new("servers");
    let house = House::start(|folder| {
        authority.server().write(folder);
        let listener = |name: &str| super::tls::listener(name, folder);
        format!("{}{}", listener("webhooks"), listener("ops"))
    })
    .await;
    let (webhooks, ops) = (house.app.webhooks(), house.app.ops());
    let asked = tokio::task::spawn_blocking(move || {
        let root = authority.pem();
        let post = "POST /webhooks/nobody HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answers = (exchange(webhooks, &root, post), exchange(ops, &root, get));
        let stranger = exchange(ops, &Authority::new("others").pem(), get);
        // In the clear, to the same port.
        let mut socket = TcpStream::connect(ops).expect("a listener");
        socket.set_read_timeout(Some(PATIENCE)).expect("set");
        socket.write_all(get.as_bytes()).expect("written");
        let mut clear = Vec::new();
        let _ = socket.read_to_end(&mut clear);
        (answers, stranger, clear)
    });
    let ((posted, probed), stranger, clear) = asked.await.expect("asked");
    assert!(posted.expect("answered").starts_with("HTTP/1.1 404 "));
    assert!(probed.expect("answered").starts_with("HTTP/1.1 200 "));
    assert!(stranger.is_err(), "{stranger:?}");
    assert!(!clear.starts_with(b"HTTP/"), "{clear:?}");
    house.app.stop().await;
}
