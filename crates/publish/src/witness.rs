//! Witnesses. Before anything is signed they are asked whether they know more of the log than this desk does, for then the desk or the archive is an
//! old copy. After a checkpoint is committed they are asked to cosign it, and once they are enough readers see it.
//!
//! This crate knows no network: who asks is passed in.

use crate::asking::Witnessing;
use crate::promise::LogKey;
use crate::{Error, Result};
use daylight_archive::log::{Tree, empty_root, verify_consistency};
use daylight_archive::note::{Note, Signature};
use daylight_archive::root::{Chain, Root};
use daylight_archive::witness::Prover;
use daylight_archive::witness::{Answer, Submission};
use daylight_archive::{Archive, Checkpoint, Key, Outline, Policy, Witness, paths};
use daylight_durable::{crash_point, sync_dir, write_atomic};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A checkpoint that witnesses are asked about, in the folder that has the log's tiles.
struct Asked<'a> {
    dir: &'a Path,
    policy: &'a Policy,
    /// The keys that the log has, or had.
    log_keys: Vec<Key>,
    checkpoint: &'a Checkpoint,
    /// It, signed by the log alone.
    note: Note,
    /// The size that witnesses probably know.
    old: u64,
}

/// What came of asking all witnesses about one checkpoint.
struct Round {
    /// The places in the policy of those who cosigned, with their lines, in its order.
    cosigned: Vec<(usize, Signature)>,
    /// Why the others did not, in words.
    failed: Vec<String>,
}

/// Refuses to go on where a witness knows more of the log than the archive has, or something else; and where so few answered that the others could
/// have cosigned something newer for readers.
pub(crate) fn before_signing(archive: &Archive, log_key: &LogKey) -> Result<()> {
    let policy = &archive.root().witnesses;
    let Some(witnessing) = asked_for(policy, archive.origin(), log_key)? else { return Ok(()) };
    let checkpoint = archive.checkpoint();
    let note = alone(archive.checkpoint_note(), &archive.root().log)?;
    let asked = Asked { dir: archive.dir(), policy, log_keys: log_keys(archive.chain()), checkpoint, note, old: checkpoint.size };
    let round = ask(&asked, witnessing)?;
    let silent: BTreeSet<usize> = (0..policy.members().len()).filter(|place| !round.has(*place)).collect();
    if policy.needs_witnesses() && policy.is_met_by(&silent) {
        return Err(Error::TooFewAnswered { origin: archive.origin().to_owned(), why: round.failed.join("; ") });
    }
    log_key.hear(round.failed);
    Ok(())
}

/// Before the first checkpoint of an archive whose first root is written in `dir`: refuses where a witness shows that the log's key has signed for
/// the same log before.
pub(crate) fn before_first(dir: &Path, log_key: &LogKey) -> Result<()> {
    let path = dir.join(paths::root_json(1));
    let root = Root::parse(&fs::read(&path).map_err(Error::io(&path))?).map_err(Error::format)?;
    must_ask(&root, log_key)?;
    let Some(witnessing) = asked_for(&root.witnesses, &root.origin, log_key)? else { return Ok(()) };
    let nothing = Checkpoint { origin: root.origin.clone(), size: 0, root: empty_root() };
    let shown = of_all(&root.witnesses, |witness| evidence(witness, &nothing, dir, std::slice::from_ref(&root.log), witnessing));
    // What this desk signed itself it will sign again, to the byte.
    let ours = |seen: &Checkpoint| log_key.promise().is_some_and(|promise| promise.checkpoint == *seen);
    let seen =
        root.witnesses.members().iter().zip(shown).find_map(|(witness, seen)| Some((witness, seen??)).filter(|(_, seen)| !ours(seen)));
    match seen {
        Some((witness, seen)) => Err(seen_more(witness, dir, &nothing, Some(seen.size), true)),
        None => Ok(()),
    }
}

/// Refuses to begin what can only be shown with witnesses where nobody is there to ask them.
pub(crate) fn must_ask(root: &Root, log_key: &LogKey) -> Result<()> {
    let asks = log_key.witnessing().is_some() || !root.witnesses.needs_witnesses();
    if asks { Ok(()) } else { Err(Error::NobodyAsks(root.origin.clone())) }
}

/// The last steps of a publish: collects the cosignatures that the pending checkpoint needs, and puts it in its place. Where they are too few it stays
/// pending with those that there are, and the next publish asks again about those very bytes.
pub(crate) fn complete(dir: &Path, log_key: &LogKey) -> Result<()> {
    let pending = Outline::read(&dir.to_path_buf(), paths::CHECKPOINT_PENDING)?;
    let (root, checkpoint) = (&pending.in_force().root, pending.checkpoint());
    must_ask(root, log_key)?;
    if let Some(witnessing) = asked_for(&root.witnesses, &root.origin, log_key)? {
        let (policy, note) = (&root.witnesses, alone(pending.checkpoint_note(), &root.log)?);
        let old = shown_size(dir).min(checkpoint.size);
        let asked = Asked { dir, policy, log_keys: log_keys(pending.chain()), checkpoint, note, old };
        let round = ask(&asked, witnessing)?;
        // A crash here leaves witnesses who have seen a checkpoint that readers have not: they are asked again, and cosign it again.
        crash_point("publish.asked");
        let cosigned = in_order(&asked, pending.checkpoint_note(), &round);
        if cosigned != *pending.checkpoint_note() {
            let path = dir.join(paths::CHECKPOINT_PENDING);
            write_atomic(&path, &cosigned.to_bytes()).map_err(Error::io(path))?;
        }
        // A crash here leaves a pending checkpoint with cosignatures: the witnesses are asked again, and newer ones take their places.
        crash_point("publish.cosigned");
        enough(&asked, &cosigned, &round)?;
        log_key.hear(round.failed);
    }
    put_in_place(dir)
}

fn enough(asked: &Asked<'_>, cosigned: &Note, round: &Round) -> Result<()> {
    let witnessed = asked.policy.witnessed(cosigned).map_err(Error::format)?;
    if witnessed.met {
        return Ok(());
    }
    let have: Vec<String> = witnessed.witnesses.into_iter().filter(|seen| seen.time.is_some()).map(|seen| seen.witness).collect();
    let have = if have.is_empty() { "none".to_owned() } else { have.join(", ") };
    let Checkpoint { origin, size, .. } = asked.checkpoint.clone();
    Err(Error::Waiting { origin, size, needed: witnessed.needed, have, why: round.failed.join("; ") })
}

/// Renames the pending checkpoint: from here on readers see the release.
fn put_in_place(dir: &Path) -> Result<()> {
    let checkpoint = dir.join(paths::CHECKPOINT);
    fs::rename(dir.join(paths::CHECKPOINT_PENDING), &checkpoint).map_err(Error::io(&checkpoint))?;
    // A crash here may lose the new name and keep the old one: then the pending checkpoint is still there, and is renamed again.
    crash_point("publish.renamed");
    sync_dir(dir).map_err(Error::io(dir))
}

/// How to ask, or `None` where the policy has no witnesses or nobody asks. Errors: one is left out that the policy does not have.
fn asked_for<'a>(policy: &Policy, origin: &str, log_key: &'a LogKey) -> Result<Option<&'a Witnessing>> {
    let Some(witnessing) = log_key.witnessing().filter(|_| !policy.members().is_empty()) else { return Ok(None) };
    let unknown = witnessing.without.iter().find(|name| !policy.members().iter().any(|witness| is_named(witness, name)));
    match unknown {
        Some(name) => Err(Error::NoSuchWitness { origin: origin.to_owned(), name: name.clone() }),
        None => Ok(Some(witnessing)),
    }
}

fn is_named(witness: &Witness, name: &str) -> bool {
    witness.name == name || witness.key.name() == name
}

/// Asks every witness at once. Errors: one of them knows what this desk does not.
fn ask(asked: &Asked<'_>, witnessing: &Witnessing) -> Result<Round> {
    let tiles: PathBuf = asked.dir.to_owned();
    let prove = |old| Tree::new(&tiles, "", asked.checkpoint.size).consistency(old).ok();
    let mut round = Round { cosigned: Vec::new(), failed: Vec::new() };
    for (place, (witness, answer)) in asked.policy.members().iter().zip(answers(asked, &prove, witnessing)).enumerate() {
        let accuses = is_left_out(witness, witnessing) || matches!(answer, Answer::Larger(_) | Answer::Inconsistent);
        let seen = if accuses { evidence(witness, asked.checkpoint, asked.dir, &asked.log_keys, witnessing) } else { None };
        match (answer, seen) {
            (_, Some(seen)) => return Err(seen_more(witness, asked.dir, asked.checkpoint, Some(seen.size), true)),
            (Answer::Larger(size), None) => return Err(seen_more(witness, asked.dir, asked.checkpoint, Some(size), false)),
            (Answer::Inconsistent, None) => return Err(seen_more(witness, asked.dir, asked.checkpoint, None, false)),
            (Answer::Cosigned(signature), None) => round.cosigned.push((place, signature)),
            (Answer::Failed(why), None) => round.failed.push(format!("witness {}: {why}", witness.key.name())),
        }
    }
    Ok(round)
}

fn is_left_out(witness: &Witness, witnessing: &Witnessing) -> bool {
    witnessing.without.iter().any(|name| is_named(witness, name))
}

/// The answers of all witnesses, in the order of the policy.
fn answers(asked: &Asked<'_>, prove: &Prover<'_>, witnessing: &Witnessing) -> Vec<Answer> {
    let what = Submission { checkpoint: asked.checkpoint, note: &asked.note, old: asked.old, prove };
    let answers = of_all(asked.policy, |witness| match is_left_out(witness, witnessing) {
        true => Answer::Failed("its word was not asked for".into()),
        false => witnessing.asker.submit(witness, &what),
    });
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Answer::Failed("asking it failed".into()))).collect()
}

/// Does the same with every witness, each in a thread of its own; `None` where that thread died.
fn of_all<T: Send>(policy: &Policy, work: impl Fn(&Witness) -> T + Sync) -> Vec<Option<T>> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = policy.members().iter().map(|witness| scope.spawn(move || work(witness))).collect();
        threads.into_iter().map(|thread| thread.join().ok()).collect()
    })
}

/// A checkpoint that a witness shows, that the log's key signed, and that `known` does not continue: so it is not the witness's word alone.
fn evidence(witness: &Witness, known: &Checkpoint, dir: &Path, log_keys: &[Key], witnessing: &Witnessing) -> Option<Checkpoint> {
    let bytes = witnessing.asker.shown(witness, &known.origin)?;
    let (seen, _) = log_keys.iter().find_map(|key| Checkpoint::open(&bytes, key).ok())?;
    (!begins_with(dir, known, &seen)).then_some(seen)
}

/// Whether the log of `known` begins with that of `seen`.
fn begins_with(dir: &Path, known: &Checkpoint, seen: &Checkpoint) -> bool {
    let tiles: PathBuf = dir.to_owned();
    let path = if seen.size <= known.size { Tree::new(&tiles, "", known.size).consistency(seen.size).ok() } else { None };
    path.is_some_and(|path| verify_consistency(seen.size, &seen.root, known.size, &known.root, &path).is_ok())
}

fn seen_more(witness: &Witness, dir: &Path, known: &Checkpoint, size: Option<u64>, shown: bool) -> Error {
    let seen = match size {
        Some(size) => format!("a checkpoint of log size {size}"),
        None => "another history".to_owned(),
    };
    let (witness, archive, found) = (witness.key.name().to_owned(), dir.to_owned(), known.size);
    if shown { Error::SeenMore { witness, seen, archive, found } } else { Error::SaysMore { witness, seen, archive, found } }
}

/// The keys that the log has and had.
fn log_keys(chain: &Chain) -> Vec<Key> {
    chain.links().iter().map(|link| link.root.log.clone()).collect()
}

/// A checkpoint with the line of this key alone.
pub(crate) fn alone(note: &Note, key: &Key) -> Result<Note> {
    let lines: Vec<Signature> = note.signatures().iter().filter(|signature| signature.is_by(key)).cloned().collect();
    signed_alone(note, &lines).ok_or_else(|| Error::Format("the checkpoint is not signed by the log's key".into()))
}

/// A note with these of its lines alone; `None` where it does not have them, or none is asked for.
pub(crate) fn signed_alone(note: &Note, lines: &[Signature]) -> Option<Note> {
    let mut alone = Note::new(note.text()).ok()?;
    lines.iter().for_each(|line| alone.add_signature(line.clone()));
    (!lines.is_empty() && lines.iter().all(|line| note.signatures().contains(line))).then_some(alone)
}

/// The checkpoint's lines in the order in which they are published: the log's, then one a witness in the order of the policy. A cosignature of now
/// goes before one that the pending checkpoint has already.
fn in_order(asked: &Asked<'_>, pending: &Note, round: &Round) -> Note {
    let mut note = asked.note.clone();
    for (place, witness) in asked.policy.members().iter().enumerate() {
        let now = round.cosigned.iter().find(|(of, _)| *of == place).map(|(_, signature)| signature);
        let before = || pending.signatures().iter().find(|signature| signature.is_by(&witness.key));
        if let Some(signature) = now.or_else(before) {
            note.add_signature(signature.clone());
        }
    }
    note
}

/// The size of the log that readers see; 0 where there is nothing to see.
fn shown_size(dir: &Path) -> u64 {
    let note = fs::read(dir.join(paths::CHECKPOINT)).ok().and_then(|bytes| Note::parse(&bytes).ok());
    note.and_then(|note| Checkpoint::parse_text(note.text()).ok()).map_or(0, |checkpoint| checkpoint.size)
}

impl Round {
    fn has(&self, place: usize) -> bool {
        self.cosigned.iter().any(|(of, _)| *of == place)
    }
}
