use crate::atomic::{folder_of, sync_dir};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// A file that only grows. What was appended is durable after [`sync`](Self::sync), and not before.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    length: u64,
}

impl AppendFile {
    /// Opens the file, or creates it empty, in which case its name is durable already.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = match options.clone().create_new(true).open(path) {
            Ok(new) => {
                sync_dir(folder_of(path))?;
                new
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path)?,
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds the bytes at the end and says at which offset they begin. After an error (a full disk) the file counts as long as before, and the
    /// next append writes over whatever part had arrived.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.length;
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(offset)
    }

    /// Makes everything appended so far durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Cuts a tail that a crash tore: the file ends at `length` from now on, durably. It is an error if the file is shorter than that, for then
    /// bytes are gone that somebody counts on.
    pub fn truncate_to(&mut self, length: u64) -> io::Result<()> {
        let found = self.file.metadata()?.len();
        if found < length {
            let message = format!("the file ends at byte {found}, where {length} bytes were written");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        if found > length {
            self.file.set_len(length)?;
            self.file.sync_all()?;
        }
        self.length = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::AppendFile;
    use std::fs;

    #[test]
    fn appends_tell_their_offsets_and_a_torn_tail_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let mut pack = AppendFile::open(&path).unwrap();
        assert!(pack.is_empty());
        assert_eq!((pack.append(b"one").unwrap(), pack.append(b"two").unwrap(), pack.len()), (0, 3, 6));
        pack.sync().unwrap();
        fs::write(&path, "onetwotor").unwrap();

        let mut pack = AppendFile::open(&path).unwrap();
        assert_eq!(pack.len(), 9);
        pack.truncate_to(6).unwrap();
        assert_eq!(pack.append(b"three").unwrap(), 6);
        assert_eq!(fs::read(&path).unwrap(), b"onetwothree");
        let refused = pack.truncate_to(100).unwrap_err().to_string();
        assert_eq!(refused, "the file ends at byte 11, where 100 bytes were written");
        assert_eq!(pack.len(), 11);
    }
}
