//! What a command prints: to standard output, where a closed pipe ends the command quietly.

use anyhow::Result;
use serde_json::Value;
use std::fmt::Arguments;
use std::io::{self, Write};

/// Prints one line.
pub(crate) fn line(text: Arguments<'_>) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Prints one JSON value on one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    line(format_args!("{value}"))
}

/// Prints a warning or a remark to standard error.
pub(crate) fn remark(text: Arguments<'_>) {
    // Where standard error is closed there is nobody to remark to.
    let _ = writeln!(io::stderr(), "daylight: {text}");
}

/// Prints a line with [`line()`], in the form of `println!`.
macro_rules! say {
    ($($part:tt)*) => { $crate::output::line(format_args!($($part)*)) };
}
pub(crate) use say;

/// A number with its noun: `1 message`, `2 messages`, `1,234 messages`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// A number in groups of three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "fault"), "1 fault");
        assert_eq!(count(66_920, "document"), "66,920 documents");
    }
}
