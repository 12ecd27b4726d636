//! The whole way, through a private Tor network on this machine: a browser without scripts, the onion, the drop, the newsroom, and back.

use crate::support::drop::{DropServer, Town};
use crate::support::{Browser, program, root, skip, tool};
use daylight_model::Digest;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The network's tool, where there is one: DAYLIGHT_TOR_TESTNET, or beside the checkout.
fn testnet() -> Option<PathBuf> {
    let named = std::env::var_os("DAYLIGHT_TOR_TESTNET").map(PathBuf::from);
    let tool = named.unwrap_or_else(|| root().join("../shared/tools/tor-testnet"));
    if !tool.is_file() {
        skip("no tor-testnet");
        return None;
    }
    Some(tool)
}

/// A Tor network with one onion service, stopped when dropped.
struct Tor {
    tool: PathBuf,
    folder: PathBuf,
    onion: String,
    socks: String,
}

impl Tor {
    fn start(tool: PathBuf, folder: &Path, target: &str) -> Self {
        let said = Command::new(&tool).arg("start").arg(folder).arg(target).output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let line = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or("").trim().trim_end_matches('/').to_owned();
        let tor = Self { tool, folder: folder.to_owned(), onion: line("onion "), socks: line("socks ") };
        assert!(said.status.success() && tor.onion.contains(".onion"), "{text}{}", String::from_utf8_lossy(&said.stderr));
        tor
    }

    /// Waits until the onion answers.
    fn wait(&self) {
        let began = Instant::now();
        loop {
            let asked = Command::new("curl")
                .args(["-s", "-m", "20", "--socks5-hostname", &self.socks])
                .arg(format!("{}/newsroom", self.onion))
                .output();
            if asked.is_ok_and(|asked| asked.stdout.windows(17).any(|window| window == b"daylight-drop/v1\"")) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(240), "the onion did not answer");
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

impl Drop for Tor {
    fn drop(&mut self) {
        let _ = Command::new(&self.tool).arg("stop").arg(&self.folder).status();
    }
}

#[test]
fn a_source_without_scripts_reaches_the_newsroom_through_tor_and_is_answered() {
    let Some(testnet) = testnet().filter(|_| tool("tor") && tool("curl") && tool("chromium") && tool("chromedriver")) else { return };
    let town = Town::new();
    // A path of a socket is short (unix(7)).
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("s");
    let listen = format!("unix:{}", socket.display());
    let mut command = Command::new(program());
    command.args(["drop", "serve"]).arg(&town.home).args(["--listen", &listen]);
    let server = DropServer::start(command);
    assert_eq!(server.address, listen);
    let tor = Tor::start(testnet, &place.path().join("tor"), &listen);
    tor.wait();

    let file = town.work.path().join("survey \u{202e}fdp.txt");
    fs::write(&file, "two metres below the spillway ".repeat(40_000)).unwrap();
    let browser = Browser::without_scripts_through(&tor.socks);
    browser.open(&format!("{}/en/", tor.onion));
    browser.press("form[action='/en/new'] button");
    let words = browser.text(".codename");
    assert_eq!(words.split_whitespace().count(), 10, "{words}");
    browser.press("form[action='/en/kept'] button");
    browser.write("#text", "The east wall is wet.");
    browser.write("#file", &file.display().to_string());
    browser.press("form[action='/en/send'] button");
    let said = browser.text("main");
    assert!(said.contains("1 texts and 1 files"), "{said}");
    browser.press("form[action='/en/logout'] button");
    assert!(browser.text("h1").contains("logged out"));

    // The newsroom takes the envelopes away on a stick, and answers on it.
    let stick = town.work.path().join("stick");
    let at = |path: &Path| path.to_str().unwrap().to_owned();
    crate::support::daylight(["drop", "export", &at(&town.home), &at(&stick)]).code(0);
    let list: serde_json::Value = serde_json::from_slice(&fs::read(stick.join("outbox/list")).unwrap()).unwrap();
    let envelopes = list["envelopes"].as_array().unwrap();
    let opened: Vec<_> =
        envelopes.iter().map(|one| town.open_bytes(&fs::read(stick.join("outbox").join(one["id"].as_str().unwrap())).unwrap())).collect();
    assert!(opened.iter().any(|(_, body, _)| body == b"The east wall is wet."));
    assert!(opened.iter().any(|(head, body, _)| head.name == "survey \u{202e}fdp.txt".as_bytes() && body == &fs::read(&file).unwrap()));
    let reply = town.reply(&opened[0].0, 1, "Thank you. Which east wall?");
    let inbox = stick.join("inbox");
    fs::create_dir_all(inbox.join("reply")).unwrap();
    let lookup = envelopes[0]["lookup"].as_str().unwrap();
    fs::write(inbox.join("reply").join(format!("{lookup}.{}", Digest::of(&reply))), &reply).unwrap();
    let done: String = envelopes.iter().map(|one| format!("{}\n", one["id"].as_str().unwrap())).collect();
    fs::write(inbox.join("done"), done).unwrap();
    server.kill();
    crate::support::daylight(["drop", "apply", &at(&town.home), &at(&stick)]).code(0);
    let mut command = Command::new(program());
    command.args(["drop", "serve"]).arg(&town.home).args(["--listen", &listen]);
    let server = DropServer::start(command);

    browser.open(&format!("{}/de/login", tor.onion));
    browser.write("#codename", &words);
    browser.press("form[action='/de/login'] button");
    let mailbox = browser.text("main");
    assert!(mailbox.contains("Thank you. Which east wall?"), "{mailbox}");
    browser.press("a[href='/de/delete']");
    browser.press("form[action='/de/delete'] button");
    assert!(browser.text("h1").contains("gelöscht"));
    for folder in ["envelope", "reply", "source", "incoming"] {
        assert_eq!(fs::read_dir(town.home.join(folder)).unwrap().count(), 0, "{folder}");
    }
    drop(server);
}
