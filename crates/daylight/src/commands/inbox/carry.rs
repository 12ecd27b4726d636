//! The process that talks to a drop for the one that collects: it has the network, the collector's token, and no key.

use super::wire::Wire;
use crate::place;
use anyhow::{Context, Result, bail};
use daylight_inbox::{Carrier, Relayed, relay};
use daylight_mirror::address::Address;
use daylight_mirror::http::{Client, Config, Proxy};
use std::io::{self, BufReader, BufWriter};
use std::path::Path;
use std::process::{Child, ExitCode};
use zeroize::Zeroizing;

/// The process. It ends when nobody can ask it any more, so it must be dropped after the end that asks.
pub(super) struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.wait();
    }
}

/// Starts the process, and gives it with the end that asks.
pub(super) fn beside(drop: &Address, token: &Path, socks: Option<&Proxy>) -> Result<(Beside, Box<dyn Carrier>)> {
    let token = std::path::absolute(token).with_context(|| format!("cannot read the token {}", token.display()))?;
    // Whoever typed it is told of a wrong one here, before anything begins.
    authorization(&token)?;
    let mut program = place::reader()?;
    // It inherits nothing of what surrounds this one, so all that it needs is told; what is not there is empty.
    let socks = socks.map(ToString::to_string).unwrap_or_default();
    let authorities = place::authorities_file().map(std::path::absolute).transpose().context("cannot find the file of authorities")?;
    place::authorities(authorities.as_deref())?;
    let authorities = authorities.unwrap_or_default().into_os_string();
    program.args = vec![crate::CARRIER.into(), drop.to_string().into(), token.into_os_string(), socks.into(), authorities];
    let mut child = daylight_sandbox::start_beside(&program).context("cannot start the process that talks to the drop")?;
    let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("cannot talk to the process that talks to the drop")
    };
    Ok((Beside(child), Box::new(Relayed::new(BufReader::new(from), to))))
}

/// The other end: what the process does.
pub(crate) fn carry() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::output::remark(format_args!("{}", crate::one_line(&error)));
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let [drop, token, socks, authorities] = words.as_slice() else { bail!("this is for `daylight drop collect` to start") };
    let named = |word: &'_ String| Some(word.clone()).filter(|word| !word.is_empty());
    let drop: Address = drop.parse().map_err(|error| anyhow::anyhow!("{drop}: {error}"))?;
    let proxy: Option<Proxy> =
        named(socks).map(|socks| socks.parse()).transpose().map_err(|error| anyhow::anyhow!("the proxy: {error}"))?;
    let authorization = authorization(Path::new(token))?;
    let authorities = place::authorities(named(authorities).as_deref().map(Path::new))?;
    daylight_sandbox::only_network().map_err(anyhow::Error::msg)?;
    let client = Client::new(Config { proxy, connections: 1, authorities, ..Config::default() }).context("cannot make connections")?;
    let mut wire = Wire { client, drop, authorization };
    relay(&mut wire, &mut io::stdin().lock(), &mut BufWriter::new(io::stdout().lock())).context("the collector cannot be heard")
}

fn authorization(file: &Path) -> Result<Zeroizing<String>> {
    let text = Zeroizing::new(std::fs::read_to_string(file).with_context(|| format!("cannot read the token {}", file.display()))?);
    let token = text.lines().next().unwrap_or_default().trim();
    if token.len() != 64 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("the first line of {} is no collector's token: 64 digits, as `daylight drop init` printed them", file.display());
    }
    Ok(Zeroizing::new(format!("Daylight {}", token.to_ascii_lowercase())))
}
