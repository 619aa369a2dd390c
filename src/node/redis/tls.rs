//! TLS by rustls: trust, client certificates, and the name that the server must prove.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::options::TlsOptions;
use crate::node::{Fault, FaultCode};

fn fault(text: impl Into<String>) -> Fault {
    Fault::new(FaultCode::Tls, text.into())
}

/// Shakes hands on the stream. Settings that cannot be used are a fault of the node like any other.
pub(super) async fn wrap(options: &TlsOptions, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
    let config = config(options)?;
    let name = options.servername.as_deref().unwrap_or(host);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(name.to_owned());
    let name = name.map_err(|error| fault(format!("servername is neither a host name nor an address: {error}")))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    stream.map_err(|error| fault(format!("handshake: {error}")))
}

fn config(options: &TlsOptions) -> Result<ClientConfig, Fault> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| fault(format!("protocol versions: {error}")))?;
    let builder = if options.accept_any {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder.with_root_certificates(roots(options)?)
    };
    let (Some(cert), Some(key)) = (&options.cert, &options.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(cert, "tls.cert")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    let key = key.map_err(|error| fault(format!("tls.key is not a private key in PEM: {error}")))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| fault(format!("tls.cert and tls.key: {error}")))
}

/// The authorities given, or the ones that Mozilla trusts, as in Node.js.
fn roots(options: &TlsOptions) -> Result<RootCertStore, Fault> {
    let Some(ca) = &options.ca else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut store = RootCertStore::empty();
    for certificate in certificates(ca, "tls.ca")? {
        store.add(certificate).map_err(|error| fault(format!("tls.ca: {error}")))?;
    }
    Ok(store)
}

fn certificates(pem: &str, option: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match parsed {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(fault(format!("{option} holds no certificate in PEM"))),
        Err(error) => Err(fault(format!("{option} is not PEM: {error}"))),
    }
}

/// For `rejectUnauthorized: false`: the connection is encrypted, to whomever.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
