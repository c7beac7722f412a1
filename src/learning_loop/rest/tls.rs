//! Connections that nobody reads along.

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

#[cfg(feature = "tls")]
mod with {
    use std::sync::Arc;

    use rustls::ServerConfig;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    use super::TlsError;

    /// A certificate and its key, to open connections with.
    #[derive(Clone)]
    pub struct Tls(TlsAcceptor);

    impl Tls {
        /// From a chain of certificates and a key, both in PEM.
        ///
        /// # Errors
        /// When they cannot be read, or do not belong together.
        pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
            let chain = chain.map_err(|error| TlsError(format!("the certificate: {error}")))?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| TlsError(format!("the key: {error}")))?;
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let configuration = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
                .map_err(|error| TlsError(error.to_string()))?;
            Ok(Self(TlsAcceptor::from(Arc::new(configuration))))
        }

        /// Shakes hands; nobody, where the caller does not.
        pub(in crate::learning_loop::rest) async fn accept(
            &self,
            stream: TcpStream,
        ) -> Option<TlsStream<TcpStream>> {
            self.0.accept(stream).await.ok()
        }
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use tokio::net::TcpStream;

    use super::TlsError;

    /// There is none in this build.
    #[derive(Clone)]
    pub enum Tls {}

    impl Tls {
        /// Never.
        ///
        /// # Errors
        /// Always.
        pub fn new(_chain: &[u8], _key: &[u8]) -> Result<Self, TlsError> {
            Err(TlsError("this program was built without the feature `tls`".to_owned()))
        }

        #[expect(clippy::unused_async, reason = "as with TLS")]
        pub(in crate::learning_loop::rest) async fn accept(
            &self,
            _stream: TcpStream,
        ) -> Option<TcpStream> {
            match *self {}
        }
    }
}

#[cfg(feature = "tls")]
pub use with::Tls;
#[cfg(not(feature = "tls"))]
pub use without::Tls;
