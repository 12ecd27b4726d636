use super::read::Message;
use crate::sealed::What;
use std::collections::BTreeMap;

/// A file that a source sent, in one part or several. Part by part the latest counts that is not doubtful: what broke off is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileParts {
    /// Which file it is, as the source's end says.
    pub file: [u8; 16],
    /// Its name as the source says: any bytes.
    pub name: Vec<u8>,
    /// Its media type as the source says.
    pub media_type: String,
    /// Bytes of the parts that are here.
    pub length: u64,
    /// How many parts are here.
    pub parts: u32,
    /// The parts that are missing, from 0, at most a hundred of them.
    pub missing: Vec<u32>,
    /// How many are missing as far as can be told; `None` while the last part has not come, and so nobody knows how many there are.
    pub missing_count: Option<u64>,
    /// Whether some part may be somebody else's.
    pub doubtful: bool,
    /// Whether every part was sealed by the source's own tool.
    pub by_tool: bool,
    /// The day on which the last part came.
    pub day: u32,
    /// The sealed files of its parts, in order.
    pub(crate) names: Vec<String>,
}

impl FileParts {
    /// Whether all of it is here.
    pub fn is_whole(&self) -> bool {
        self.missing_count == Some(0)
    }
}

/// The most parts whose absence is told one by one.
const TOLD: usize = 100;

/// Puts parts together. What may be somebody else's is a file of its own, so that nobody can put a part into a source's file. The source's tool names a file by its
/// bytes; a page can name it by no more than its name, and cannot say which of two uploads was later: where a part of such a file is here in two versions, nobody
/// knows what belongs together, and each part is a file of its own.
pub(super) fn join(parts: Vec<Message>) -> Vec<FileParts> {
    let mut files: BTreeMap<([u8; 16], bool), BTreeMap<u32, Vec<Message>>> = BTreeMap::new();
    let mut order = Vec::new();
    for message in parts {
        let What::Part { file, part, .. } = message.heading.what else { continue };
        let key = (file, message.doubtful);
        if !files.contains_key(&key) {
            order.push(key);
        }
        files.entry(key).or_default().entry(part).or_default().push(message);
    }
    let of_it = order.into_iter().filter_map(|key| Some((key, files.remove(&key)?)));
    of_it.flat_map(|(key, parts)| if is_mixed(&parts) { apart(key, parts) } else { vec![file(key, newest(parts))] }).collect()
}

fn is_mixed(parts: &BTreeMap<u32, Vec<Message>>) -> bool {
    parts.values().any(|copies| copies.len() > 1 && copies.iter().any(|copy| !copy.heading.by_tool))
}

fn newest(parts: BTreeMap<u32, Vec<Message>>) -> BTreeMap<u32, Message> {
    let one = |copies: Vec<Message>| copies.into_iter().max_by_key(|copy| (copy.heading.counter, copy.n));
    parts.into_iter().filter_map(|(part, copies)| Some((part, one(copies)?))).collect()
}

/// Each copy of each part as a file whose name says which it is.
fn apart(key: ([u8; 16], bool), parts: BTreeMap<u32, Vec<Message>>) -> Vec<FileParts> {
    let mut all = Vec::new();
    for (part, copies) in parts {
        for (version, copy) in (1..).zip(copies) {
            let mut one = file(key, BTreeMap::from([(0, copy)]));
            one.name.extend_from_slice(format!(" (part {}, version {version})", u64::from(part) + 1).as_bytes());
            (one.missing, one.missing_count) = (Vec::new(), Some(0));
            all.push(one);
        }
    }
    all
}

fn file((file, doubtful): ([u8; 16], bool), parts: BTreeMap<u32, Message>) -> FileParts {
    let is_last = |message: &Message| matches!(message.heading.what, What::Part { last: true, .. });
    // A source that goes on behind a part that it called the last has changed its mind: the later one counts.
    let last = parts.iter().rev().find(|(_, message)| is_last(message)).map(|(part, _)| *part);
    let kept: Vec<(&u32, &Message)> = parts.iter().filter(|(part, _)| last.is_none_or(|last| **part <= last)).collect();
    let highest = last.or(kept.last().map(|(part, _)| **part)).unwrap_or(0);
    let (mut missing, mut next) = (Vec::new(), 0u32);
    for (part, _) in &kept {
        missing.extend((next..**part).take(TOLD - missing.len()));
        next = part.saturating_add(1);
    }
    missing.extend((next..highest).take(TOLD - missing.len()));
    let first = kept.first().map(|(_, message)| &message.heading);
    FileParts {
        file,
        name: first.map(|heading| heading.name.clone()).unwrap_or_default(),
        media_type: first.map(|heading| heading.media_type.clone()).unwrap_or_default(),
        length: kept.iter().map(|(_, message)| message.length).sum(),
        parts: kept.len() as u32,
        missing,
        missing_count: last.map(|last| u64::from(last) + 1 - kept.len() as u64),
        doubtful,
        by_tool: kept.iter().all(|(_, message)| message.heading.by_tool),
        day: kept.iter().map(|(_, message)| message.day).max().unwrap_or(0),
        names: kept.iter().map(|(_, message)| message.name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::Heading;

    fn part(n: i64, file: u8, part: u32, last: bool, counter: u64, doubtful: bool) -> Message {
        let what = What::Part { file: [file; 16], part, last };
        let heading =
            Heading { by_tool: true, counter, what, name: b"plan.pdf".to_vec(), media_type: String::new(), editor: String::new() };
        let name = format!("{n}");
        Message { n, outgoing: false, day: 1, length: 10, doubtful, again: false, unread: true, sent: false, heading, text: None, name }
    }

    #[test]
    fn parts_are_joined_and_missing_ones_are_listed() {
        let files = join(vec![part(1, 7, 3, true, 4, false), part(2, 7, 0, false, 1, false), part(3, 8, 0, true, 9, false)]);
        assert_eq!((files.len(), files[0].missing.as_slice(), files[0].missing_count, files[0].length), (2, &[1, 2][..], Some(2), 20));
        assert!(files[1].is_whole() && !files[0].is_whole());
        let open = join(vec![part(1, 7, 0, false, 1, false), part(2, 7, 2, false, 2, false)]);
        assert_eq!((open[0].missing.as_slice(), open[0].missing_count), (&[1][..], None), "nobody knows how many there are");
        let huge = join(vec![part(1, 7, u32::MAX, true, 1, false)]);
        assert_eq!((huge[0].missing.len(), huge[0].missing_count), (TOLD, Some(u64::from(u32::MAX))));
    }

    #[test]
    fn of_two_copies_of_a_part_the_later_counts_and_an_impostors_never() {
        let files = join(vec![part(1, 7, 0, true, 5, false), part(2, 7, 0, true, 4, false), part(3, 7, 0, true, 99, true)]);
        assert_eq!((files.len(), files[0].names.as_slice()), (2, &["1".to_owned()][..]));
        assert!(files[1].doubtful && !files[0].doubtful);
    }

    #[test]
    fn two_uploads_of_one_name_by_a_page_are_never_made_one_file() {
        let page = |n, number, last, counter| {
            let mut message = part(n, 7, number, last, counter, false);
            message.heading.by_tool = false;
            message
        };
        let files = join(vec![page(1, 0, false, 5), page(2, 1, true, 4), page(3, 0, false, 9)]);
        let names: Vec<_> = files.iter().map(|file| String::from_utf8_lossy(&file.name).into_owned()).collect();
        assert_eq!(names, ["plan.pdf (part 1, version 1)", "plan.pdf (part 1, version 2)", "plan.pdf (part 2, version 1)"]);
        assert!(files.iter().all(FileParts::is_whole));
        let whole = join(vec![page(1, 0, false, 5), page(2, 1, true, 4)]);
        assert!(whole.len() == 1 && whole[0].is_whole() && whole[0].parts == 2);
    }
}
