//! RTF ([MS-OXRTFEX] for the HTML that Outlook hides in it).

mod token;

use super::bytes::{code_page, page_of_charset};
use daylight_model::reading::Label;
use std::collections::HashMap;
use token::{Token, Tokens};

/// Groups within groups below this depth are read as one.
const DEEPEST: usize = 10_000;
/// Fonts beyond this many are taken for the default.
const MOST_FONTS: usize = 10_000;

/// What an RTF holds.
#[derive(Default)]
pub(super) struct Read {
    pub(super) pieces: Vec<Piece>,
    /// The HTML that it was made from.
    pub(super) html: Option<String>,
    /// Pictures and embedded objects, as they stand there.
    pub(super) pictures: Vec<Vec<u8>>,
    pub(super) objects: Vec<Vec<u8>>,
    /// It ends within a group.
    pub(super) cut: bool,
}

/// Text, or what ends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Label, String),
    Line,
    Cell,
    Row,
}

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Skip,
    Fonts,
    Picture,
    Object,
    HtmlTag,
    Field,
    Info,
}

#[derive(Clone, Copy)]
struct State {
    place: Place,
    label: Label,
    /// How many characters stand in for one of Unicode.
    stand_ins: u8,
    page: u32,
    hidden: bool,
    deleted: bool,
    revised: bool,
    /// In what RTF readers alone are to see.
    rtf_only: bool,
}

/// Reads an RTF.
pub(super) fn read(bytes: &[u8]) -> Read {
    let state = State {
        place: Place::Text,
        label: Label::Body,
        stand_ins: 1,
        page: 1252,
        hidden: false,
        deleted: false,
        revised: false,
        rtf_only: false,
    };
    let mut reader = Reader {
        state,
        default_page: 1252,
        stack: Vec::new(),
        too_deep: 0,
        fonts: HashMap::new(),
        font: 0,
        raw: Vec::new(),
        high: None,
        pending_skip: 0,
        starred: false,
        from_html: false,
        html: String::new(),
        info: String::new(),
        data: Vec::new(),
        read: Read::default(),
    };
    for token in Tokens::new(bytes) {
        reader.token(token);
    }
    reader.flush();
    reader.read.cut = !reader.stack.is_empty();
    if reader.from_html {
        reader.read.html = Some(reader.html);
    }
    reader.read
}

struct Reader {
    state: State,
    default_page: u32,
    stack: Vec<State>,
    too_deep: usize,
    fonts: HashMap<i32, u32>,
    font: i32,
    raw: Vec<u8>,
    /// The first half of a pair of UTF-16.
    high: Option<u16>,
    pending_skip: u8,
    starred: bool,
    from_html: bool,
    html: String,
    info: String,
    data: Vec<u8>,
    read: Read,
}

impl Reader {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Open => {
                self.flush();
                if self.stack.len() < DEEPEST {
                    self.stack.push(self.state)
                } else {
                    self.too_deep += 1
                }
                self.pending_skip = 0;
            }
            Token::Close => self.close(),
            Token::Starred => self.starred = true,
            Token::Word(word, number) => {
                let starred = std::mem::take(&mut self.starred);
                self.word(word, number, starred);
            }
            Token::Symbol(b'~') => self.push("\u{a0}"),
            Token::Symbol(b'_') => self.push("-"),
            Token::Symbol(symbol @ (b'\\' | b'{' | b'}')) => self.bytes(&[symbol]),
            Token::Symbol(b'\n' | b'\r') => self.end(Piece::Line),
            Token::Symbol(_) => (),
            Token::Hex(byte) => self.bytes(&[byte]),
            Token::Text(text) => self.bytes(text),
            Token::Binary(data) => {
                if matches!(self.state.place, Place::Picture | Place::Object) {
                    self.data.extend(data.iter().flat_map(|b| format!("{b:02x}").into_bytes()));
                }
            }
        }
    }

    fn close(&mut self) {
        self.flush();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let Some(before) = self.stack.pop() else { return };
        let after = std::mem::replace(&mut self.state, before);
        if after.place == before.place {
            return;
        }
        match after.place {
            Place::Picture => self.read.pictures.extend(unhex(&std::mem::take(&mut self.data))),
            Place::Object => self.read.objects.extend(unhex(&std::mem::take(&mut self.data))),
            Place::Field => {
                let field = std::mem::take(&mut self.info);
                let word = field.split_whitespace().next().unwrap_or_default();
                if matches!(word, "HYPERLINK" | "INCLUDETEXT" | "INCLUDEPICTURE" | "LINK" | "DDE" | "DDEAUTO") {
                    self.put(Label::Hidden, field.trim());
                }
            }
            Place::Info => {
                let info = std::mem::take(&mut self.info);
                if info.trim_end().ends_with(':') {
                    return;
                }
                self.read.pieces.push(Piece::Line);
                self.put(Label::Property, &info);
                self.read.pieces.push(Piece::Line);
            }
            _ => (),
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, starred: bool) {
        self.flush();
        self.pending_skip = 0;
        let on = number != Some(0);
        match word {
            b"u" => self.unicode(number.unwrap_or(0)),
            b"uc" => self.state.stand_ins = u8::try_from(number.unwrap_or(1)).unwrap_or(1),
            b"ansicpg" => {
                self.default_page = u32::try_from(number.unwrap_or(1252)).unwrap_or(1252);
                self.state.page = self.default_page;
            }
            b"mac" => self.state.page = 10_000,
            b"fromhtml" => self.from_html = on,
            b"htmlrtf" => self.state.rtf_only = on,
            b"f" => {
                self.font = number.unwrap_or(0);
                self.state.page = self.fonts.get(&self.font).copied().filter(|page| *page != 0).unwrap_or(self.default_page);
            }
            b"fcharset" if self.state.place == Place::Fonts && self.fonts.len() < MOST_FONTS => {
                self.fonts.insert(self.font, page_of_charset(number.unwrap_or(0)).unwrap_or(0));
            }
            b"v" => self.state.hidden = on,
            b"deleted" => self.state.deleted = on,
            b"revised" => self.state.revised = on,
            b"plain" => (self.state.hidden, self.state.deleted, self.state.revised) = (false, false, false),
            b"par" | b"line" | b"sect" | b"page" => self.end(Piece::Line),
            b"cell" | b"nestcell" => self.end(Piece::Cell),
            b"row" | b"nestrow" => self.end(Piece::Row),
            _ => match character(word) {
                Some(text) => self.push(text),
                None => self.destination(word, starred),
            },
        }
    }

    fn destination(&mut self, word: &[u8], starred: bool) {
        let place = match word {
            b"fonttbl" => Place::Fonts,
            b"pict" => Place::Picture,
            b"objdata" => Place::Object,
            b"htmltag" => Place::HtmlTag,
            b"fldinst" => Place::Field,
            b"title" | b"subject" | b"author" | b"operator" | b"manager" | b"company" | b"category" | b"keywords" | b"doccomm"
            | b"hlinkbase" => {
                self.info = format!("{}: ", String::from_utf8_lossy(word));
                Place::Info
            }
            b"header" | b"headerl" | b"headerr" | b"headerf" | b"footer" | b"footerl" | b"footerr" | b"footerf" => {
                return self.label(Label::Margin);
            }
            b"footnote" => return self.label(Label::Note),
            b"annotation" | b"atnauthor" => return self.label(Label::Comment),
            b"shpinst" | b"shppict" | b"shptxt" | b"shp" | b"shpgrp" | b"objattph" => return,
            b"info" | b"stylesheet" | b"colortbl" | b"nonshppict" | b"shprslt" | b"mhtmltag" | b"sp" | b"xe" | b"tc" | b"rxe"
            | b"bkmkstart" | b"creatim" | b"revtim" | b"printim" | b"buptim" | b"objclass" | b"ftnsep" | b"ftnsepc" | b"aftnsep"
            | b"aftnsepc" | b"pnseclvl" => Place::Skip,
            _ if starred => Place::Skip,
            _ => return,
        };
        if matches!(place, Place::Picture | Place::Object) {
            self.data.clear();
        }
        // In what is skipped only its own pictures and properties are read.
        let within = self.state.place == Place::Skip && !matches!(place, Place::Info);
        self.state.place = if within { Place::Skip } else { place };
    }

    fn label(&mut self, label: Label) {
        if self.state.label == Label::Body {
            self.end(Piece::Line);
            self.state.label = label;
        }
    }

    fn unicode(&mut self, number: i32) {
        // Numbers above 32,767 are written as negative ones.
        let unit = u16::try_from(number.rem_euclid(65_536)).unwrap_or(0);
        let character = match (self.high.take(), unit) {
            (_, 0xd800..=0xdbff) => {
                self.high = Some(unit);
                None
            }
            (Some(high), 0xdc00..=0xdfff) => char::decode_utf16([high, unit]).next().and_then(Result::ok),
            _ => Some(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
        };
        if let Some(character) = character {
            self.push(character.encode_utf8(&mut [0; 4]));
        }
        self.pending_skip = self.state.stand_ins;
    }

    /// Bytes of the page that is set.
    fn bytes(&mut self, bytes: &[u8]) {
        let skipped = usize::from(self.pending_skip).min(bytes.len());
        self.pending_skip -= u8::try_from(skipped).unwrap_or(0);
        let bytes = &bytes[skipped..];
        match self.state.place {
            Place::Picture | Place::Object => self.data.extend_from_slice(bytes),
            Place::Skip | Place::Fonts => (),
            _ => self.raw.extend_from_slice(bytes),
        }
    }

    /// Decodes the bytes that were gathered.
    fn flush(&mut self) {
        if !self.raw.is_empty() {
            let raw = std::mem::take(&mut self.raw);
            let text = code_page(self.state.page).decode_without_bom_handling(&raw).0;
            self.push(&text);
        }
    }

    fn push(&mut self, text: &str) {
        self.flush();
        match self.state.place {
            Place::HtmlTag => self.html.push_str(text),
            Place::Text => {
                if self.from_html && !self.state.rtf_only && self.state.label == Label::Body {
                    self.html.push_str(text);
                }
                let label = match self.state {
                    State { deleted: true, .. } => Label::Deleted,
                    State { revised: true, .. } => Label::Inserted,
                    State { hidden: true, label: Label::Body, .. } => Label::Hidden,
                    State { label, .. } => label,
                };
                self.put(label, text);
            }
            Place::Info | Place::Field if self.info.len() < 1 << 20 => self.info.push_str(text),
            _ => (),
        }
    }

    fn put(&mut self, label: Label, text: &str) {
        match self.read.pieces.last_mut() {
            Some(Piece::Text(before, line)) if *before == label => line.push_str(text),
            _ => self.read.pieces.push(Piece::Text(label, text.to_owned())),
        }
    }

    fn end(&mut self, piece: Piece) {
        self.flush();
        match self.state.place {
            Place::HtmlTag => self.html.push_str("\r\n"),
            Place::Text => {
                if self.from_html && !self.state.rtf_only {
                    self.html.push_str("\r\n");
                }
                self.read.pieces.push(piece);
            }
            _ => (),
        }
    }
}

/// Words that stand for a character.
fn character(word: &[u8]) -> Option<&'static str> {
    Some(match word {
        b"tab" => "\t",
        b"emdash" => "\u{2014}",
        b"endash" => "\u{2013}",
        b"lquote" => "\u{2018}",
        b"rquote" => "\u{2019}",
        b"ldblquote" => "\u{201c}",
        b"rdblquote" => "\u{201d}",
        b"bullet" => "\u{2022}",
        b"emspace" | b"enspace" | b"qmspace" => " ",
        _ => return None,
    })
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits.iter().filter_map(|b| crate::transfer::hex(*b)).collect();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_marked() {
        let rtf = br"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset238 B;}}{\info{\author \'c8\'e2\'e0\'ed}}\f0 \'cf\'f0\'e8\u8364?{\v x}{\deleted y}\par{\*\junk z}{\footnote n}}";
        let read = read(rtf);
        let text = |label, text: &str| Piece::Text(label, text.into());
        let expected = [
            Piece::Line,
            text(Label::Property, "author: Иван"),
            Piece::Line,
            text(Label::Body, "При€"),
            text(Label::Hidden, "x"),
            text(Label::Deleted, "y"),
            Piece::Line,
            Piece::Line,
            text(Label::Note, "n"),
        ];
        assert_eq!(read.pieces, expected);
    }

    #[test]
    fn html_is_taken_out_again() {
        let rtf = br"{\rtf1\ansi\fromhtml1 {\*\htmltag19 <p>}\htmlrtf {\htmlrtf0 caf\'e9\htmlrtf\par}\htmlrtf0 {\*\htmltag27 </p>}}";
        assert_eq!(read(rtf).html.unwrap(), "<p>café</p>");
    }
}
