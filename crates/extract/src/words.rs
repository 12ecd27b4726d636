//! What is known of a document's words: gathered while its text is given, piece by piece, so that no text is held for it.

mod language;
mod lines;
mod sketch;
#[cfg(test)]
mod tests;

use daylight_model::Sketch;
use daylight_model::reading::Label;
use lines::Lines;

/// Makes the table of small words by which languages are told.
pub(crate) fn prepare() {
    language::prepare();
}

/// The words of one document so far.
#[derive(Default)]
pub(crate) struct Words {
    lines: Lines,
    sample: language::Sample,
    sketch: sketch::Sketcher,
}

impl Words {
    /// Takes the next piece of a document's text. What not everybody sees, and what stands at the head of every page, says nothing of its language
    /// and does not make it another text.
    pub(crate) fn add(&mut self, label: Label, text: &str) {
        if !matches!(label, Label::Body | Label::Recognised) {
            return;
        }
        let Self { lines, sample, sketch } = self;
        lines.own(text, &mut |line, quoted| {
            sketch.add(line, &mut |heard| {
                if !quoted {
                    sample.hear(&heard);
                }
            });
        });
    }

    /// The language and the sketch of all of it, empty and `None` where there is too little.
    pub(crate) fn end(self) -> (&'static str, Option<Sketch>) {
        (self.sample.language().unwrap_or_default(), self.sketch.end())
    }
}
