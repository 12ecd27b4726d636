use super::*;
use crate::Outline;
use crate::store::Folder;
use crate::tests::{TestArchive, document};
use crate::withdraw::Copies;
use std::collections::BTreeMap;

fn planned(archive: &TestArchive, serial: u64) -> Result<(Plan, BTreeMap<String, Vec<u8>>), PlanError> {
    let outline = Outline::read(&archive.dir().to_path_buf(), "checkpoint").unwrap();
    let mut files = BTreeMap::new();
    let erased = erased_lines(&outline, serial);
    let plan = plan(&Folder::new(archive.dir()), &outline.releases()[serial as usize - 1], &erased, &mut |path, bytes| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    })?;
    Ok((plan, files))
}

#[test]
fn whatever_follows_from_a_manifest_is_what_was_published() {
    let mut archive = TestArchive::new();
    archive.publish("town", &(1..=700).map(document).collect::<Vec<_>>());
    let mut crowded = document(4);
    crowded.people = 300;
    archive.publish("town", &[document(2), crowded, document(800)]);
    let all = archive.files();
    for serial in [1, 2] {
        let (plan, files) = planned(&archive, serial).unwrap();
        let prefix = format!("release/{serial}/");
        let expected: Vec<&String> =
            all.keys().filter(|path| path.starts_with(&prefix) && (path.contains("/tile/") || path.ends_with(".offsets"))).collect();
        assert_eq!(files.keys().collect::<Vec<_>>(), expected);
        files.iter().for_each(|(path, bytes)| assert!(all[path] == *bytes, "{path}"));
        assert_eq!(plan.volumes, [Some(all[&format!("{prefix}volume/0.zip")].len() as u64)]);
        assert_eq!(plan.refers, if serial == 1 { BTreeSet::new() } else { BTreeSet::from([1]) });
    }
    // Without the volume that has the long record, how long it is cannot be told; that it is there can.
    std::fs::remove_file(archive.dir().join("release/2/volume/0.zip")).unwrap();
    let (plan, files) = planned(&archive, 2).unwrap();
    assert_eq!((plan.volumes, files.len()), (vec![None], 2));
}

#[test]
fn an_erased_line_hides_nothing_where_a_withdrawal_names_it_and_is_refused_elsewhere() {
    let mut archive = TestArchive::new();
    archive.publish("town", &(1..=3).map(document).collect::<Vec<_>>());
    let text = String::from_utf8(archive.read("release/1/manifest/0")).unwrap();
    let whole = planned(&archive, 1).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let leaf = RawLine::parse(lines[1].as_bytes()).unwrap().leaf_data();
    lines[1] = format!("- {leaf:<width$}", leaf = leaf.to_string(), width = lines[1].len() - 2);
    let erased = format!("{}\n", lines.join("\n"));
    archive.write("release/1/manifest/0", erased.as_bytes());
    assert!(matches!(planned(&archive, 1), Err(PlanError::Wrong { what, .. }) if what.contains("no withdrawal in the log")));
    archive.write("release/1/manifest/0", text.as_bytes());
    archive.withdraw("town", &[2], Copies::Erase);
    for manifest in [&text, &erased] {
        archive.write("release/1/manifest/0", manifest.as_bytes());
        let (plan, files) = planned(&archive, 1).unwrap();
        assert_eq!((plan.erased, &plan.volumes, &files), (true, &whole.0.volumes, &whole.1));
    }
    for wrong in [
        text.replacen("reservoir", "x", 1).replacen("message", "massage", 1),
        format!("{text}+ x\n"),
        text[..100].to_owned(),
        String::new(),
    ] {
        archive.write("release/1/manifest/0", wrong.as_bytes());
        assert!(matches!(planned(&archive, 1), Err(PlanError::Wrong { .. })));
    }
}
