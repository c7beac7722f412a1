//! Connections that nobody reads along.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
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
    plain.write_all(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
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

/// A run of three rounds against a served loop over TLS, which trusts one certificate.
fn run(address: &str, trusted: &str, out: &str) -> (Option<i32>, String) {
    let port = address.rsplit(':').next().unwrap();
    let target = format!("target={{ url: 'https://localhost:{port}', ca: '{trusted}' }}");
    let phases = "phases=[{ iterate: { name: few, iterations: 3 } }]";
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("PERSONALIZER_KEY", "none");
    command.args(["run", "scenarios/remote.yaml", "--quiet", "--allow-paths", "--out", out]);
    command.args(["--set", &target, "--set", phases, "--set", "expect=[]"]);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// TLS is not given up: not for a certificate that nobody vouches for, nor for one that has
/// expired, though it is trusted.
#[test]
fn a_client_trusts_what_it_is_told_to_and_only_while_it_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let served = |name: &str, last_year: i32| {
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let (cert, secret) = (path(&format!("{name}.pem")), path(&format!("{name}-key.pem")));
        std::fs::write(&cert, certificate.pem()).unwrap();
        std::fs::write(&secret, key.serialize_pem()).unwrap();
        let program = Program::start(&["--tls-cert", &cert, "--tls-key", &secret], &[]);
        (program, cert)
    };
    let (valid, valid_cert) = served("valid", 4000);
    let (expired, expired_cert) = served("expired", 2000);
    let (code, stderr) = run(&valid.address, &valid_cert, &path("valid"));
    assert_eq!(code, Some(0), "{stderr}");
    for (what, program, trusted) in
        [("unknown", &valid, &expired_cert), ("expired", &expired, &expired_cert)]
    {
        let (code, stderr) = run(&program.address, trusted, &path(what));
        assert_eq!(code, Some(6), "{what}: {stderr}");
        assert!(stderr.contains("certificate") && stderr.contains("`target.ca`"), "{stderr}");
    }
}
