//! What is said of a document once its pages were tried.

use daylight_model::reading::page_list;
use daylight_model::{Fault, FaultCode, Stage};
use daylight_store::{Outcome, RecognisedPage};

/// So many different reasons are told of one document.
const MOST_REASONS: usize = 10;

/// Whether a fault says that text is to be recognised, or was.
pub(super) fn is_about_recognition(fault: &Fault) -> bool {
    matches!(fault.code, FaultCode::NeedsRecognition | FaultCode::Recognised)
        || fault.tool.starts_with("recognise ")
        || fault.code == FaultCode::NoReader && fault.tool == "picture 1"
}

/// The faults that stand in the place of the one that wanted recognition.
pub(super) fn outcome(pages: &[RecognisedPage], paged: bool, tool: &str) -> Vec<Fault> {
    let fault = |code, detail: String, limit| Fault { stage: Stage::Read, code, tool: tool.to_owned(), detail, limit, at: None };
    let mut faults = Vec::new();
    let told = told(pages, paged);
    if !told.is_empty() {
        faults.push(fault(FaultCode::Recognised, told, None));
    }
    let mut reasons: Vec<(FaultCode, &str, Option<u64>)> = Vec::new();
    let mut others = Vec::new();
    for page in pages {
        let Some((code, why, limit)) = &page.problem else { continue };
        let code = if page.outcome == Outcome::Failed { FaultCode::NeedsRecognition } else { *code };
        match reasons.contains(&(code, why, *limit)) {
            true => {}
            false if reasons.len() < MOST_REASONS => reasons.push((code, why, *limit)),
            false => others.push(page.page),
        }
    }
    for (code, why, limit) in &reasons {
        let of = |page: &&RecognisedPage| page.problem.as_ref().is_some_and(|(_, what, most)| (what.as_str(), most) == (*why, limit));
        let which: Vec<u32> = pages.iter().filter(of).map(|page| page.page).collect();
        let detail = if paged { format!("{}: {why}", page_list(&which)) } else { (*why).to_owned() };
        faults.push(fault(*code, detail, *limit));
    }
    if !others.is_empty() {
        faults.push(fault(FaultCode::NeedsRecognition, format!("{}: for yet other reasons", page_list(&others)), None));
    }
    faults
}

/// Which pages were read, and on which no word was seen.
fn told(pages: &[RecognisedPage], paged: bool) -> String {
    let of =
        |wanted: &dyn Fn(&RecognisedPage) -> bool| pages.iter().filter(|page| wanted(page)).map(|page| page.page).collect::<Vec<u32>>();
    let words = of(&|page| page.outcome == Outcome::Words);
    let wordless = of(&|page| page.outcome == Outcome::Wordless);
    let replaced = of(&|page| page.outcome == Outcome::Words && page.replaces);
    let mut told = Vec::new();
    if !words.is_empty() {
        let what = if paged { format!("the text of {}", page_list(&words)) } else { "its text".into() };
        told.push(format!("{what} was seen by a machine in a picture and may be wrong"));
    }
    if !replaced.is_empty() {
        told.push(format!("the characters that {} had are left out of it, for they do not say what they stand for", page_list(&replaced)));
    }
    if !wordless.is_empty() {
        told.push(if paged { format!("no word was seen on {}", page_list(&wordless)) } else { "no word was seen in it".into() });
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: u32, outcome: Outcome, why: Option<&str>) -> RecognisedPage {
        let problem = why.map(|why| (FaultCode::TooSlow, why.to_owned(), None));
        RecognisedPage { page, outcome, replaces: page == 2, tool: "x".into(), problem, text: String::new() }
    }

    #[test]
    fn what_was_seen_what_was_not_and_what_failed_are_told_apart() {
        let pages = [
            page(1, Outcome::Words, None),
            page(2, Outcome::Words, None),
            page(4, Outcome::Wordless, None),
            page(5, Outcome::Failed, Some("slow")),
            page(6, Outcome::Failed, Some("slow")),
        ];
        let faults = outcome(&pages, true, "recognise 1, x");
        let told: Vec<(FaultCode, &str)> = faults.iter().map(|fault| (fault.code, fault.detail.as_str())).collect();
        let expected = "the text of pages 1-2 was seen by a machine in a picture and may be wrong; the characters that page 2 had are left out of it, \
                        for they do not say what they stand for; no word was seen on page 4";
        assert_eq!(told, [(FaultCode::Recognised, expected), (FaultCode::NeedsRecognition, "pages 5-6: slow")]);
        assert!(faults.iter().all(is_about_recognition));
        let alone = outcome(&[page(1, Outcome::Wordless, None)], false, "recognise 1, x");
        assert_eq!((alone.len(), alone[0].detail.as_str()), (1, "no word was seen in it"));
    }
}
