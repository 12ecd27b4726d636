//! Tesseract: where it is, what it can read, and one run of it for one page.

use super::STEP;
use daylight_sandbox::{Tool, ToolDeath, ToolInput, ToolLimits};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// More languages than this are not used at once unless they are asked for: each costs its time on every page.
const MOST_LANGUAGES: usize = 4;
/// What one page may cost. A page of a newspaper takes some twenty seconds.
const PAGE: ToolLimits = ToolLimits { wall: Duration::from_secs(300), output: 1 << 20, folder: 16 << 20, memory: 4 << 30 };
/// What asking it for its version may cost.
const QUESTION: ToolLimits = ToolLimits { wall: Duration::from_secs(30), output: 64 << 10, folder: 1 << 20, memory: 4 << 30 };

/// The program that recognises text, as it is installed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    program: PathBuf,
    version: String,
    languages: Vec<String>,
    /// Whether it can tell how a page is turned.
    orientation: bool,
}

/// Why a page was not read.
pub(super) enum Unread {
    /// This page.
    Failed(String),
    /// No page can be.
    NotRun(String),
}

impl Machine {
    /// Looks for it, for these languages or, if none are named, those that are installed. The error says what to install or to set.
    pub fn find(languages: &[String], scratch: &Path) -> Result<Self, String> {
        let program =
            program().ok_or("no Tesseract is installed; on Debian install tesseract-ocr and a tesseract-ocr-LANGUAGE for each language")?;
        Tool::can_be_caged()?;
        let ask = |question: &str| {
            let tool = Tool { program: program.clone(), args: vec![question.into()], reads: Vec::new(), scratch: scratch.to_owned() };
            let said =
                tool.run(ToolInput::Bytes(&[]), &QUESTION).map_err(|death| format!("Tesseract cannot be asked {question}: {death}"))?;
            // It has said such things on either of the two.
            Ok::<_, String>([said.stdout, said.stderr].concat())
        };
        let version = version(&String::from_utf8_lossy(&ask("--version")?));
        let installed = installed(&String::from_utf8_lossy(&ask("--list-langs")?));
        let orientation = installed.iter().any(|one| one == "osd");
        Ok(Self { program, version, languages: chosen(languages, &installed)?, orientation })
    }

    /// Its name as it stands in faults: the step, the program, the languages.
    pub fn name(&self) -> String {
        format!("{STEP} {self}")
    }

    /// Whether it can tell how a page is turned.
    pub fn finds_orientation(&self) -> bool {
        self.orientation
    }

    /// Reads one page: a PGM file.
    pub(super) fn read(&self, picture: &[u8], dots_per_inch: u32, scratch: &Path) -> Result<String, Unread> {
        let tool = Tool { program: self.program.clone(), args: self.args(dots_per_inch), reads: Vec::new(), scratch: scratch.to_owned() };
        match tool.run(ToolInput::Bytes(picture), &PAGE) {
            Ok(said) => text(said.stdout),
            Err(ToolDeath::NotRun(why)) => Err(Unread::NotRun(why)),
            // What it complains of may quote the page.
            Err(ToolDeath::Exit(code, _)) => Err(Unread::Failed(format!("the tool ended with exit code {code}"))),
            Err(death) => Err(Unread::Failed(death.to_string())),
        }
    }

    fn args(&self, dots_per_inch: u32) -> Vec<OsString> {
        let languages = self.languages.join("+");
        let mut args = vec!["-", "-", "-l", &languages, "--psm", if self.orientation { "1" } else { "3" }];
        let dots = dots_per_inch.to_string();
        if dots_per_inch > 0 {
            args.extend(["--dpi", &dots]);
        }
        args.into_iter().map(OsString::from).collect()
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tesseract {} {}", self.version, self.languages.join("+"))
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut programs = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join("tesseract"));
    programs.find(|program| program.is_file()).and_then(|program| program.canonicalize().ok())
}

/// `tesseract 5.3.0` and much more.
fn version(said: &str) -> String {
    let word = said.lines().next().unwrap_or_default().split_whitespace().nth(1).unwrap_or_default();
    let plain: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).take(32).collect();
    if plain.is_empty() { "of an unknown version".into() } else { plain }
}

/// A line about them, then one a line.
fn installed(said: &str) -> Vec<String> {
    let named = |line: &&str| line.len() <= 32 && !line.is_empty() && line.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    said.lines().map(str::trim).filter(named).map(str::to_owned).collect()
}

fn chosen(wanted: &[String], installed: &[String]) -> Result<Vec<String>, String> {
    if let Some(missing) = wanted.iter().find(|one| !installed.contains(one)) {
        return Err(format!(
            "Tesseract has no data for `{missing}`, which daylight.toml names; on Debian install tesseract-ocr-{}",
            missing.replace('_', "-")
        ));
    }
    if !wanted.is_empty() {
        return Ok(wanted.to_owned());
    }
    let mut languages: Vec<String> = installed.iter().filter(|one| !matches!(one.as_str(), "osd" | "equ")).cloned().collect();
    languages.sort_by_key(|one| (one != "eng", one.clone()));
    match languages.first() {
        None => Err("Tesseract has no data for any language; on Debian install tesseract-ocr-eng".into()),
        Some(first) if languages.len() > MOST_LANGUAGES && first == "eng" => Ok(vec!["eng".into()]),
        Some(_) if languages.len() > MOST_LANGUAGES => {
            Err(format!("Tesseract has data for {} languages; name those to use in daylight.toml, under [recognition]", languages.len()))
        }
        Some(_) => Ok(languages),
    }
}

/// What it wrote, without what no page says: control characters, and the form feed behind each page.
fn text(bytes: Vec<u8>) -> Result<String, Unread> {
    let text = String::from_utf8(bytes).map_err(|_| Unread::Failed("the tool gave what is no text".into()))?;
    let plain: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    Ok(lines.join("\n").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_it_says_of_itself_is_understood() {
        assert_eq!(version("tesseract 5.3.0\n leptonica-1.82.0\n"), "5.3.0");
        assert_eq!(version(""), "of an unknown version");
        assert_eq!(version("tesseract \u{1b}[31m5;rm"), "31m5rm");
        let said = "List of available languages in \"/usr/share/tesseract-ocr/5/tessdata/\" (2):\neng\nosd\n";
        assert_eq!(installed(said), ["eng", "osd"]);
    }

    #[test]
    fn languages_are_those_that_are_set_or_installed() {
        let (none, two) = (all(&[]), all(&["deu", "eng", "osd"]));
        assert_eq!(chosen(&none, &two), Ok(all(&["eng", "deu"])));
        assert_eq!(chosen(&all(&["deu"]), &two), Ok(all(&["deu"])));
        assert!(chosen(&all(&["chi_sim"]), &two).unwrap_err().contains("tesseract-ocr-chi-sim"));
        assert!(chosen(&none, &all(&["osd"])).unwrap_err().contains("tesseract-ocr-eng"));
        let many = all(&["ara", "deu", "eng", "fra", "spa", "osd"]);
        assert_eq!(chosen(&none, &many), Ok(all(&["eng"])));
        assert!(
            chosen(&none, &many.iter().map(|one| one.replace("eng", "ita")).collect::<Vec<_>>()).unwrap_err().contains("[recognition]")
        );
    }

    #[test]
    fn what_it_writes_is_text_or_nothing() {
        assert_eq!(text(b"  one \x1b[31m two  \n\n\x0c".to_vec()).ok(), Some("one  [31m two".into()));
        assert!(text(b"\xff".to_vec()).is_err());
    }
}
