//! Addresses of sites: `http://host/folder/` or `https://…`, and nothing that could mean something else to somebody else.

use std::fmt;
use std::str::FromStr;

/// The longest address that is read, in bytes.
const LONGEST: usize = 1024;

/// Where a copy of an archive is said to be. The files of the archive stand right below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Whether bytes go through TLS.
    pub secure: bool,
    /// A name in lower case, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path of the archive's folder, beginning and ending with a slash.
    pub folder: String,
}

/// Why a text is no address of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `http://` nor `https://`.
    #[error("an address begins with http:// or https://")]
    Scheme,
    /// A name and password, a query, a fragment, a space or a character beyond ASCII.
    #[error("an address is a host and a folder: no password, no ? or #, no space, and names with other letters in their xn-- form")]
    Form,
    /// No host, or one that no host is called.
    #[error("the address has no host that can be asked")]
    Host,
    /// A port that is none.
    #[error("the address has no port after its colon")]
    Port,
}

impl Address {
    /// The path to ask for a file of the archive.
    pub fn path_to(&self, file: &str) -> String {
        format!("{}{file}", self.folder)
    }

    /// Whether only Tor knows the way there. Such a name is never looked up in the DNS (RFC 7686).
    pub fn is_onion(&self) -> bool {
        self.host == "onion" || self.host.ends_with(".onion")
    }

    /// The host as the `Host` field names it: with its port where that is not the usual one (RFC 9110 section 7.2).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.usual_port() { host } else { format!("{host}:{}", self.port) }
    }

    fn usual_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }

    /// Whether another address is at the same place: same scheme, host and port.
    pub fn is_beside(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.secure { "https" } else { "http" }, self.authority(), self.folder)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(AddressError::Scheme),
        };
        let plain = |b: u8| b.is_ascii_graphic() && !b"?#@\\\"<>^`{|}".contains(&b);
        if text.len() > LONGEST || !rest.bytes().all(plain) {
            return Err(AddressError::Form);
        }
        let (authority, folder) = rest.split_once('/').unwrap_or((rest, ""));
        if folder.split('/').any(|part| part == "." || part == "..") {
            return Err(AddressError::Form);
        }
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(if secure { 443 } else { 80 });
        let folder = folder.trim_end_matches('/');
        let folder = if folder.is_empty() { "/".to_owned() } else { format!("/{folder}/") };
        Ok(Self { secure, host, port, folder })
    }
}

/// Takes `host`, `host:port` or `[v6]:port` apart.
pub fn host_and_port(text: &str) -> Result<(String, Option<u16>), AddressError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(AddressError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| AddressError::Host)?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(AddressError::Host)?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let named = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let is_name = (1..=253).contains(&host.len()) && host.bytes().all(named) && !host.starts_with('.') && !host.contains("..");
    if !is_name && !text.starts_with('[') {
        return Err(AddressError::Host);
    }
    let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let port = port.map(|port| port.parse().ok().filter(|n| *n > 0 && digits(port)).ok_or(AddressError::Port)).transpose()?;
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_in_one_way() {
        let cases = [
            ("http://example.org", "http://example.org/", "/checkpoint"),
            ("https://Example.org:443/a/b", "https://example.org/a/b/", "/a/b/checkpoint"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/", "/checkpoint"),
            ("http://[::1]:8080/x/", "http://[::1]:8080/x/", "/x/checkpoint"),
            ("http://abcdef.onion/%61//", "http://abcdef.onion/%61/", "/%61/checkpoint"),
        ];
        for (text, written, path) in cases {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.path_to("checkpoint").as_str()), (written, path));
            assert_eq!(written.parse::<Address>().unwrap(), address);
        }
        assert!("http://abcdef.onion".parse::<Address>().unwrap().is_onion());
        assert!("http://a.ABCDEF.Onion".parse::<Address>().unwrap().is_onion());
        assert!(!"http://abcdef.onion.example".parse::<Address>().unwrap().is_onion());
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for text in [
            "",
            "example.org",
            "ftp://example.org",
            "HTTP://example.org",
            "http://",
            "http:///x",
            "http://user:password@example.org/",
            "http://example.org/?q",
            "http://example.org/#x",
            "http://example.org/a b",
            "http://example.org/\r\nx: y",
            "http://exämple.org/",
            "http://example.org/../x",
            "http://example.org/a/./b",
            "http://example.org:0/",
            "http://example.org:99999/",
            "http://example.org:+80/",
            "http://example.org:/",
            "http://a..b/",
            "http://.a/",
            "http://[::1/",
            "http://[x]/",
            "http://[::1]x/",
            "http://::1/",
            "file:///etc/passwd",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
