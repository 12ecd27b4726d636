//! Connections: directly or through a SOCKS 5 proxy (RFC 1928) that looks names up itself; plain or under TLS by rustls.

use super::answer::Session;
use super::authorities::objection;
use super::{Config, HttpError};
use crate::address::{Address, AddressError, host_and_port};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// A SOCKS 5 proxy, such as Tor's at 127.0.0.1:9050. Names go to it as they are: nobody else is asked about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
}

impl FromStr for Proxy {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = host_and_port(text)?;
        Ok(Self { host, port: port.ok_or(AddressError::Port)? })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

/// A new connection to a site, ready for a request.
pub(super) async fn connect(site: &Address, config: &Config, tls: &TlsConnector) -> Result<Session, HttpError> {
    let opening = async {
        let stream = match &config.proxy {
            Some(proxy) => through(proxy, site).await?,
            None => direct(&site.host, site.port).await.map_err(|e| HttpError::Gone(format!("it cannot be reached: {e}")))?,
        };
        if !site.secure {
            return session(TokioIo::new(stream)).await;
        }
        let name = ServerName::try_from(site.host.clone()).map_err(|_| HttpError::Refused("its host can have no certificate".into()))?;
        // A certificate that is not good may be an attack or a slip: either way nothing is read, it is not tried again, and another site is asked.
        let stream = tls.connect(name, stream).await.map_err(|e| match objection(&e, &site.host) {
            Some(objection) => HttpError::Refused(format!("no TLS connection: {objection}")),
            None => HttpError::Gone(format!("no TLS connection: {e}")),
        })?;
        session(TokioIo::new(stream)).await
    };
    tokio::time::timeout(config.patience.connect, opening).await.map_err(|_| HttpError::Gone("it does not answer".into()))?
}

async fn direct(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn session(io: impl Read + Write + Send + Unpin + 'static) -> Result<Session, HttpError> {
    let (sender, connection) = super::answer::builder().handshake(io).await.map_err(|e| HttpError::Gone(e.to_string()))?;
    // It ends with the connection; what went wrong is told to whoever waits for an answer.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Session::new(sender))
}

async fn through(proxy: &Proxy, site: &Address) -> Result<TcpStream, HttpError> {
    let named = format!("{}:{}", proxy.host, proxy.port);
    let broken = |e: std::io::Error| HttpError::Gone(format!("the SOCKS proxy {named} broke off: {e}"));
    let refused = |why: &str| HttpError::Refused(format!("{named} {why}"));
    let mut stream =
        direct(&proxy.host, proxy.port).await.map_err(|e| HttpError::Refused(format!("no SOCKS proxy answers at {named}: {e}")))?;
    stream.write_all(&[5, 1, 0]).await.map_err(broken)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(broken)?;
    if chosen != [5, 0] {
        return Err(refused("is no SOCKS 5 proxy, or wants a password"));
    }
    stream.write_all(&request(site)?).await.map_err(broken)?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await.map_err(broken)?;
    if reply[..2] != [5, 0] {
        return Err(HttpError::Gone(format!("the SOCKS proxy {named} cannot reach it (code {})", reply[1])));
    }
    let length = match reply[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(broken)?),
        _ => return Err(refused("answers with what is no address")),
    };
    stream.read_exact(&mut vec![0; length + 2]).await.map_err(broken)?;
    Ok(stream)
}

/// CONNECT to the site: by address where it has one, by name otherwise, whatever the name.
fn request(site: &Address) -> Result<Vec<u8>, HttpError> {
    let mut request = vec![5, 1, 0];
    match site.host.parse() {
        Ok(IpAddr::V4(ip)) => request.extend([&[1][..], &ip.octets()].concat()),
        Ok(IpAddr::V6(ip)) => request.extend([&[4][..], &ip.octets()].concat()),
        Err(_) => {
            let length = u8::try_from(site.host.len()).map_err(|_| HttpError::Refused("its name is too long".into()))?;
            request.extend([&[3, length][..], site.host.as_bytes()].concat());
        }
    }
    request.extend(site.port.to_be_bytes());
    Ok(request)
}
