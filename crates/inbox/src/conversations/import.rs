use super::files::FileParts;
use crate::error::random;
use crate::inbox::{Held, Inbox};
use crate::sealed::{hex, read};
use crate::{Error, Result};
use daylight_model::Digest;
use rusqlite::OptionalExtension as _;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The longest name of a file on disk, in bytes; ext4 has 255.
const MAX_NAME: usize = 200;

/// Files and texts of a conversation in the clear, in `DESK/inbox/import/<token>`, for `ingest` to read. They are removed when this is dropped, and, after a crash, by whoever
/// opens the inbox next.
pub struct Imported {
    /// The folder.
    pub folder: PathBuf,
    /// The random name that stands in the paths of the documents that come of it.
    pub token: String,
    /// How many files there are, and their bytes; texts are not among them.
    pub files: (u64, u64),
    /// How many texts there are.
    pub texts: u64,
    /// Files that were left out because parts of them are missing, or because they may be somebody else's.
    pub left_out: Vec<FileParts>,
    /// How many texts were left out because they may be somebody else's.
    pub texts_left_out: u64,
}

impl Drop for Imported {
    fn drop(&mut self) {
        // Where this fails the next opening removes it, and says why it cannot.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Inbox {
    /// Writes the whole files of a conversation into a folder of the desk, and where `texts` says so what the source wrote, each message as a file `message-N.txt`. Doubtful
    /// ones only where `doubtful` says so.
    pub fn unpack(&mut self, _held: &Held, beginning: &str, (doubtful, texts): (bool, bool)) -> Result<Imported> {
        let known = self.known(beginning)?;
        let key = self.storage_key(&known)?;
        let whole = self.read(beginning)?;
        let token = hex(&random::<8>()?);
        let folder = self.root.join("import").join(&token);
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(Error::io(&folder))?;
        let mut imported = Imported { folder: folder.clone(), token, files: (0, 0), texts: 0, left_out: Vec::new(), texts_left_out: 0 };
        for (number, file) in (1u64..).zip(whole.files) {
            if !file.is_whole() || (file.doubtful && !doubtful) {
                imported.left_out.push(file);
                continue;
            }
            self.write_out(&key, &folder.join(number.to_string()), &safe_name(&file.name), &file.names)?;
            imported.files = (imported.files.0 + 1, imported.files.1 + file.length);
        }
        let said = whole.messages.iter().filter(|message| texts && !message.outgoing);
        for (number, message) in (1u64..).zip(said) {
            if message.doubtful && !doubtful {
                imported.texts_left_out += 1;
                continue;
            }
            let name = format!("message-{number}.txt");
            self.write_out(&key, &folder.join(format!("text-{number}")), name.as_bytes(), std::slice::from_ref(&message.name))?;
            imported.texts += 1;
        }
        Ok(imported)
    }

    /// Writes what was sealed under these names into one file, in a folder of its own, so that no name can meet another.
    fn write_out(&self, key: &[u8; 32], place: &Path, name: &[u8], sealed: &[String]) -> Result<()> {
        fs::DirBuilder::new().mode(0o700).create(place).map_err(Error::io(place))?;
        let path = place.join(std::ffi::OsStr::from_bytes(name));
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(Error::io(&path))?;
        let mut out = BufWriter::new(out);
        for name in sealed {
            let mut part = read(&self.root, key, name)?;
            io::copy(&mut part.body, &mut out).map_err(Error::io(&path))?;
        }
        out.flush().map_err(Error::io(&path))
    }

    /// Notes that the documents under a folder's name came from a conversation, before they are read in.
    pub fn link(&mut self, _held: &Held, beginning: &str, token: &str) -> Result<()> {
        let known = self.known(beginning)?;
        self.connection.execute("INSERT OR REPLACE INTO link (token, conversation) VALUES (?1, ?2)", (token, known.n))?;
        Ok(())
    }

    /// Takes away what links documents to a conversation. Gives how many imports there were.
    pub fn unlink(&mut self, _held: &Held, beginning: &str) -> Result<usize> {
        let known = self.known(beginning)?;
        Ok(self.connection.execute("DELETE FROM link WHERE conversation = ?1", [known.n])?)
    }

    /// The conversation from which a document came, by the path of the trove it was found at.
    pub fn conversation_of(&self, path: &[u8]) -> Result<Option<Digest>> {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let place = parts.windows(3).find(|parts| parts[0] == b"inbox" && parts[1] == b"import");
        let Some(token) = place.and_then(|parts| std::str::from_utf8(parts[2]).ok()) else { return Ok(None) };
        let sql = "SELECT id FROM link JOIN conversation ON conversation.n = link.conversation WHERE token = ?1";
        let found = self.connection.prepare_cached(sql)?.query_row([token], |row| row.get::<_, [u8; 32]>(0)).optional()?;
        Ok(found.map(Digest))
    }
}

/// A name that is one part of a path and nothing else: what a source says may climb, end early, or be as long as it likes. The name as it was said stays with the message.
fn safe_name(said: &[u8]) -> Vec<u8> {
    let last = said.rsplit(|byte| *byte == b'/' || *byte == b'\\').find(|part| !part.is_empty()).unwrap_or_default();
    let mut name: Vec<u8> = last.iter().copied().filter(|byte| *byte != 0).collect();
    if name.len() > MAX_NAME {
        // The end is kept, for a reader guesses a type from it.
        let end = name.split_off(name.len() - 20);
        name.truncate(MAX_NAME - 20);
        name.extend(end);
    }
    if name.is_empty() || name == b"." || name == b".." { b"file".to_vec() } else { name }
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn no_name_leaves_its_folder() {
        let cases: [(&[u8], &[u8]); 10] = [
            (b"plan.pdf", b"plan.pdf"),
            (b"../../etc/passwd", b"passwd"),
            (b"/", b"file"),
            (b"..", b"file"),
            (b"a/..", b"file"),
            (b"", b"file"),
            (b"\0\0", b"file"),
            (b"C:\\x\\y.doc", b"y.doc"),
            (b"a\nb", b"a\nb"),
            ("\u{202e}fdp.exe".as_bytes(), "\u{202e}fdp.exe".as_bytes()),
        ];
        for (said, safe) in cases {
            assert_eq!(safe_name(said), safe, "{said:?}");
        }
        let long = [&[b'a'; 5000][..], b".pdf"].concat();
        assert!(safe_name(&long).len() == 200 && safe_name(&long).ends_with(b".pdf"));
    }
}
