use crate::error::{Error, Result};
use daylight_model::reading::APART;
use std::path::Path;

/// What `daylight.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What people call this desk.
    pub title: String,
    /// The most bytes that all that is unpacked from one file of a trove may come to.
    pub budget: u64,
    /// What is packed and unpacks to more bytes than this is read by itself, from the desk, and not with what holds it.
    pub apart: u64,
    /// The memory one reading process may take, in bytes.
    pub memory: u64,
    /// How many seconds a reader has for a document, before what its size adds.
    pub seconds: u64,
    /// The languages that text is recognised in, as Tesseract names them; empty for those that are installed.
    pub languages: Vec<String>,
    /// Of how many pages of a PDF or a picture the public is shown what they look like; 0 for none.
    pub pages: u32,
}

/// More pages of a document are not shown, whatever is set.
const MOST_PAGES: i64 = 2000;

impl Default for Settings {
    fn default() -> Self {
        Self { title: String::new(), budget: 64 << 30, apart: APART, memory: 2 << 30, seconds: 60, languages: Vec::new(), pages: 200 }
    }
}

/// The file as `daylight init` writes it.
pub(crate) const TEMPLATE: &str = r#"# A Daylight desk: everything in this folder is private. Keep it on an encrypted disk.

# What people call this desk.
title = ""

[reading]
# What is unpacked from one file of a trove (a zip, say) may come to this many MiB; what lies beyond is listed as a fault.
budget_mib = 65536
# What is packed and unpacks to more than this many MiB is stored first and then read by itself: a reader holds less than that of it in memory.
apart_mib = 64
# The memory, in MiB, that one reading process may take.
memory_mib = 2048
# How many seconds a reader has for one document; large documents get more by their size.
seconds = 60

[recognition]
# The languages of scanned pages, as Tesseract names them: "eng", or "deu+fra". Empty: those that are installed, if they are at most four, else English.
languages = ""

[publishing]
# Of each PDF and each picture so many pages, from the first on, are published as pictures too, for people to look at on the site; 0 for none, at most 2000.
pages = 200
"#;

impl Settings {
    /// Reads `daylight.toml`. A key that is not known is an error, so that a slip of the pen is noticed.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Self::parse(&text).map_err(|what| Error::Settings { path: path.to_owned(), what })
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut settings = Self::default();
        for (key, value) in &table {
            match (key.as_str(), value) {
                ("title", toml::Value::String(title)) => settings.title.clone_from(title),
                ("reading", toml::Value::Table(reading)) => settings.reading(reading)?,
                ("recognition", toml::Value::Table(recognition)) => settings.recognition(recognition)?,
                ("publishing", toml::Value::Table(publishing)) => settings.publishing(publishing)?,
                _ => return Err(format!("`{key}` is not a setting or not of the right type")),
            }
        }
        Ok(settings)
    }

    fn reading(&mut self, table: &toml::Table) -> std::result::Result<(), String> {
        for (key, value) in table {
            let number = value.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|number| (1..1 << 40).contains(number));
            match (key.as_str(), number) {
                ("budget_mib", Some(number)) => self.budget = number << 20,
                ("apart_mib", Some(number)) => self.apart = number << 20,
                ("memory_mib", Some(number)) => self.memory = number << 20,
                ("seconds", Some(number)) => self.seconds = number,
                _ => return Err(format!("`reading.{key}` is not a setting or not a whole number above 0")),
            }
        }
        Ok(())
    }

    fn publishing(&mut self, table: &toml::Table) -> std::result::Result<(), String> {
        for (key, value) in table {
            let number = value.as_integer().filter(|number| (0..=MOST_PAGES).contains(number));
            match (key.as_str(), number.and_then(|number| u32::try_from(number).ok())) {
                ("pages", Some(number)) => self.pages = number,
                _ => return Err(format!("`publishing.{key}` is not a setting or not a whole number from 0 to {MOST_PAGES}")),
            }
        }
        Ok(())
    }

    fn recognition(&mut self, table: &toml::Table) -> std::result::Result<(), String> {
        for (key, value) in table {
            let languages = value.as_str().map(|text| text.split('+').filter(|one| !one.is_empty()).map(str::to_owned).collect::<Vec<_>>());
            // They become an argument of a program and a part of a path: a name of letters cannot be anything else there.
            let named = |one: &String| {
                one.len() <= 32
                    && one.starts_with(|c: char| c.is_ascii_alphabetic())
                    && one.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            match (key.as_str(), languages) {
                ("languages", Some(languages)) if languages.iter().all(named) => self.languages = languages,
                _ => return Err(format!("`recognition.{key}` is not a setting or not languages such as \"eng\" or \"deu+fra\"")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_defaults_and_slips_are_named() {
        assert_eq!(Settings::parse(TEMPLATE), Ok(Settings::default()));
        assert!(Settings::parse("titel = \"x\"").unwrap_err().contains("`titel`"));
        assert_eq!(Settings::parse("[recognition]\nlanguages = \"deu+chi_sim\"").unwrap().languages, ["deu", "chi_sim"]);
        for bad in ["\"../x\"", "\"-c\"", "3"] {
            assert!(Settings::parse(&format!("[recognition]\nlanguages = {bad}")).unwrap_err().contains("recognition.languages"), "{bad}");
        }
        assert_eq!(Settings::parse("[publishing]\npages = 0").unwrap().pages, 0);
        for bad in ["-1", "2001", "\"x\""] {
            assert!(Settings::parse(&format!("[publishing]\npages = {bad}")).unwrap_err().contains("publishing.pages"), "{bad}");
        }
        assert!(Settings::parse("[reading]\nseconds = -1").unwrap_err().contains("`reading.seconds`"));
    }
}
