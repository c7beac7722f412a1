//! Connections that nobody reads along.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::program::{Program, refused};

/// What the service answers to a caller that trusts its certificate.
fn ask(address: &str, certificate: &rcgen::Certificate) -> String {
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(configuration), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream
        .write_all(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // Whether the end is announced is up to the server.
    let _end = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_certificate_opens_connections_and_plain_callers_get_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let program = Program::start(&["--tls-cert", &cert, "--tls-key", &key], &[]);
    assert!(ask(&program.address, &made.cert).starts_with("HTTP/1.1 200 OK"));
    let mut plain = TcpStream::connect(&program.address).unwrap();
    plain.write_all(b"GET /status HTTP/1.1\r\nHost: l\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _closed = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    for arguments in
        [["--tls-cert", &key, "--tls-key", &key], ["--tls-cert", &cert, "--tls-key", &cert]]
    {
        let (code, stderr) = refused(&arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("TLS cannot be used"), "{stderr}");
    }
    assert_eq!(refused(&["--tls-cert", &cert]).0, Some(2), "a key belongs to it");
}
