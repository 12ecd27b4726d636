//! Signing keys on disk: the text form of Go's `sumdb/note` (`PRIVATE+KEY+<name>+<id>+<base64>`), alone in a file of mode 0600 or inside an armored
//! age file with a passphrase, which `age -d` opens too. Beside it stands `FILE.pub` with the public key's text, which is no secret.

use age::secrecy::SecretString;
use daylight_archive::key::{Key, Signer};
use ed25519_dalek::SigningKey;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use zeroize::Zeroizing;

/// A passphrase, wiped from memory when it is dropped.
pub type Passphrase = Zeroizing<String>;

/// More than any key file has.
const LONGEST: u64 = 64 * 1024;

/// The work factor of scrypt (log2 N) for new files: what `age -p` uses, 256 MiB and about a second.
const WORK: u8 = if cfg!(test) { 8 } else { 18 };

/// The largest work factor accepted from a file: 1 GiB of memory.
const MOST_WORK: u8 = 20;

const PLAIN: &str = "PRIVATE+KEY+";
const ARMORED: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const BINARY: &str = "age-encryption.org/v1";

/// Why a signing key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or its public half exists.
    #[error("{0} exists already; a key is never overwritten, so give another name")]
    Exists(PathBuf),
    /// The name cannot stand in a signature line.
    #[error("\"{0}\" cannot be a key's name: it may not be empty or hold spaces, control characters or a plus sign")]
    BadName(String),
    /// The file is of another sort.
    #[error("{path} is not a signing key: {why}")]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as can be told.
        why: &'static str,
    },
    /// It is encrypted and no passphrase was given.
    #[error("{0} is encrypted with a passphrase; give it with --passphrase-file or run this on a terminal")]
    NeedsPassphrase(PathBuf),
    /// The passphrase does not open it.
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(PathBuf),
    /// It was encrypted so that opening it takes more than 1 GiB of memory.
    #[error("{0} asks for more work to open than daylight does; open it with \"age -d\" and encrypt it anew")]
    TooMuchWork(PathBuf),
    /// No randomness was to be had from the operating system.
    #[error("the operating system gave no random bytes: {0}")]
    NoRandomness(String),
    /// The disk.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// A private Ed25519 key with its name, read from or written to a file.
pub struct SigningKeyFile {
    signer: Signer,
    path: PathBuf,
    exposed: bool,
}

impl SigningKeyFile {
    /// Makes a key and writes it to `path`, and its public key to `path` with `.pub` added. Neither may exist.
    pub fn create(path: &Path, name: &str, passphrase: Option<&Passphrase>) -> Result<Self, KeyError> {
        Self::create_as(path, name, passphrase, Signer::key)
    }

    /// Makes a witness's key: the file is of the same form, and its public key is one of type 0x04.
    pub fn create_witness(path: &Path, name: &str, passphrase: Option<&Passphrase>) -> Result<Self, KeyError> {
        Self::create_as(path, name, passphrase, Signer::cosigner_key)
    }

    fn create_as(path: &Path, name: &str, passphrase: Option<&Passphrase>, public_of: impl Fn(&Signer) -> Key) -> Result<Self, KeyError> {
        let public = public_path(path);
        for file in [path, &public] {
            if file.symlink_metadata().is_ok() {
                return Err(KeyError::Exists(file.to_owned()));
            }
        }
        let signer = named(name, new_secret()?)?;
        match passphrase {
            None => write_new(path, line(&signer).as_bytes(), 0o600)?,
            Some(passphrase) => write_new(path, encrypt(path, line(&signer).as_bytes(), passphrase)?.as_bytes(), 0o600)?,
        }
        write_new(&public, format!("{}\n", public_of(&signer)).as_bytes(), 0o644)?;
        Ok(Self { signer, path: path.to_owned(), exposed: false })
    }

    /// Reads a key. `passphrase` is asked only if the file is encrypted; `None` from it means that there is nobody to ask.
    pub fn read(path: &Path, passphrase: &mut dyn FnMut(&Path) -> Option<Passphrase>) -> Result<Self, KeyError> {
        let (content, mode) = read_bounded(path)?;
        let not = |why| KeyError::NotAKey { path: path.to_owned(), why };
        let text = match Form::of(&content) {
            Form::Plain => content,
            Form::Encrypted => {
                let passphrase = passphrase(path).ok_or_else(|| KeyError::NeedsPassphrase(path.to_owned()))?;
                decrypt(path, &content, &passphrase)?
            }
            Form::Public => return Err(not("it holds the public half; give the private file, without .pub")),
            Form::Empty => return Err(not("it is empty")),
            Form::Other => return Err(not("it holds neither a private key's text nor an age file")),
        };
        let text = std::str::from_utf8(&text).map_err(|_| not("it is not text"))?;
        let signer = Signer::from_text(text.trim_end()).map_err(|_| not("its private key's text is damaged"))?;
        Ok(Self { signer, path: path.to_owned(), exposed: mode & 0o077 != 0 })
    }

    /// Reads the key at `path`, or makes one named as `name` says of its public key if there is none yet: the log's key, which is made by itself.
    pub(crate) fn read_or_create(path: &Path, name: impl Fn(&[u8; 32]) -> String) -> Result<Self, KeyError> {
        // A file without a byte is what a crash between creating and writing leaves; no key was ever used from it.
        let length = path.symlink_metadata().map(|m| m.len());
        match length {
            Ok(0) => std::fs::remove_file(path).map_err(|e| KeyError::Io(path.to_owned(), e))?,
            Ok(_) => return Self::read(path, &mut |_| None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(KeyError::Io(path.to_owned(), error)),
        }
        let secret = new_secret()?;
        let signer = named(&name(secret.verifying_key().as_bytes()), secret)?;
        write_new(path, line(&signer).as_bytes(), 0o600)?;
        Ok(Self { signer, path: path.to_owned(), exposed: false })
    }

    /// What signs with it.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Its public half.
    pub fn key(&self) -> Key {
        self.signer.key()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to tell the user if others on this machine can read the file, and nothing if they cannot.
    pub fn warning(&self) -> Option<String> {
        self.exposed.then(|| format!("{} can be read by others on this machine; run: chmod 600 {0}", self.path.display()))
    }
}

/// A key that is used once and kept nowhere.
pub(crate) fn fresh(name: &str) -> Result<Signer, KeyError> {
    named(name, new_secret()?)
}

/// A new secret from the operating system's randomness; the key wipes itself when it is dropped.
fn new_secret() -> Result<SigningKey, KeyError> {
    let mut seed = Zeroizing::new([0u8; 32]);
    getrandom::fill(seed.as_mut()).map_err(|e| KeyError::NoRandomness(e.to_string()))?;
    Ok(SigningKey::from_bytes(&seed))
}

fn named(name: &str, secret: SigningKey) -> Result<Signer, KeyError> {
    Signer::new(name, secret).map_err(|_| KeyError::BadName(name.to_owned()))
}

fn line(signer: &Signer) -> Zeroizing<String> {
    let text = signer.to_text();
    // As long as it will get: a string that grows leaves a copy of the secret behind.
    let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
    line.push_str(&text);
    line.push('\n');
    line
}

/// Where the public half of the key at `path` stands.
pub fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

/// What a file seems to hold.
enum Form {
    Plain,
    Encrypted,
    Public,
    Empty,
    Other,
}

impl Form {
    fn of(content: &[u8]) -> Self {
        let starts = |with: &str| content.starts_with(with.as_bytes());
        match std::str::from_utf8(content) {
            _ if content.is_empty() => Form::Empty,
            _ if starts(PLAIN) => Form::Plain,
            _ if starts(ARMORED) || starts(BINARY) => Form::Encrypted,
            Ok(text) if Key::from_str(text.trim_end()).is_ok() => Form::Public,
            _ => Form::Other,
        }
    }
}

fn read_bounded(path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32), KeyError> {
    let io = |e| KeyError::Io(path.to_owned(), e);
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.mode();
    // Room for the whole beforehand: a vector that grows leaves copies of the secret behind.
    let mut content = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_end(&mut content).map_err(io)?;
    Ok((content, mode))
}

/// Writes a file that must not exist yet, in one write, and makes it last.
fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), KeyError> {
    let io = |e: io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => KeyError::Io(path.to_owned(), e),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(io)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // A full disk, say: half a key is of use to nobody and would stand in the way of the next try.
        let _ = std::fs::remove_file(path);
        return Err(io(error));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    daylight_durable::sync_dir(folder).map_err(io)
}

fn encrypt(path: &Path, text: &[u8], passphrase: &Passphrase) -> Result<String, KeyError> {
    let mut recipient = age::scrypt::Recipient::new(secret(passphrase));
    recipient.set_work_factor(WORK);
    age::encrypt_and_armor(&recipient, text).map_err(|e| KeyError::Io(path.to_owned(), io::Error::other(e.to_string())))
}

fn decrypt(path: &Path, content: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut identity = age::scrypt::Identity::new(secret(passphrase));
    identity.set_max_work_factor(MOST_WORK);
    age::decrypt(&identity, content).map(Zeroizing::new).map_err(|error| match error {
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => KeyError::WrongPassphrase(path.to_owned()),
        age::DecryptError::ExcessiveWork { .. } => KeyError::TooMuchWork(path.to_owned()),
        age::DecryptError::NoMatchingKeys => {
            KeyError::NotAKey { path: path.to_owned(), why: "it is an age file, but not one encrypted with a passphrase" }
        }
        _ => KeyError::NotAKey { path: path.to_owned(), why: "it is a damaged age file" },
    })
}

fn secret(passphrase: &Passphrase) -> SecretString {
    SecretString::from(passphrase.as_str())
}

#[cfg(test)]
mod tests;
