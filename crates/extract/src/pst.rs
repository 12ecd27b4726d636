//! Mail stores of Outlook: PST, and OST, which is the same but for who may open it ([MS-PST] 11.3). The store's trees are read by this crate, so that
//! a message which no folder lists is found too, and one that a folder lists but nobody can find is missed by number.
//!
//! Nothing in a store is a message as it was sent: each is rebuilt from what was kept of it, and says so.

mod disguise;
mod ltp;
mod ndb;
mod rebuild;
mod rtf;

use crate::document::{self, Doc, Inside, Resume};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use ltp::{Heap, Value};
use ndb::{Broken, Node, Store};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(crate) const TOOL: &str = "pst 1";
/// Of things that are missing so many are named one by one.
const NAMED: usize = 100;
/// Folders are named up to this depth.
const DEEPEST: usize = 32;

/// A folder's name beyond this many bytes is cut.
const LONGEST_FOLDER: usize = 255;

/// Messages that folders list beyond this many are not looked for.
const MOST_LISTED: usize = 10_000_000;

/// The last five bits of a node's number say what it is (2.2.2.1).
const FOLDER: u32 = 2;
const MESSAGE: u32 = 4;
const CONTENTS: u32 = 14;

/// The properties of a folder and its rows that are asked for.
const DISPLAY_NAME: u16 = 0x3001;
const CONTENT_COUNT: u16 = 0x3602;

/// Reads a mail store from the message with number `resume.start` on.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), resume: Resume, inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::Container, "application/vnd.ms-outlook-pst", "", input)?;
    let store = match Store::open(input) {
        Ok(store) if store.is_encrypted() => {
            let why = "its key is not in the file";
            return out.fault(index, Problem::new(Stage::Split, FaultCode::Encrypted, TOOL, why));
        }
        Ok(store) => store,
        Err(broken) => return out.fault(index, malformed(broken)),
    };
    let (nodes, broken) = store.all_nodes();
    let mut reading = Pst { index, depth, store: &store, nodes: &nodes, inside, expected: 0, read: 0, failed: 0, faults: 0 };
    for broken in broken {
        reading.say(out, malformed(broken))?;
    }
    reading.run(out, resume)
}

fn malformed(Broken(why, at): Broken) -> Problem {
    Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why).at(at)
}

struct Pst<'a> {
    index: u32,
    depth: u32,
    store: &'a Store<'a>,
    nodes: &'a BTreeMap<u32, Node>,
    inside: &'a dyn Inside,
    expected: u64,
    read: u64,
    failed: u64,
    faults: usize,
}

impl Pst<'_> {
    fn run(mut self, out: &mut Output<'_>, resume: Resume) -> Result<(), Stop> {
        let folders = self.folders(out)?;
        let messages = || self.nodes.values().filter(|node| node.id & 0x1f == MESSAGE);
        let listed: HashSet<u32> = folders.values().flat_map(|folder| folder.listed.iter().copied()).collect();
        self.expected += messages().filter(|node| !listed.contains(&node.id)).count() as u64;
        let mut missing: Vec<u32> = listed.into_iter().filter(|id| !self.nodes.contains_key(id)).collect();
        missing.sort_unstable();
        for id in missing {
            self.failed += 1;
            self.say(out, Problem::new(Stage::Split, FaultCode::Truncated, TOOL, format!("message {id} is listed, but not in the store")))?;
        }
        for node in self.nodes.values().filter(|node| node.id & 0x1f == MESSAGE) {
            if u64::from(node.id) < resume.start {
                self.read += 1;
            } else if !self.message(out, node, &folders, resume.skip_first && u64::from(node.id) == resume.start)? {
                break;
            }
        }
        if self.faults > NAMED {
            let why = format!("{} more faults are not named", self.faults - NAMED);
            out.fault(self.index, Problem::new(Stage::Split, FaultCode::TooMany, TOOL, why).limit(NAMED as u64))?;
        }
        out.counted(self.index, Some(self.expected), self.read, self.failed)
    }

    /// Says something of the store, unless much was said already.
    fn say(&mut self, out: &mut Output<'_>, problem: Problem) -> Result<(), Stop> {
        self.faults += 1;
        if self.faults <= NAMED { out.fault(self.index, problem) } else { Ok(()) }
    }

    /// Every folder with what its table of contents lists. Folders of searches list what stands in others.
    fn folders(&mut self, out: &mut Output<'_>) -> Result<HashMap<u32, Folder>, Stop> {
        let (mut folders, mut room) = (HashMap::new(), MOST_LISTED);
        for node in self.nodes.values().filter(|node| node.id & 0x1f == FOLDER) {
            let mut folder = Folder { parent: node.parent, ..Folder::default() };
            let id = node.id;
            match Heap::open(self.store, node).and_then(|heap| heap.properties()) {
                Ok(properties) => {
                    folder.name = rebuild::text(&properties, DISPLAY_NAME).unwrap_or_default().replace('/', "_");
                    folder.name.truncate(folder.name.floor_char_boundary(LONGEST_FOLDER));
                    if let Some(Value::Number(count)) = properties.get(&CONTENT_COUNT) {
                        folder.stated = u64::try_from(*count).unwrap_or(0);
                    }
                }
                Err(Broken(why, _)) => self.say(out, malformed(Broken(why, u64::from(id))))?,
            }
            if let Some(table) = self.nodes.get(&(id & !0x1f | CONTENTS)) {
                match Heap::open(self.store, table).and_then(|heap| heap.rows(&[])) {
                    Ok(rows) => folder.listed = rows.into_iter().map(|(id, _)| id).filter(|id| id & 0x1f == MESSAGE).take(room).collect(),
                    Err(Broken(why, _)) => {
                        let why = format!("what folder {id} contains cannot be told: {why}");
                        self.say(out, Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why))?;
                    }
                }
            }
            room -= folder.listed.len();
            let listed = folder.listed.len() as u64;
            if folder.stated > listed {
                let why = format!("folder {id} says that it has {} messages, but lists {listed}", folder.stated);
                self.say(out, Problem::new(Stage::Split, FaultCode::Truncated, TOOL, why))?;
            }
            self.expected += folder.stated.max(listed);
            folders.insert(id, folder);
        }
        if room == 0 {
            let why = "further messages that folders list are not looked for";
            self.say(out, Problem::new(Stage::Split, FaultCode::TooMany, TOOL, why).limit(MOST_LISTED as u64))?;
        }
        Ok(folders)
    }

    /// Rebuilds and reads one message; says whether the budget allows of more.
    fn message(&mut self, out: &mut Output<'_>, node: &Node, folders: &HashMap<u32, Folder>, skip: bool) -> Result<bool, Stop> {
        let id = node.id;
        if skip {
            (self.read, self.failed) = (self.read + 1, self.failed + 1);
            let why = format!("message {id} ended its readers and is passed over");
            return self.say(out, Problem::new(Stage::Split, FaultCode::ReaderDied, TOOL, why)).map(|()| true);
        }
        let rebuilt = match rebuild::message(self.store, node) {
            Ok(rebuilt) => rebuilt,
            Err(Broken(why, at)) => {
                self.failed += 1;
                let why = format!("message {id} cannot be read: {why}");
                return self.say(out, Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why).at(at)).map(|()| true);
            }
        };
        if !out.spend(rebuilt.bytes.len()) {
            let why = format!("message {id} and those after it are past the budget");
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, why).limit(out.budget());
            return out.fault(self.index, why).map(|()| false);
        }
        self.read += 1;
        let mut doc = Doc::child(self.index, id.into(), self.depth + 1);
        doc.name = Some(Name::from(format!("{}{id}.eml", path(folders, node.parent)).as_str()));
        doc.problem = Some(Problem::new(Stage::Split, FaultCode::Rebuilt, TOOL, "from what a mail store kept of it"));
        let found = out.next_index();
        self.inside.message(out, doc, &rebuilt.bytes)?;
        crate::packed::say(out, found, rebuilt.problems)?;
        out.cursor(self.index, u64::from(id) + 1)?;
        Ok(true)
    }
}

#[derive(Default)]
struct Folder {
    name: String,
    parent: u32,
    /// How many messages it says that it has.
    stated: u64,
    listed: Vec<u32>,
}

/// A folder's name behind those of the folders it is in.
fn path(folders: &HashMap<u32, Folder>, mut id: u32) -> String {
    let mut path = String::new();
    for _ in 0..DEEPEST {
        let Some(folder) = folders.get(&id) else { break };
        if !folder.name.is_empty() {
            path = format!("{}/{path}", folder.name);
        }
        if folder.parent == id {
            break;
        }
        id = folder.parent;
    }
    path
}

#[cfg(test)]
mod tests;
