//! What `deploy/` and docs/operate-a-drop.md tell an operator to copy and to type, held to the program and to each other. Nothing is started:
//! that the units run was tried by hand.

use crate::support::drop::{Town, Visitor};
use crate::support::{daylight, program, root, skip, tool, workplace};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const GUIDE: &str = "docs/operate-a-drop.md";

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The files of `deploy/` whose names are such.
fn deployed(is: impl Fn(&str) -> bool) -> Vec<String> {
    let names = fs::read_dir(root().join("deploy")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| is(name)).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

fn units() -> Vec<String> {
    deployed(|name| name.ends_with(".service") || name.ends_with(".timer"))
}

/// The values of a setting, in their order: of a unit's `Name=value`, or of a torrc's `Name value`.
fn values<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(['=', ' '])).collect()
}

/// The lines of a page's blocks of shell, with those joined that go on.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(""));
    blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_units_start_the_program_with_arguments_that_it_has() {
    for unit in units() {
        for line in values(&text(&format!("deploy/{unit}")), "ExecStart") {
            let line = line.strip_prefix("/usr/local/bin/daylight ").unwrap_or_else(|| panic!("{unit}: another program"));
            daylight(line.split(' ').chain(["--help"])).code(0);
        }
    }
}

#[test]
fn every_command_of_the_guide_is_one_that_the_program_has() {
    // What is before the program's name on a line is left out, and nothing but the help is ever run.
    let rules = "daylight() { \"$PROGRAM\" \"$@\" --help >/dev/null; }\nrunuser() { shift 3; \"$@\"; }\ncat() { echo x; }\n";
    let lines = commands(&text(GUIDE));
    let ours: Vec<_> =
        lines.iter().filter(|line| line.starts_with("daylight ") || line.starts_with("runuser -u daylight-drop -- daylight ")).collect();
    assert!(ours.len() >= 3, "{lines:?}");
    for line in ours {
        let ran = Command::new("sh").args(["-c", &format!("{rules}{line}")]).env("PROGRAM", program()).output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn the_guide_copies_what_there_is_and_paths_agree() {
    let (guide, drop, torrc) = (text(GUIDE), text("deploy/daylight-drop.service"), text("deploy/torrc.drop"));
    for word in guide.split(|c: char| c.is_whitespace() || "`()<>;".contains(c)).filter(|word| word.starts_with("deploy/")) {
        let name = word.trim_end_matches(['.', ',', ':']);
        assert!(root().join(name).exists(), "{name} is named and is not there");
    }
    deployed(|_| true).iter().for_each(|name| assert!(guide.contains(&format!("deploy/{name}")), "deploy/{name} is nowhere explained"));
    let listen = values(&torrc, "HiddenServicePort")[0].strip_prefix("80 ").unwrap();
    assert!(values(&drop, "ExecStart")[0].ends_with(&format!("--listen {listen}")));
    assert!(guide.contains(&format!("echo '{} rw,'", listen.strip_prefix("unix:").unwrap())), "tor's AppArmor profile");
    assert!(guide.contains(&format!("cat {}/hostname", values(&torrc, "HiddenServiceDir")[0])));
    let reader = (text("deploy/daylight-reader.service"), text("deploy/torrc.reader"));
    let port = values(&reader.1, "HiddenServicePort")[0].strip_prefix("80 ").unwrap();
    assert!(values(&reader.0, "ExecStart")[0].contains(&format!("--listen {port} ")));
}

/// Debian's tor opens a control socket for its group, which the drop has too so that tor reaches the drop's own: whoever took the drop over could ask tor for the
/// machine's address. So tor has none, and the drop sees none.
#[test]
fn nobody_on_the_machine_can_command_tor() {
    for name in deployed(|name| name.starts_with("torrc.")) {
        let torrc = text(&format!("deploy/{name}"));
        for off in ["SocksPort", "ControlPort", "ControlSocket"] {
            assert_eq!(values(&torrc, off), ["0"], "{name}: {off}");
        }
    }
    let drop = text("deploy/daylight-drop.service");
    // Its attendants are not told to end, which they would do in the midst of an upload; the house tells them.
    assert_eq!(values(&drop, "KillMode"), ["mixed"]);
    assert_eq!(values(&drop, "TemporaryFileSystem"), ["/run:ro"]);
    assert_eq!(values(&drop, "BindPaths"), ["/run/daylight-drop"]);
}

#[test]
fn systemd_takes_the_units_and_says_what_the_guide_says_of_them() {
    if !tool("systemd-analyze") {
        return;
    }
    let guide = text(GUIDE);
    for (unit, most) in [("daylight-drop.service", "0.5"), ("daylight-reader.service", "1.1")] {
        let place = workplace();
        let path = place.path().join(unit);
        fs::write(&path, text(&format!("deploy/{unit}")).replace("/usr/local/bin/daylight", program().to_str().unwrap())).unwrap();
        let said = analyze(&["verify", "--man=no"], &path);
        assert_eq!(said, (true, String::new()), "{unit}");
        assert!(guide.contains(&format!("**{most}")), "the guide says another number of {unit}");
        let threshold = format!("--threshold={}", most.replace('.', "").trim_start_matches('0'));
        let version = Command::new("systemd-analyze").arg("--version").output().unwrap();
        if !version.stdout.starts_with(b"systemd 252 ") {
            return skip("the numbers are those of systemd 252");
        }
        let (well, said) = analyze(&["security", "--offline=true", "--no-pager", &threshold], &path);
        assert!(well, "{unit} has become more exposed than {most}: {said}");
    }
}

#[test]
fn systemd_takes_the_timer_that_collects() {
    if !tool("systemd-analyze") {
        return;
    }
    let place = workplace();
    for unit in deployed(|name| name.starts_with("daylight-collect.")) {
        let text = text(&format!("deploy/{unit}")).replace("/usr/local/bin/daylight", program().to_str().unwrap());
        fs::write(place.path().join(unit), text).unwrap();
    }
    for unit in ["daylight-collect.service", "daylight-collect.timer"] {
        assert_eq!(analyze(&["verify", "--man=no"], &place.path().join(unit)), (true, String::new()), "{unit}");
    }
}

/// The system calls of a unit's filter: of systemd's sets, those that are allowed, less those that are refused, and with what is allowed by name after them.
fn filter(unit: &str) -> BTreeSet<String> {
    let mut allowed = set("@default");
    for line in values(unit, "SystemCallFilter") {
        let (refused, names) = line.strip_prefix('~').map_or((false, line), |names| (true, names));
        let named: BTreeSet<String> = names.split(' ').flat_map(set).collect();
        if refused {
            allowed.retain(|call| !named.contains(call));
        } else {
            allowed.extend(named);
        }
    }
    allowed
}

/// The calls of one of systemd's sets, or the call of this name.
fn set(name: &str) -> BTreeSet<String> {
    if !name.starts_with('@') {
        return BTreeSet::from([name.to_owned()]);
    }
    let said = Command::new("systemd-analyze").args(["syscall-filter", "--no-pager", name]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#') && *line != name);
    lines.flat_map(set).collect()
}

#[test]
fn a_drop_makes_no_system_call_that_its_unit_refuses() {
    if !tool("systemd-analyze") || !tool("strace") {
        return;
    }
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success()) {
        return skip("strace may not trace here");
    }
    let town = Town::new();
    let log = town.work.path().join("calls");
    let mut server = town.serve_with(&[], Some(&["strace", "-f", "-qq", "-o", log.to_str().unwrap()]));
    let mut visitor = Visitor::new(&server);
    let words = visitor.begin();
    visitor.send(&[("text", None, b"hello"), ("file", Some("f"), &[9; 300_000])]);
    visitor.login(&words);
    let page = visitor.get("/en/mailbox");
    let list = town.collect(&server, "POST", "/collect/list", &[], b"").json();
    let id = list["envelopes"][0]["id"].as_str().unwrap().to_owned();
    town.collect(&server, "GET", &format!("/collect/{id}"), &[], b"");
    town.collect(&server, "POST", "/collect/done", &[], id.as_bytes());
    visitor.post("/en/delete", &[("token", &page.token())]);
    server.child.end();
    let calls = fs::read_to_string(&log).unwrap();
    let named = calls.lines().filter_map(|line| {
        let call = line.split_once(' ')?.1.trim_start();
        call.split_once('(').map(|(name, _)| name).filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    });
    let made: BTreeSet<String> = named.map(str::to_owned).collect();
    assert!(made.contains("seccomp") && made.contains("landlock_restrict_self") && made.len() > 40, "{made:?}");
    let allowed = filter(&text("deploy/daylight-drop.service"));
    // A namespace of its own is refused there, which is reported and harms nothing, and with it the rights that it would give. The rest is how a program is started.
    let without = ["unshare", "capset", "execve"];
    let refused: Vec<_> = made.iter().filter(|call| !allowed.contains(*call) && !without.contains(&call.as_str())).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

fn analyze(how: &[&str], unit: &Path) -> (bool, String) {
    let ran = Command::new("systemd-analyze").args(how).arg(unit).output().unwrap();
    (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[test]
fn tor_takes_the_files_that_are_for_it() {
    if !tool("tor") {
        return;
    }
    for name in deployed(|name| name.starts_with("torrc.")) {
        let place = workplace();
        let data = place.path().join("tor");
        let torrc = place.path().join("torrc");
        fs::write(&torrc, text(&format!("deploy/{name}")).replace("/var/lib/tor", data.to_str().unwrap())).unwrap();
        let ran = Command::new("tor")
            .args(["--verify-config", "--defaults-torrc", "/dev/null", "-f"])
            .arg(&torrc)
            .arg("--DataDirectory")
            .arg(&data)
            .output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stdout));
    }
}

/// The desk's keys may be sealed under the machine's TPM, whose device is the group's: the guides say how its user comes into it, and the unit closes no device to them.
#[test]
fn the_unit_that_collects_reaches_the_tpm() {
    let unit = text("deploy/daylight-collect.service");
    for closes in ["PrivateDevices", "DevicePolicy", "PrivateUsers", "SupplementaryGroups"] {
        assert!(values(&unit, closes).is_empty(), "{closes}");
    }
    let collecting = text("docs/collecting.md");
    assert!(commands(&collecting).iter().any(|line| line == "adduser ana tss") && text(GUIDE).contains("group `tss`"));
    assert!(commands(&collecting).iter().any(|line| line == "daylight drop protect desk"));
}
