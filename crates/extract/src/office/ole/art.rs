//! What drawings of the old forms say in words: the text of WordArt, and what is said of a picture for those who cannot see it ([MS-ODRAW] sections 2.3.22.2
//! and 2.3.4.2). Both are properties of a shape, in a table (section 2.2.9) that is the same in documents, sheets and slides.

use crate::office::bytes::{place_at, stretch, u16_at, utf16};
use crate::office::flow::Flow;
use daylight_model::reading::{Label, Stop};

/// The tables of a shape's properties.
pub(super) const TABLES: [u16; 2] = [0xf00b, 0xf122];
/// Texts beyond this many in one stream are not looked for.
const MOST: usize = 10_000;
const ART: u16 = 0x00c0;
const TOLD: u16 = 0x0381;

/// Words of shapes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Art {
    /// Drawn as letters.
    pub(super) shown: Vec<String>,
    /// Said of a picture.
    pub(super) told: Vec<String>,
}

impl Art {
    /// Takes the words of one table, of which the head says how many properties it has. Says whether it was one: each property's place is known, and nothing is left over.
    pub(super) fn take(&mut self, head: u16, data: &[u8]) -> bool {
        let count = usize::from(head >> 4);
        let mut at = count * 6;
        if head & 15 != 3 || count == 0 || at > data.len() {
            return false;
        }
        let mut found = Vec::new();
        for property in data[..at].chunks_exact(6) {
            let id = u16_at(property, 0);
            // A property that is longer than its place says there how long it is, and stands behind all places.
            if id & 0x8000 != 0 {
                let length = place_at(property, 2);
                found.push((id & 0x3fff, at, length));
                at = at.saturating_add(length);
            }
        }
        if at > data.len() {
            return false;
        }
        for (id, at, length) in found {
            let list = match id {
                ART => &mut self.shown,
                TOLD => &mut self.told,
                _ => continue,
            };
            let text = utf16(stretch(data, at, length));
            if !text.trim().is_empty() && list.len() < MOST {
                list.push(text.replace('\r', "\n"));
            }
        }
        true
    }

    /// Gives the words as text: what is said of a picture is not seen.
    pub(super) fn give(&self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        for (label, list) in [(Label::Body, &self.shown), (Label::Hidden, &self.told)] {
            for text in list {
                flow.whole_line(label, text)?;
            }
        }
        Ok(())
    }

    /// The words of all tables in bytes, wherever they stand.
    pub(super) fn find(bytes: &[u8]) -> Self {
        let (mut art, mut from) = (Self::default(), 0);
        for at in memchr::memchr2_iter(0xf0, 0xf1, bytes) {
            let Some(start) = at.checked_sub(3).filter(|start| *start >= from) else { continue };
            if TABLES.contains(&u16_at(bytes, start + 2)) {
                let data = stretch(bytes, start + 8, place_at(bytes, start + 4));
                if data.len() == place_at(bytes, start + 4) && art.take(u16_at(bytes, start), data) {
                    from = start + 8 + data.len();
                }
            }
        }
        art
    }
}

#[cfg(test)]
mod tests {
    use super::Art;

    /// A table of one property that is short and two that are not.
    fn table(art: &str, told: &str) -> Vec<u8> {
        let [art, told] = [art, told].map(|text| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
        let mut data = vec![0x7f, 0, 1, 0, 1, 0];
        for (id, text) in [(0x80c0_u16, &art), (0xc381, &told)] {
            data.extend(id.to_le_bytes());
            data.extend((text.len() as u32).to_le_bytes());
        }
        data.extend(art);
        data.extend(told);
        let mut record = vec![0x33, 0, 0x0b, 0xf0];
        record.extend((data.len() as u32).to_le_bytes());
        record.extend(data);
        record
    }

    #[test]
    fn words_of_shapes_are_found_wherever_their_tables_stand_and_nowhere_else() {
        let mut bytes = b"\x0b\xf0 before \xf0".to_vec();
        bytes.extend(table("HAPPY\rBIRTHDAY", "a cake"));
        bytes.extend(table("", "a candle"));
        let expected = Art { shown: vec!["HAPPY\nBIRTHDAY".into()], told: vec!["a cake".into(), "a candle".into()] };
        assert_eq!(Art::find(&bytes), expected);
        let mut cut = table("HAPPY", "a cake");
        cut.pop();
        assert_eq!(Art::find(&cut), Art::default(), "it breaks off");
        let mut long = table("HAPPY", "a cake");
        long[8 + 8..8 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Art::find(&long), Art::default(), "one is longer than all of it");
    }
}
