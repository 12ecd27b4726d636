//! A zip whose entries are the parts of one document, reached by name: an office document.

use super::directory::{Directory, Entry, Packing};
use super::{Counts, Packed, Stretch, TOOL, Unpacking, Zip, unpacked};
use crate::document::Inside;
use crate::output::Output;
use daylight_model::reading::{Input, Stop};
use std::collections::HashMap;
use std::io::{self, Read};

/// Parts beyond this many are not known.
const MOST: usize = 100_000;

/// The parts of an office document.
pub(crate) struct Package<'a> {
    input: &'a (dyn Input + 'a),
    directory: Directory,
    parts: Vec<Entry>,
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    /// There may be more parts than are known.
    pub(crate) torn: bool,
    /// Its bytes do not stand in a document: those of its children follow.
    apart: bool,
}

impl<'a> Package<'a> {
    /// Reads the directory, or says that there is none.
    pub(crate) fn open(input: &'a (dyn Input + 'a)) -> io::Result<Option<Self>> {
        let Some(mut directory) = Directory::find(input)? else { return Ok(None) };
        let (mut parts, mut torn) = (Vec::new(), false);
        loop {
            torn = torn || parts.len() == MOST;
            if torn {
                break;
            }
            match directory.next(input) {
                Ok(Some(entry)) => parts.push(entry),
                Ok(None) => break,
                Err(_) => torn = true,
            }
        }
        let names: Vec<String> = parts.iter().map(|part| String::from_utf8_lossy(&part.name).replace('\\', "/")).collect();
        let by_name = names.iter().enumerate().rev().map(|(number, name)| (name.to_ascii_lowercase(), number)).collect();
        Ok(Some(Self { input, directory, parts, names, by_name, torn, apart: false }))
    }

    /// The same of bytes that are not the document's own, but what came of them.
    pub(crate) fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// The names of all parts, in the order of the zip.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of the part of this name, whatever its case.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// Whether a part has no bytes and the name of a folder.
    pub(crate) fn is_folder(&self, number: usize) -> bool {
        self.parts[number].name.ends_with(b"/") && self.parts[number].packed == 0
    }

    /// The bytes of a part, unpacked as they are read.
    pub(crate) fn part(&self, number: usize) -> io::Result<Box<dyn Read + 'a>> {
        let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
        let entry = &self.parts[number];
        if entry.secret.is_some() {
            return Err(bad("it is encrypted"));
        }
        let start = self.directory.data(self.input, entry)?;
        let start = start.filter(|start| start.checked_add(entry.packed).is_some_and(|end| end <= self.input.length()));
        let start = start.ok_or_else(|| bad("its bytes are not where the zip says"))?;
        let packed = Box::new(Packed { stretch: Stretch { input: self.input, start, length: entry.packed }, at: 0 });
        match entry.packing {
            Packing::Other(_) => Err(bad("its compression is not one that is read")),
            packing => Ok(unpacked(packing, entry.unpacked, packed)),
        }
    }

    /// Has some of the parts read as documents of their own that stand in document `index`.
    pub(crate) fn children(
        self,
        out: &mut Output<'_>,
        index: u32,
        depth: u32,
        inside: &dyn Inside,
        is_child: impl Fn(usize) -> bool,
    ) -> Result<(), Stop> {
        let unpacking = Unpacking::new(index, TOOL, inside);
        let mut reading = Zip {
            index,
            depth,
            apart: self.apart,
            input: self.input,
            counts: Counts::default(),
            links: 0,
            opened: Vec::new(),
            claimed: 0,
            unpacking,
        };
        for (number, entry) in self.parts.into_iter().enumerate() {
            if is_child(number) && !reading.unpacking.spent_out {
                reading.entry(out, &self.directory, entry, number as u64, false)?;
            }
        }
        Ok(())
    }
}
