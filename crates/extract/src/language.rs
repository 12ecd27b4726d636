//! Which language a text is in, told by its script and by groups of three letters.

use whatlang::{Detector, Lang};

/// So much of a text is looked at, and so much of its beginning for that.
const SAMPLE: usize = 8 << 10;
const BEGINNING: usize = 256 << 10;
/// Fewer letters than these tell nothing.
const LEAST: usize = 24;
/// Nobody writes documents in these today, but scraps of text look like them.
const NOT_ASKED: [Lang; 2] = [Lang::Epo, Lang::Lat];

/// The language of a text as ISO 639-1 has it, if it can be told: quoted lines, addresses and numbers are not looked at.
pub fn language(text: &str) -> Option<&'static str> {
    let sample = sample(text);
    if sample.chars().filter(|c| c.is_alphabetic()).count() < LEAST && sample.is_ascii() {
        return None;
    }
    let found = Detector::with_denylist(NOT_ASKED.to_vec()).detect(&sample)?;
    (found.is_reliable() || found.confidence() >= 0.8).then(|| code(found.lang()))
}

/// The words of a text, without what is quoted and what is no word.
fn sample(text: &str) -> String {
    let mut sample = String::new();
    let beginning = &text[..text.floor_char_boundary(BEGINNING)];
    for line in beginning.lines().filter(|line| !line.starts_with('>')) {
        for word in line.split_whitespace() {
            let odd = word.contains(['@', '_', '=', '\\', '{', '<']) || word.contains("://") || word.bytes().any(|b| b.is_ascii_digit());
            if odd || word.len() > 200 && word.is_ascii() {
                continue;
            }
            if sample.len() + word.len() > SAMPLE {
                // Scripts without spaces have words as long as their lines.
                sample.push_str(&word[..word.floor_char_boundary(SAMPLE.saturating_sub(sample.len()))]);
                return sample;
            }
            sample.push_str(word);
            sample.push(' ');
        }
    }
    sample
}

fn code(lang: Lang) -> &'static str {
    match lang {
        Lang::Epo => "eo",
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Cmn => "zh",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Ben => "bn",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ukr => "uk",
        Lang::Kat => "ka",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Heb => "he",
        Lang::Yid => "yi",
        Lang::Pol => "pl",
        Lang::Amh => "am",
        Lang::Jav => "jv",
        Lang::Kor => "ko",
        Lang::Nob => "nb",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Fin => "fi",
        Lang::Tur => "tr",
        Lang::Nld => "nl",
        Lang::Hun => "hu",
        Lang::Ces => "cs",
        Lang::Ell => "el",
        Lang::Bul => "bg",
        Lang::Bel => "be",
        Lang::Mar => "mr",
        Lang::Kan => "kn",
        Lang::Ron => "ro",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        Lang::Tam => "ta",
        Lang::Vie => "vi",
        Lang::Urd => "ur",
        Lang::Tha => "th",
        Lang::Guj => "gu",
        Lang::Uzb => "uz",
        Lang::Pan => "pa",
        Lang::Aze => "az",
        Lang::Ind => "id",
        Lang::Tel => "te",
        Lang::Pes => "fa",
        Lang::Mal => "ml",
        Lang::Ori => "or",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Sin => "si",
        Lang::Khm => "km",
        Lang::Tuk => "tk",
        Lang::Aka => "ak",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        Lang::Afr => "af",
        Lang::Lat => "la",
        Lang::Slk => "sk",
        Lang::Cat => "ca",
        Lang::Tgl => "tl",
        Lang::Hye => "hy",
        Lang::Cym => "cy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_tells_its_language() {
        for (expected, text) in [
            (
                "en",
                "Please find attached the minutes of the meeting that was held on the third floor last week, and let me know what is missing.",
            ),
            (
                "de",
                "Anbei finden Sie das Protokoll der Sitzung von letzter Woche; bitte sagen Sie mir, was darin noch fehlt oder falsch ist.",
            ),
            ("fr", "Veuillez trouver ci-joint le compte rendu de la réunion de la semaine dernière et me dire ce qui manque encore."),
            ("es", "Adjunto le envío el acta de la reunión de la semana pasada; por favor dígame lo que todavía falta en ella."),
            ("pt", "Segue em anexo a ata da reunião da semana passada; por favor diga-me o que ainda está em falta nela."),
            ("it", "In allegato trova il verbale della riunione della settimana scorsa; mi dica per favore che cosa manca ancora."),
            (
                "nl",
                "Bijgaand vindt u de notulen van de vergadering van vorige week; laat mij alstublieft weten welke stukken er volgens u nog aan ontbreken, zodat wij die kunnen toevoegen.",
            ),
            ("pl", "W załączeniu przesyłam protokół z zebrania, które odbyło się w zeszłym tygodniu; proszę napisać, czego brakuje."),
            ("ru", "Во вложении вы найдёте протокол заседания, которое прошло на прошлой неделе; напишите, пожалуйста, чего не хватает."),
            ("uk", "У вкладенні ви знайдете протокол засідання, яке відбулося минулого тижня; напишіть, будь ласка, чого бракує."),
            ("tr", "Geçen hafta yapılan toplantının tutanağını ekte bulabilirsiniz; lütfen eksik olanları bana bildirin."),
            ("ar", "تجدون في المرفق محضر الاجتماع الذي عقد في الأسبوع الماضي، ويرجى إبلاغي بما ينقصه."),
            ("he", "מצורף בזה פרוטוקול הישיבה שהתקיימה בשבוע שעבר, ואנא הודיעו לי מה חסר בו."),
            ("el", "Επισυνάπτω τα πρακτικά της συνεδρίασης της περασμένης εβδομάδας και παρακαλώ πείτε μου τι λείπει."),
            ("zh", "附件是上周会议的记录，请告诉我还缺少什么内容，我会尽快补充。"),
            ("ja", "先週の会議の議事録を添付しますので、足りないところがあれば教えてください。"),
            ("ko", "지난주 회의의 회의록을 첨부하니 빠진 것이 있으면 알려 주시기 바랍니다."),
        ] {
            assert_eq!(language(text), Some(expected), "{text}");
            let quoted =
                format!("> this line was written by somebody else in English and it is long\n{text}\nhttps://town.example/english/words");
            assert_eq!(language(&quoted), Some(expected), "{text}");
        }
        for nothing in ["", "12345 67890", "ok", "a@b.example c@d.example"] {
            assert_eq!(language(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_public_list_in_english_is_in_english() {
        let Some(corpora) = crate::tests::corpora() else { return };
        let declaration = std::fs::read(corpora.join("documents/ingest-file/tests/fixtures/udhr_ger.txt")).unwrap();
        let heard = crate::tests::hear("x.txt", &declaration);
        assert_eq!(language(&heard.text(0, daylight_model::reading::Label::Body)), Some("de"));
        let heard = crate::tests::hear("x.gz", &std::fs::read(corpora.join("mail/linux-man-2020.mbox.gz")).unwrap());
        let mut told = std::collections::BTreeMap::<_, usize>::new();
        for (.., text) in heard.texts.iter().filter(|(_, label, text)| *label == daylight_model::reading::Label::Body && text.len() > 200) {
            *told.entry(language(text)).or_default() += 1;
        }
        println!("{told:?}");
        let english = told.get(&Some("en")).copied().unwrap_or(0);
        let others: usize = told.iter().filter(|(language, _)| !matches!(language, None | Some("en"))).map(|(_, count)| count).sum();
        assert!(english > others * 20);
    }
}
