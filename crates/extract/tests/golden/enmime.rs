//! enmime: its golden files are messages as it writes them. Where the message that it read lies beside, both must read the same.

use crate::ours::{Message, corpus, message, read};
use std::fs;

#[test]
fn what_enmime_writes_reads_as_what_it_read() {
    let Some(folder) = corpus("mail/enmime/testdata/encode") else { return };
    let of = |name: &str| -> Message { message(&read("x.eml", &fs::read(folder.join(name)).unwrap()), 0).unwrap() };
    for option in ["html", "text"] {
        let raw = of(&format!("parser-raw-content-{option}-option.raw"));
        for set in ["true", "false"] {
            let golden = of(&format!("parser-raw-content-{option}-option-{set}.raw.golden"));
            assert_eq!(golden.subject, raw.subject, "{option} {set}");
            // It writes its fields in the order of their names.
            let people = |message: &Message| message.people.iter().map(|one| format!("{one:?}")).collect::<std::collections::BTreeSet<_>>();
            assert_eq!((people(&golden), golden.date, &golden.id), (people(&raw), raw.date, &raw.id), "{option} {set}");
            assert_eq!(golden.words, raw.words, "{option} {set}");
            let files = |message: &Message| {
                message.attachments.iter().map(|one| (one.name.clone(), one.claimed.clone(), one.bytes.clone())).collect::<Vec<_>>()
            };
            assert_eq!(files(&golden), files(&raw), "{option} {set}");
        }
    }
}
