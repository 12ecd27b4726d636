//! `kill -9`, full disks and files that are too large.

use super::*;

fn with(variable: &str, value: &str, line: &[&str]) -> Spoken {
    Command::new(program()).args(line).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
}

/// Where to die: at the first and the last time that each step is reached.
fn deaths(log: &Path) -> BTreeSet<String> {
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    for name in fs::read_to_string(log).unwrap().lines() {
        *steps.entry(name.to_owned()).or_default() += 1;
    }
    steps.iter().flat_map(|(name, count)| [format!("{name}:1"), format!("{name}:{count}")]).collect()
}

/// Kills an export into a new place, and one onto an earlier state, at every step, and runs it again: the bytes are those of an undisturbed run.
fn killed(format: &str, name: &str, fewest: usize) {
    let mut publisher = Publisher::new();
    let begun = publisher.at("begun");
    fs::create_dir(&begun).unwrap();
    let line = |archive: &Path, all: &Path| ["export", path(archive), "--to", path(&all.join(name)), "--format", format].map(str::to_owned);
    daylight(line(&publisher.archive(), &begun)).code(0);
    publisher.publish();
    let (whole, log) = (publisher.at("whole"), publisher.at("log"));
    fs::create_dir(&whole).unwrap();
    let arguments = line(&publisher.archive(), &whole);
    with("DAYLIGHT_CRASH_LOG", path(&log), &arguments.each_ref().map(String::as_str)).code(0);
    let undisturbed = files(&whole);
    let deaths = deaths(&log);
    assert!(deaths.len() >= fewest, "{deaths:?}");
    for (number, death) in deaths.iter().enumerate() {
        for earlier in [false, true] {
            let all = publisher.at(&format!("{number}-{earlier}"));
            if earlier {
                copy(&begun, &all)
            } else {
                fs::create_dir(&all).unwrap()
            }
            let arguments = line(&publisher.archive(), &all);
            let died = with("DAYLIGHT_CRASH_AT", death, &arguments.each_ref().map(String::as_str));
            // Less is written onto an earlier state, so that a step may not be reached as often.
            assert!(died.code.is_none() || (earlier && died.code == Some(0)), "{death}: {died:?}");
            daylight(&arguments).code(0);
            let mut now = files(&all);
            if earlier {
                // The narrower tiles of the log's earlier size may stay.
                now.retain(|name, _| undisturbed.contains_key(name) || !name.contains("archive/tile/"));
            }
            let differing: Vec<_> = undisturbed.keys().chain(now.keys()).filter(|name| undisturbed.get(*name) != now.get(*name)).collect();
            assert!(differing.is_empty(), "killed at {death}, these differ: {differing:?}");
            fs::remove_dir_all(&all).unwrap();
        }
    }
}

#[test]
fn a_copy_killed_at_any_step_and_made_again_is_the_same() {
    killed("copy", "stick", 7);
}

#[test]
fn a_bag_killed_at_any_step_and_made_again_is_the_same() {
    killed("bagit", "bag", 7);
}

#[test]
fn torrents_killed_at_any_step_and_made_again_are_the_same() {
    killed("torrent", "torrents", 4);
}

#[test]
fn a_tar_file_killed_at_any_step_and_made_again_is_the_same() {
    killed("copy", "x.tar", 4);
}

#[test]
fn a_tar_file_unpacks_to_a_copy_that_is_verified() {
    let work = workplace();
    let (file, out) = (work.path().join("x.tar"), work.path().join("out"));
    exported(&demo().join("archive"), &file, &[]);
    fs::create_dir(&out).unwrap();
    let unpacked = Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&out).output().unwrap();
    assert!(unpacked.status.success() && unpacked.stderr.is_empty(), "{unpacked:?}");
    let copy = out.join("daylight/archive");
    daylight(["verify", path(&copy), "--root", path(&out.join("daylight/root.json"))]).code(0);
    assert!(files(&copy) == files(&demo().join("archive")));
}

/// A small disk of its own, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let disk = Self(path);
        disk.run(&format!("size={size}")).then_some(disk)
    }

    fn run(&self, options: &str) -> bool {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(&self.0).stderr(Stdio::null()).status();
        mount.is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).stderr(Stdio::null()).status();
    }
}

#[test]
fn a_full_disk_is_said_and_the_copy_goes_on_when_there_is_room() {
    let (work, archive) = (workplace(), demo().join("archive"));
    for name in ["stick", "x.tar"] {
        let Some(small) = SmallDisk::mount(work.path().join(format!("small-{name}")), "1m") else {
            return skip("no right to mount a small disk");
        };
        let to = small.0.join(name);
        refused(&archive, &to, &[], "no space is left");
        assert!(!to.join("archive/checkpoint").exists() && !to.is_file());
        if small.run("remount,size=100m") {
            exported(&archive, &to, &[]);
        }
        if to.is_dir() {
            daylight(["verify", path(&to.join("archive"))]).code(0);
        }
    }
}

#[test]
fn a_file_that_is_too_large_for_the_file_system_is_said_to_be() {
    let work = workplace();
    let (archive, to) = (demo().join("archive"), work.path().join("stick"));
    // A limit of the shell's does what FAT32 does from 4 GiB on.
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" export \"$1\" --to \"$2\"";
    let said: Spoken = Command::new("sh").args(["-c", script]).args([program(), &archive, &to]).output().unwrap().into();
    let said = said.code(1);
    assert!(said.stderr.contains("FAT32 holds files of less than 4 GiB") && said.stderr.lines().count() == 1, "{said:?}");
}
