//! Trustees' words: handed out as files or on the terminal, read back from either.

use crate::output::{count, say};
use anyhow::{Context, Error, Result, anyhow, bail};
use daylight_envelope::FromSharesError;
use daylight_envelope::slip39::{CombineError, Share};
use daylight_publish::Sealed;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{IsTerminal, Read, Write, stdin, stdout};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// More than any file of words has.
const LONGEST: u64 = 64 << 10;
/// How many words stand on a line.
const ON_A_LINE: usize = 11;
/// Clears a terminal, and what can be scrolled back to.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Where the words go.
pub(super) enum Place {
    Folder(PathBuf),
    Terminal,
}

impl Place {
    /// The words must not lie beside what they open, nor over others.
    pub(super) fn of(folder: Option<&Path>, sealed: &Path, json: bool) -> Result<Self> {
        let Some(folder) = folder else {
            if json || !stdin().is_terminal() || !stdout().is_terminal() {
                bail!("there is no terminal to show the trustees' words on, one after the other: name a folder for them with --words-dir");
            }
            return Ok(Self::Terminal);
        };
        if !folder.exists() {
            DirBuilder::new().mode(0o700).create(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let unread = || format!("cannot read {}", folder.display());
        if fs::read_dir(folder).with_context(unread)?.next().is_some() {
            bail!("{} is not empty, and words of another seal may be in it: name an empty folder", folder.display());
        }
        let beside = sealed.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beside = fs::canonicalize(beside).with_context(|| format!("cannot find {}", beside.display()))?;
        if beside.starts_with(fs::canonicalize(folder).with_context(unread)?) {
            bail!("the words would lie beside the file that they open: name another folder with --words-dir, best on another medium");
        }
        Ok(Self::Folder(folder.to_owned()))
    }

    /// Hands the shares out: a file for each, whose paths are given, or one after the other on the terminal.
    pub(super) fn hand_out(&self, sealed: &Sealed) -> Result<Vec<PathBuf>> {
        let all = sealed.shares.len();
        let mut written = Vec::new();
        for share in &sealed.shares {
            let text = page(sealed, share, all);
            match self {
                Self::Folder(folder) => {
                    let path = folder.join(format!("share-{}-of-{all}.txt", share.number()));
                    write_new(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
                    written.push(path);
                }
                Self::Terminal => shown(&text)?,
            }
        }
        if let Self::Folder(folder) = self {
            File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("cannot write {}", folder.display()))?;
        }
        Ok(written)
    }
}

/// What one trustee gets. It says nothing of what is sealed: a share may be found by anybody.
fn page(sealed: &Sealed, share: &Share, all: usize) -> Zeroizing<String> {
    let needed = share.threshold();
    let day = sealed.approved.time_text();
    let words = share.words();
    let mut text = Zeroizing::new(String::with_capacity(2048 + words.len()));
    text.push_str(&format!(
        "# Share {} of {all} of the key to a sealed file. Any {needed} of them open it; fewer say nothing of it.\n\
         # Whoever has {needed} of them and the file can read it. Keep this one apart from the file and from the others.\n\
         # The file's SHA-256: {}, sealed on {}\n\
         # To open it: daylight unseal FILE --to DIR --words SHARE, the last once for each share.\n\
         # Without daylight: put the shares together with any program for SLIP-39, with no passphrase; the secret that comes out, in hexadecimal, is the\n\
         # passphrase of the file, which is an age file (age-encryption.org) with a tar file in it.\n",
        share.number(),
        sealed.sha256,
        &day[..10],
    ));
    for (at, word) in words.split(' ').enumerate() {
        text.push_str(if at == 0 {
            ""
        } else if at % ON_A_LINE == 0 {
            "\n"
        } else {
            " "
        });
        text.push_str(word);
    }
    text.push('\n');
    text
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn shown(text: &str) -> Result<()> {
    say!("{CLEAR}{text}")?;
    say!("write this down for one trustee, then press Enter: it is shown once")?;
    stdin().read_line(&mut String::new())?;
    say!("{CLEAR}")
}

/// The shares in these files, and the files' names.
pub(super) fn read(files: &[PathBuf]) -> Result<(Vec<String>, Vec<Share>)> {
    let mut shares = Vec::new();
    for path in files {
        let unread = || format!("cannot read {}", path.display());
        let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
        File::open(path).with_context(unread)?.take(LONGEST).read_to_string(&mut text).with_context(unread)?;
        shares.push(parse(&text).with_context(|| path.display().to_string())?);
    }
    Ok((files.iter().map(|path| path.display().to_string()).collect(), shares))
}

/// Lines that begin with `#` are for people.
fn parse(text: &str) -> Result<Share> {
    let mut words = Zeroizing::new(String::with_capacity(text.len()));
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        words.push_str(line);
        words.push(' ');
    }
    Ok(Share::parse(&words)?)
}

/// Shares that people type, until there are enough.
pub(super) fn asked() -> Result<(Vec<String>, Vec<Share>)> {
    if !stdin().is_terminal() {
        bail!("name the files with the trustees' words with --words, or run this on a terminal to type them");
    }
    let (mut names, mut shares) = (Vec::new(), Vec::<Share>::new());
    loop {
        let needed = shares.first().map_or(1, |share| usize::from(share.threshold()));
        let have = shares.len();
        if have > 0 && have >= needed {
            return Ok((names, shares));
        }
        let of = if have == 0 { String::new() } else { format!(" of {needed}") };
        let prompt = format!("words of trustee {}{of} (they are not shown), then Enter: ", have + 1);
        let line = Zeroizing::new(rpassword::prompt_password(prompt)?);
        match parse(&line) {
            Ok(share) if shares.contains(&share) => say!("these words were given already")?,
            Ok(share) => {
                names.push(format!("the words of trustee {}", have + 1));
                shares.push(share);
            }
            Err(error) => say!("{error}")?,
        }
    }
}

/// Why shares do not give a key, with their names in place of their numbers.
pub(super) fn named(error: &FromSharesError, names: &[String]) -> Error {
    match error {
        FromSharesError::Combine(CombineError::OtherSet(place)) => {
            anyhow!("{}: these words belong to another key than the others", names[*place])
        }
        FromSharesError::Combine(CombineError::Twice(one, other)) => {
            anyhow!("{} and {} say that they are the same share, but differ: one of them is wrong", names[*one], names[*other])
        }
        FromSharesError::Combine(CombineError::TooFew { given, needed }) => {
            let given = count(*given as u64, "share");
            let were = if given.starts_with("1 ") { "was" } else { "were" };
            anyhow!("{given} {were} given, and {needed} are needed")
        }
        _ => anyhow!("{error}"),
    }
}
