//! What messages of Outlook and Exchange have in common, whether in a .msg or in a winmail.dat ([MS-OXPROPS], [MS-OXRTFCP]).

use super::bytes::{place_at, u32_at};
use super::rtf::{self, Piece};
use crate::{charset, html};
use daylight_model::reading::Label;

/// An RTF is not unpacked beyond this many bytes.
const LARGEST: usize = 64 << 20;
/// What the window holds at the beginning (section 2.1.3.1).
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Unpacks a compressed RTF; `None` if it is none.
pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = place_at(bytes, 4).min(LARGEST).min(bytes.len().saturating_mul(20));
    let packed = bytes.get(16..)?;
    match u32_at(bytes, 8) {
        0x414c_454d => return Some(packed[..packed.len().min(length)].to_vec()),
        0x7546_5a4c => (),
        _ => return None,
    }
    let mut window = [b' '; 4096];
    window[..DICTIONARY.len()].copy_from_slice(DICTIONARY);
    let (mut text, mut write, mut at) = (Vec::new(), DICTIONARY.len(), 0);
    'all: while at < packed.len() && text.len() < length {
        let control = packed[at];
        at += 1;
        for bit in 0..8 {
            if control >> bit & 1 == 0 {
                let Some(&byte) = packed.get(at) else { break 'all };
                at += 1;
                text.push(byte);
                window[write] = byte;
                write = (write + 1) % 4096;
                continue;
            }
            let Some(&[high, low]) = packed.get(at..at + 2) else { break 'all };
            at += 2;
            let (offset, count) = (usize::from(high) << 4 | usize::from(low) >> 4, usize::from(low & 15) + 2);
            if offset == write {
                break 'all;
            }
            for n in 0..count {
                let byte = window[(offset + n) % 4096];
                text.push(byte);
                window[write] = byte;
                write = (write + 1) % 4096;
            }
        }
    }
    text.truncate(length);
    Some(text)
}

/// The bodies of a message in the forms it has.
#[derive(Default)]
pub(super) struct Bodies {
    pub(super) plain: Option<String>,
    pub(super) html: Option<String>,
    pub(super) rtf: Option<rtf::Read>,
}

impl Bodies {
    /// From what the message's properties hold. `page` is the character set that the HTML is in where it does not say so itself.
    pub(super) fn new(plain: Option<String>, html: Option<Vec<u8>>, packed: Option<Vec<u8>>, page: u32) -> Self {
        let stated = (page != 0).then(|| super::bytes::code_page(page).name());
        let decode = |bytes: Vec<u8>| {
            let stated = html::stated_charset(&bytes).or(stated.map(str::to_owned));
            charset::decode(&bytes, stated.as_deref()).text.into_owned()
        };
        let plain = plain.filter(|text| !text.trim().is_empty());
        let html = html.filter(|html| !html.is_empty()).map(decode);
        let rtf = packed.filter(|_| plain.is_none() || html.is_none()).and_then(|packed| unpack(&packed)).map(|bytes| rtf::read(&bytes));
        let html = html.or_else(|| rtf.as_ref().and_then(|rtf| rtf.html.clone()));
        Self { plain, html, rtf }
    }

    /// The text: the plain body, that of the HTML where there is none or it says much more, else that of the RTF.
    pub(super) fn text(&self) -> Vec<(Label, String)> {
        let mut texts: Vec<(Label, String)> = self.plain.iter().map(|text| (Label::Body, text.replace("\r\n", "\n"))).collect();
        if let Some(html) = &self.html {
            let (body, hidden) = html::text(html);
            let told = self.plain.as_ref().map_or(0, |text| text.trim().len());
            if told == 0 || body.len() > told * 2 + 200 {
                texts.push((Label::Body, body));
            }
            texts.push((Label::Hidden, hidden));
        } else if let Some(rtf) = self.rtf.as_ref().filter(|_| texts.is_empty()) {
            texts = rtf_text(rtf);
        }
        texts
    }
}

/// The pieces of an RTF as texts.
fn rtf_text(rtf: &rtf::Read) -> Vec<(Label, String)> {
    let mut texts: Vec<(Label, String)> = Vec::new();
    for piece in &rtf.pieces {
        let end = match piece {
            Piece::Text(label, text) => {
                match texts.last_mut() {
                    Some((before, line)) if before == label => line.push_str(text),
                    _ => texts.push((*label, text.clone())),
                }
                continue;
            }
            Piece::Line | Piece::Row => '\n',
            Piece::Cell => '\t',
        };
        if let Some((_, line)) = texts.last_mut() {
            line.push(end);
        }
    }
    texts
}
