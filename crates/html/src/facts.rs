use maud::{Markup, html};

/// A number with its thousands set apart: `51,375`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and what is counted: `1 document`, `51,375 documents`. Give the plural where it is not the singular and an s.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A size that people can compare: `512 bytes`, `48 KB`, `1.4 MB` (thousands, as disks are sold and as `ls -h --si` prints).
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return count(bytes, "byte", "bytes");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// A redaction: a solid bar that is always as wide, so that its width says nothing of what is under it, and that a screen reader speaks.
pub fn redacted(reason: &str) -> Markup {
    html! { span.redacted role="img" aria-label={ "redacted: " (reason) } { "redacted" } }
}
