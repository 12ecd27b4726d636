//! Asking a DNS server, directly or through a SOCKS proxy. What it answers is read by [`daylight_dkim::dns`]; here are only the ways there and back.

use anyhow::{Context, Result, bail, ensure};
use daylight_dkim::dns::{self, Answer};
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Where Unix systems say which server they ask.
const SYSTEM: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// Over UDP a question is sent so many times, and each time waited for so long.
const TRIES: usize = 3;
const WAIT: Duration = Duration::from_secs(3);
/// Over TCP all of connecting, asking and answering takes no longer; a proxy may be slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server, and the way to it.
pub(crate) struct Resolver {
    way: Way,
    /// As it is shown and, where somebody chose it, stored with what it said.
    pub(crate) name: String,
    /// Nobody chose it: it is the system's.
    pub(crate) is_systems: bool,
}

enum Way {
    Direct(SocketAddr),
    /// The proxy, and the server's name or address, which only the proxy sees.
    Socks(SocketAddr, String, u16),
}

impl Resolver {
    /// The server that was named, or the system's; through a proxy it must be named, for the system's may be one that only this network reaches.
    pub(crate) fn new(named: Option<&str>, socks: Option<&str>) -> Result<Self> {
        let way = match (named, socks) {
            (Some(named), Some(proxy)) => {
                let proxy = proxy
                    .parse()
                    .with_context(|| format!("--socks takes an address with a port, such as 127.0.0.1:9050, not `{proxy}`"))?;
                let (host, port) = host_and_port(named)?;
                Way::Socks(proxy, host, port)
            }
            (None, Some(_)) => bail!("--socks needs --resolver: the DNS server that the proxy is to ask, such as 9.9.9.9"),
            (Some(named), None) => Way::Direct(address(named)?),
            (None, None) => Way::Direct(system()?),
        };
        let name = match &way {
            Way::Direct(address) => address.to_string(),
            Way::Socks(_, host, port) => format!("{host}:{port}"),
        };
        Ok(Self { way, name, is_systems: named.is_none() })
    }

    /// Asks for the TXT records of a name. An error is that no answer came; `None` that it can be no name.
    pub(crate) fn ask(&self, name: &str) -> Result<Option<Answer>> {
        let mut id = [0; 2];
        getrandom::fill(&mut id).context("the system gives no random numbers")?;
        let id = u16::from_be_bytes(id);
        let Some(question) = dns::question(name, id) else { return Ok(None) };
        if let Way::Direct(server) = &self.way {
            let answer = over_udp(*server, &question, name, id)?;
            if answer != Answer::Cut {
                return Ok(Some(answer));
            }
        }
        let until = Instant::now() + PATIENCE;
        let stream = match &self.way {
            Way::Direct(server) => {
                TcpStream::connect_timeout(server, PATIENCE).with_context(|| format!("{server} does not answer over TCP"))?
            }
            Way::Socks(proxy, host, port) => through(*proxy, host, *port, until)?,
        };
        let bytes = over_tcp(stream, &question, until).context("no answer came over TCP")?;
        Ok(Some(dns::answer(&bytes, name, id)))
    }
}

/// A server by its address, with or without a port.
fn address(named: &str) -> Result<SocketAddr> {
    let bare = named.trim_start_matches('[').trim_end_matches(']');
    let parsed = named.parse().or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)));
    parsed.with_context(|| format!("--resolver takes the address of a DNS server, such as 9.9.9.9 or [2620:fe::fe]:53, not `{named}`"))
}

/// The same, where the server may also have a name, which the proxy looks up.
fn host_and_port(named: &str) -> Result<(String, u16)> {
    if let Ok(address) = address(named) {
        return Ok((address.ip().to_string(), address.port()));
    }
    let (host, port) = named.rsplit_once(':').unwrap_or((named, "53"));
    let port = port.parse().with_context(|| format!("`{named}` has no port after its colon"))?;
    ensure!((1..=255).contains(&host.len()) && host.is_ascii() && !host.contains(':'), "`{host}` is no name of a DNS server");
    Ok((host.to_owned(), port))
}

fn system() -> Result<SocketAddr> {
    let text = fs::read_to_string(SYSTEM).with_context(|| format!("cannot read {SYSTEM}; name a DNS server with --resolver"))?;
    let mut servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok());
    let server: IpAddr = servers.next().with_context(|| format!("{SYSTEM} names no server; name one with --resolver"))?;
    Ok(SocketAddr::new(server, PORT))
}

/// Takes only what comes from the server and answers the question; whatever else comes is passed over until the time is up.
fn over_udp(server: SocketAddr, question: &[u8], name: &str, id: u16) -> Result<Answer> {
    let own: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((own, 0)).context("cannot open a socket")?;
    socket.connect(server).with_context(|| format!("{server} cannot be reached"))?;
    let mut buffer = [0; dns::UDP as usize + 1];
    for _ in 0..TRIES {
        let until = Instant::now() + WAIT;
        // A server that is not there is told by the system at the next call.
        if socket.send(question).is_err() {
            continue;
        }
        while let Some(left) = left(until) {
            socket.set_read_timeout(Some(left))?;
            let Ok(count) = socket.recv(&mut buffer) else { break };
            match dns::answer(&buffer[..count], name, id) {
                Answer::Other(_) => {}
                answer => return Ok(answer),
            }
        }
    }
    bail!("no answer came from {server}")
}

fn over_tcp(mut stream: TcpStream, question: &[u8], until: Instant) -> Result<Vec<u8>> {
    let length = u16::try_from(question.len())?;
    write_all(&mut stream, &[&length.to_be_bytes(), question].concat(), until)?;
    let mut length = [0; 2];
    read_exact(&mut stream, &mut length, until)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    read_exact(&mut stream, &mut bytes, until)?;
    Ok(bytes)
}

/// A connection through a SOCKS proxy (RFC 1928), without a password.
fn through(proxy: SocketAddr, host: &str, port: u16, until: Instant) -> Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&proxy, PATIENCE).with_context(|| format!("no SOCKS proxy answers at {proxy}"))?;
    write_all(&mut stream, &[5, 1, 0], until)?;
    let mut chosen = [0; 2];
    read_exact(&mut stream, &mut chosen, until).with_context(|| format!("{proxy} is no SOCKS proxy"))?;
    ensure!(chosen == [5, 0], "{proxy} is no SOCKS 5 proxy, or wants a password");
    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(ip)) => request.extend([&[1][..], &ip.octets()].concat()),
        Ok(IpAddr::V6(ip)) => request.extend([&[4][..], &ip.octets()].concat()),
        Err(_) => request.extend([&[3, u8::try_from(host.len())?][..], host.as_bytes()].concat()),
    }
    request.extend(port.to_be_bytes());
    write_all(&mut stream, &request, until)?;
    let mut reply = [0; 4];
    read_exact(&mut stream, &mut reply, until).with_context(|| format!("the SOCKS proxy {proxy} broke off"))?;
    ensure!(reply[..2] == [5, 0], "the SOCKS proxy {proxy} cannot reach {host}:{port} (code {})", reply[1]);
    let length = match reply[3] {
        1 => 4,
        4 => 16,
        3 => {
            let mut length = [0];
            read_exact(&mut stream, &mut length, until)?;
            usize::from(length[0])
        }
        _ => bail!("the SOCKS proxy {proxy} answers with what is no address"),
    };
    read_exact(&mut stream, &mut vec![0; length + 2], until)?;
    Ok(stream)
}

fn left(until: Instant) -> Option<Duration> {
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

fn write_all(stream: &mut TcpStream, bytes: &[u8], until: Instant) -> Result<()> {
    stream.set_write_timeout(Some(left(until).context("the time is up")?))?;
    Ok(stream.write_all(bytes)?)
}

/// Whoever gives a byte now and then gets no more time for it.
fn read_exact(stream: &mut TcpStream, buffer: &mut [u8], until: Instant) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        stream.set_read_timeout(Some(left(until).context("the time is up")?))?;
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => bail!("the connection was closed"),
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
