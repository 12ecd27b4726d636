//! Whose certificates are believed where a site is spoken to under TLS, and what is said of one that is not.

use std::io;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

/// Authorities that vouch for the names of sites.
#[derive(Debug, Clone, Default)]
pub enum Authorities {
    /// Those that browsers trust, as they were when this program was built.
    #[default]
    OfTheWeb,
    /// These alone, by their certificates (DER).
    These(Vec<Vec<u8>>),
}

impl Authorities {
    /// Those in a file of certificates in PEM (RFC 7468); whatever else stands in it is passed over. Errors: there is none, or one is broken.
    pub fn from_pem(pem: &[u8]) -> io::Result<Self> {
        let broken = |error| io::Error::new(io::ErrorKind::InvalidData, format!("it holds what is no certificate: {error}"));
        let these: Vec<Vec<u8>> =
            CertificateDer::pem_slice_iter(pem).map(|one| one.map(|one| one.to_vec()).map_err(broken)).collect::<io::Result<_>>()?;
        if these.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no certificate (PEM)"));
        }
        let these = Self::These(these);
        these.roots()?;
        Ok(these)
    }

    fn roots(&self) -> io::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::OfTheWeb => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Self::These(these) => {
                for authority in these {
                    roots.add(CertificateDer::from(authority.clone())).map_err(invalid)?;
                }
            }
        }
        Ok(roots)
    }

    /// What makes TLS of a connection, believing these.
    pub(super) fn connector(&self) -> io::Result<TlsConnector> {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(invalid)?;
        Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(self.roots()?).with_no_client_auth())))
    }
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// What speaks against a site's certificate, where it is that which kept a connection from being made.
pub(super) fn objection(error: &io::Error, host: &str) -> Option<String> {
    let Some(Error::InvalidCertificate(why)) = error.get_ref()?.downcast_ref::<Error>() else { return None };
    Some(match why {
        CertificateError::UnknownIssuer => {
            "its certificate is of no authority that is trusted here (SSL_CERT_FILE names a file with those that are)".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or this machine's clock is wrong".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this machine's clock is wrong".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another name than {host}")
        }
        other => format!("its certificate is not good: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_holds_certificates_and_may_hold_other_things() {
        let of = |text: &str| Authorities::from_pem(text.as_bytes());
        assert!(of("").unwrap_err().to_string().contains("no certificate (PEM)"));
        assert!(of("# a remark\n").unwrap_err().to_string().contains("no certificate (PEM)"));
        assert!(of("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n").is_err(), "no base64");
        assert!(of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err(), "no certificate");
        assert!(of("-----BEGIN CERTIFICATE-----\nAAAA\n").is_err(), "no end");
    }
}
