//! The words of the pages, in each language: plain files of Fluent's simplest form (projectfluent.org), which a translator can add to.
//!
//! Of Fluent this reads comments, `name = text` with lines that go on indented, and `{ $variable }`. That is what our pages need; what else stands in a file is a mistake
//! that a test finds.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A language that the pages speak.
#[derive(Debug)]
pub(crate) struct Language {
    /// Its tag (BCP 47), which is also where its pages are.
    pub(crate) tag: &'static str,
    /// Whether it is written from right to left.
    pub(crate) right_to_left: bool,
    messages: HashMap<&'static str, String>,
}

const FILES: [(&str, &str); 8] = [
    ("en", include_str!("words/en.ftl")),
    ("es", include_str!("words/es.ftl")),
    ("fr", include_str!("words/fr.ftl")),
    ("de", include_str!("words/de.ftl")),
    ("pt", include_str!("words/pt.ftl")),
    ("ru", include_str!("words/ru.ftl")),
    ("ar", include_str!("words/ar.ftl")),
    ("zh", include_str!("words/zh.ftl")),
];

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let language = |(tag, file): (&'static str, &'static str)| Language { tag, right_to_left: tag == "ar", messages: read(file) };
    FILES.into_iter().map(language).collect()
});

/// Every language, the first of which is spoken to whoever asks for none that there is.
pub(crate) fn languages() -> &'static [Language] {
    &LANGUAGES
}

impl Language {
    /// The language with this tag.
    pub(crate) fn by_tag(tag: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.tag == tag)
    }

    /// The first language of an `Accept-Language` header (RFC 9110 section 12.5.4) that there is; weights are not looked at, since browsers list by them.
    pub(crate) fn accepted(header: &str) -> &'static Self {
        let tags = header.split(',').filter_map(|part| part.trim().get(..2));
        tags.filter_map(|tag| Self::by_tag(&tag.to_ascii_lowercase())).next().unwrap_or(&LANGUAGES[0])
    }

    /// A message. A name that no file has is shown as itself, which a test would have found.
    pub(crate) fn say(&self, name: &'static str) -> &str {
        self.messages.get(name).map_or(name, String::as_str)
    }

    /// A message with its variables put in.
    pub(crate) fn say_with(&self, name: &'static str, variables: &[(&str, &str)]) -> String {
        let mut text = self.say(name).to_owned();
        for (variable, value) in variables {
            text = text.replace(&format!("{{ ${variable} }}"), value);
        }
        text
    }
}

fn read(file: &'static str) -> HashMap<&'static str, String> {
    let mut messages: HashMap<&'static str, String> = HashMap::new();
    let mut last = None;
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(' ') {
            if let Some(message) = last.and_then(|name| messages.get_mut(name)) {
                if !message.is_empty() {
                    message.push(' ');
                }
                message.push_str(line.trim());
            }
        } else if let Some((name, text)) = line.split_once(" =") {
            messages.insert(name, text.trim().to_owned());
            last = Some(name);
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn variables(text: &str) -> BTreeSet<String> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().trim().to_owned()).collect()
    }

    #[test]
    fn every_language_has_every_message_with_its_variables_and_nothing_else() {
        let english = &languages()[0];
        let names: BTreeSet<_> = english.messages.keys().collect();
        assert!(names.len() > 60);
        for language in languages() {
            assert_eq!(language.messages.keys().collect::<BTreeSet<_>>(), names, "{}", language.tag);
            for (name, text) in &language.messages {
                assert!(!text.is_empty(), "{} has no {name}", language.tag);
                assert_eq!(variables(text), variables(english.say(name)), "{} in {}", name, language.tag);
                assert!(language.tag == "en" || text != english.say(name) || text.len() < 12, "{name} of {} is English", language.tag);
            }
        }
    }

    #[test]
    fn files_are_of_the_form_that_is_read() {
        for (tag, file) in FILES {
            let mut seen = BTreeSet::new();
            for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("    ")) {
                let (name, _) = line.split_once(" =").unwrap_or_else(|| panic!("{tag}: {line}"));
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{tag}: {line}");
                assert!(seen.insert(name), "{tag} has {name} twice");
            }
        }
    }

    #[test]
    fn every_message_that_the_pages_say_exists_and_every_message_is_said() {
        let code = concat!(include_str!("pages.rs"), include_str!("pages/mailbox.rs"), include_str!("pages/stop.rs"));
        let said: BTreeSet<&str> = code.split('"').skip(1).step_by(2).filter(|text| languages()[0].messages.contains_key(text)).collect();
        let all: BTreeSet<&str> = languages()[0].messages.keys().copied().collect();
        assert_eq!(said, all);
        let calls = code.split(".say(\"").skip(1).chain(code.split(".say_with(\"").skip(1));
        for name in calls.map(|rest| rest.split('"').next().unwrap()) {
            assert!(all.contains(name), "no file has {name}");
        }
    }

    #[test]
    fn a_browsers_wish_is_met_where_it_can_be() {
        for (header, tag) in [("de-AT,de;q=0.8,en;q=0.5", "de"), ("xx, zh-Hant", "zh"), ("", "en"), ("é", "en"), ("AR", "ar")] {
            assert_eq!(Language::accepted(header).tag, tag);
        }
    }

    #[test]
    fn variables_are_put_in_and_lines_that_go_on_are_joined() {
        let read = read("# remark\na = one\n    two { $n }\n\nb =\n    three\n");
        assert_eq!((read["a"].as_str(), read["b"].as_str()), ("one two { $n }", "three"));
        assert!(languages()[0].say_with("mailbox-broke", &[("n", "7")]).contains('7'));
    }
}
