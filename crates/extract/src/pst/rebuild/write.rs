use crate::mail::Fields;

/// Writes a message. Whatever is put in comes out as one field of a header or as base64, so that no text can end a part or begin a field.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// Where the header that is being written began.
    header: usize,
    boundaries: u32,
}

impl Writer {
    pub(super) fn field(&mut self, name: &str, value: &str) {
        self.bytes.extend(format!("{name}: {value}\r\n").as_bytes());
    }

    /// Writes a field if its value is known and the header has none of that name.
    pub(super) fn lacking(&mut self, name: &str, value: Option<String>) {
        let Some(value) = value.filter(|value| !value.trim().is_empty()) else { return };
        if !Fields::new(&self.bytes[self.header..], 0).any(|field| field.is(name)) {
            self.field(name, &value);
        }
    }

    /// Writes the header that came with a message, but for what says how its body is made up, which was not kept.
    pub(super) fn transported(&mut self, header: &str) {
        let lines: Vec<&str> = header.lines().map(|line| line.trim_end_matches('\r')).collect();
        let mut taken = false;
        for line in lines {
            if line.starts_with([' ', '\t']) {
                if taken && !line.trim().is_empty() {
                    self.bytes.extend([line.as_bytes(), b"\r\n"].concat());
                }
                continue;
            }
            let name = line.split_once(':').map(|(name, _)| name.trim_end()).unwrap_or_default();
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
            let lower = name.to_ascii_lowercase();
            taken = plain && !lower.starts_with("content-") && lower != "mime-version";
            if taken {
                self.bytes.extend([line.as_bytes(), b"\r\n"].concat());
            }
        }
    }

    /// Begins a multipart and ends the header.
    pub(super) fn begin(&mut self, media: &str) -> String {
        self.boundaries += 1;
        let boundary = format!("=_rebuilt_{}", self.boundaries);
        self.field("Content-Type", &format!("{media}; boundary=\"{boundary}\""));
        self.bytes.extend(b"\r\n");
        boundary
    }

    pub(super) fn delimiter(&mut self, boundary: &str) {
        self.bytes.extend(format!("\r\n--{boundary}\r\n").as_bytes());
    }

    pub(super) fn end(&mut self, boundary: &str) {
        self.bytes.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
    }

    pub(super) fn body(&mut self, media: &str, body: &[u8]) {
        self.field("Content-Type", media);
        self.base64(body);
    }

    pub(super) fn attachment(&mut self, name: &str, media: &str, content_id: Option<&str>, data: &[u8]) {
        let well_formed = media.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
            && media.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+-._".contains(&b))
            && !media.starts_with("message/")
            && !media.starts_with("multipart/");
        self.field("Content-Type", if well_formed { media } else { "application/octet-stream" });
        self.disposition(name);
        if let Some(id) = content_id {
            self.field("Content-ID", &format!("<{}>", one_line(id).trim_matches(['<', '>'])));
        }
        self.base64(data);
    }

    /// Begins a message as a part: its header follows.
    pub(super) fn begin_message(&mut self, name: &str) {
        self.field("Content-Type", "message/rfc822");
        self.disposition(name);
        self.bytes.extend(b"\r\n");
        self.header = self.bytes.len();
    }

    /// The name as RFC 2231 has it.
    fn disposition(&mut self, name: &str) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let escaped: String =
            name.bytes().take(4096).map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
        let value = if name.is_empty() { "attachment".into() } else { format!("attachment; filename*=UTF-8''{escaped}") };
        self.field("Content-Disposition", &value);
    }

    fn base64(&mut self, data: &[u8]) {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        self.field("Content-Transfer-Encoding", "base64");
        self.bytes.extend(b"\r\n");
        for line in data.chunks(57) {
            for three in line.chunks(3) {
                let bits = three.iter().fold(0, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - three.len()));
                for digit in 0..4 {
                    let place = (bits >> (18 - 6 * digit) & 63) as usize;
                    self.bytes.push(if digit <= three.len() { DIGITS[place] } else { b'=' });
                }
            }
            self.bytes.extend(b"\r\n");
        }
    }
}

/// A name with the first address of those that looks like one of mail, or the first of all.
pub(super) fn mailbox(name: Option<String>, addresses: [Option<String>; 2]) -> Option<String> {
    let known: Vec<String> = addresses.into_iter().flatten().map(|address| one_line(&address).replace(['<', '>'], "")).collect();
    let address = known.iter().find(|address| address.contains('@')).or(known.first());
    match (name.filter(|name| !name.trim().is_empty()), address) {
        (Some(name), Some(address)) if name.trim_matches('\'') != address.as_str() => Some(format!("{} <{address}>", phrase(&name))),
        (Some(name), None) => Some(phrase(&name)),
        (_, Some(address)) => Some(format!("<{address}>")),
        (None, None) => None,
    }
}

/// Names with semicolons between them, as a list of people without addresses.
pub(super) fn names(names: &str) -> String {
    names.split(';').map(str::trim).filter(|name| !name.is_empty()).map(phrase).collect::<Vec<_>>().join(",\r\n ")
}

fn phrase(name: &str) -> String {
    let name = one_line(name);
    if name.is_ascii() { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) } else { words(&name) }
}

/// Text for a field: as it is where it is ASCII, else as encoded words (RFC 2047).
pub(super) fn words(text: &str) -> String {
    let text = one_line(text);
    if text.is_ascii() && !text.contains("=?") {
        return text;
    }
    let mut encoded = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(45).max(rest.chars().next().map_or(1, char::len_utf8)));
        let mut writer = Writer::default();
        writer.base64(word.as_bytes());
        let digits = String::from_utf8_lossy(&writer.bytes);
        let digits = digits.split_once("\r\n\r\n").map_or("", |(_, digits)| digits);
        encoded.push(format!("=?utf-8?B?{}?=", digits.trim_end().replace("\r\n", "")));
        rest = after;
    }
    encoded.join("\r\n ")
}

/// Text without what would end a line.
pub(super) fn one_line(text: &str) -> String {
    text.trim().replace(|c: char| c.is_control(), " ")
}

/// A time in units of 100 nanoseconds since 1601 as RFC 5322 writes it, in UTC; `None` beyond the year 9999.
pub(super) fn date(time: u64) -> Option<String> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = time / 10_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March 1600; 1 January 1601 was a Monday.
    let since = days + 306;
    let (era, day_of_era) = (since / 146_097, since % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 2, 0) } else { (month - 10, 1) };
    let year = 1600 + era * 400 + year_of_era + later;
    let (weekday, month) = (DAYS[usize::try_from(days % 7).ok()?], MONTHS[usize::try_from(month).ok()?]);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (time > 0 && year <= 9999).then(|| format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} +0000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_names_are_written_as_mail_has_them() {
        assert_eq!(date(116_444_736_000_000_000).unwrap(), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(date(125_963_423_990_000_000).unwrap(), "Tue, 29 Feb 2000 23:59:59 +0000");
        assert_eq!((date(0), date(u64::MAX)), (None, None));
        assert_eq!(mailbox(Some("O\"N".into()), [None, Some("a@b\r\nX: y".into())]).unwrap(), "\"O\\\"N\" <a@b  X: y>");
        assert_eq!(words("Grüße"), "=?utf-8?B?R3LDvMOfZQ==?=");
        let mut writer = Writer::default();
        writer.transported("Microsoft Mail\nSubject: a\nContent-Type: b;\n c=d\nTo: e\n f\n\nbody: x\n");
        assert_eq!(writer.bytes, b"Subject: a\r\nTo: e\r\n f\r\nbody: x\r\n");
    }
}
