//! Witnesses. Before anything is signed they are asked whether they know more of the log than this desk does, for then the desk or the archive is an
//! old copy. After a checkpoint is committed they are asked to cosign it, and once they are enough readers see it.
//!
//! This crate knows no network: who asks is passed in.

use crate::promise::LogKey;
use crate::{Error, Result};
use daylight_archive::log::{Files, Tree, verify_consistency};
use daylight_archive::note::Signature;
use daylight_archive::witness::Prover;
pub use daylight_archive::witness::{Answer, Submission};
use daylight_archive::{Archive, Checkpoint, Outline, Policy, Witness, note::Note, paths};
use daylight_durable::{crash_point, sync_dir, write_atomic};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who asks witnesses. Several threads ask at once, one for each witness.
pub trait Witnesses: Sync {
    /// Asks one to cosign a checkpoint, as often as it takes to learn the size that it knows.
    fn submit(&self, witness: &Witness, what: &Submission<'_>) -> Answer;

    /// The last checkpoint of the log with this origin that one shows to have cosigned; `None` where it shows none.
    fn shown(&self, witness: &Witness, origin: &str) -> Option<Vec<u8>>;
}

/// How witnesses are asked in a publish.
#[derive(Clone, Copy)]
pub struct Witnessing<'a> {
    /// Who asks.
    pub asker: &'a dyn Witnesses,
    /// Witnesses whose word is not taken, by their name in the policy or that of their key: they are not asked to cosign, and only a checkpoint that
    /// they show and that the log's key signed counts against it.
    pub without: &'a [String],
    /// The desk was restored from a backup, and the archive is the newest copy: what witnesses have seen of it counts as signed by this desk.
    pub recovered: bool,
}

/// What came of asking all witnesses about one checkpoint.
struct Round {
    /// The places in the policy of those who cosigned, with their lines, in its order.
    cosigned: Vec<(usize, Signature)>,
    /// Why the others did not, in words.
    failed: Vec<String>,
}

/// A checkpoint, the log that it is of, and the folder with that log's tiles.
struct Asked<'a> {
    dir: &'a Path,
    policy: &'a Policy,
    checkpoint: &'a Checkpoint,
    note: Note,
    /// The size that witnesses probably know.
    old: u64,
}

/// Refuses to go on where a witness knows more of the log than the archive has, or something else; and where so few answered that the others
/// could have cosigned something newer for readers. Gives warnings about those who did not answer.
pub(crate) fn before_signing(archive: &Archive, log_key: &LogKey, witnessing: Option<Witnessing<'_>>) -> Result<Vec<String>> {
    let policy = &archive.root().witnesses;
    let Some(witnessing) = asked_for(policy, archive.origin(), witnessing)? else { return Ok(Vec::new()) };
    let checkpoint = archive.checkpoint();
    let note = signed_by_log(archive.checkpoint_note(), log_key)?;
    let asked = Asked { dir: archive.dir(), policy, checkpoint, note, old: checkpoint.size };
    let round = ask(&asked, log_key, &witnessing)?;
    let silent: BTreeSet<usize> = (0..policy.members().len()).filter(|place| !round.has(*place)).collect();
    if policy.needs_witnesses() && policy.is_met_by(&silent) {
        return Err(Error::TooFewAnswered { origin: archive.origin().to_owned(), why: round.failed.join("; ") });
    }
    Ok(round.failed)
}

/// Before the first checkpoint of an archive: refuses where a witness shows that the log's key has signed one before.
pub(crate) fn before_first(dir: &Path, policy: &Policy, log_key: &LogKey, witnessing: Option<Witnessing<'_>>) -> Result<()> {
    let Some(witnessing) = asked_for(policy, log_key.origin(), witnessing)? else { return Ok(()) };
    let empty = Checkpoint { origin: log_key.origin().to_owned(), size: 0, root: daylight_archive::log::empty_root() };
    let shown = of_all(policy, |witness| {
        // What this desk signed itself it will sign again, to the byte.
        evidence(witness, &empty, dir, log_key, &witnessing).filter(|seen| log_key.promised() != Some(seen))
    });
    match policy.members().iter().zip(shown).find_map(|(witness, shown)| Some((witness, shown??))) {
        Some((witness, seen)) => Err(seen_more(witness, dir, &empty, Some(seen.size), true)),
        None => Ok(()),
    }
}

/// The last steps of a publish: collects the cosignatures that the pending checkpoint needs, and puts it in its place. Where they are too few it stays
/// pending with those that there are, and the next publish asks again about those very bytes. Gives warnings about witnesses that did not cosign.
pub(crate) fn complete(dir: &Path, log_key: &LogKey, witnessing: Option<Witnessing<'_>>) -> Result<Vec<String>> {
    let pending = Outline::read(&dir.to_path_buf(), paths::CHECKPOINT_PENDING)?;
    let (policy, checkpoint) = (&pending.in_force().root.witnesses, pending.checkpoint());
    let mut warnings = Vec::new();
    if let Some(witnessing) = asked_for(policy, &checkpoint.origin, witnessing)? {
        let note = signed_by_log(pending.checkpoint_note(), log_key)?;
        let asked = Asked { dir, policy, checkpoint, note, old: shown_size(dir).min(checkpoint.size) };
        let round = ask(&asked, log_key, &witnessing)?;
        // A crash here leaves witnesses who have seen a checkpoint that readers have not: they are asked again, and cosign it again.
        crash_point("publish.asked");
        let cosigned = in_order(&asked, pending.checkpoint_note(), &round);
        if cosigned != *pending.checkpoint_note() {
            let path = dir.join(paths::CHECKPOINT_PENDING);
            write_atomic(&path, &cosigned.to_bytes()).map_err(Error::io(path))?;
        }
        // A crash here leaves a pending checkpoint with cosignatures: the witnesses are asked again, and newer ones take their places.
        crash_point("publish.cosigned");
        let standing = policy.standing(&cosigned).map_err(Error::format)?;
        if !standing.met {
            let have: Vec<String> = standing.witnesses.into_iter().filter(|seen| seen.time.is_some()).map(|seen| seen.witness).collect();
            let have = if have.is_empty() { "none".to_owned() } else { have.join(", ") };
            let (origin, size, why) = (checkpoint.origin.clone(), checkpoint.size, round.failed.join("; "));
            return Err(Error::Waiting { origin, size, needed: standing.needed, have, why });
        }
        warnings = round.failed;
    }
    put_in_place(dir)?;
    Ok(warnings)
}

/// Renames the pending checkpoint: from here on readers see the release.
fn put_in_place(dir: &Path) -> Result<()> {
    let checkpoint = dir.join(paths::CHECKPOINT);
    fs::rename(dir.join(paths::CHECKPOINT_PENDING), &checkpoint).map_err(Error::io(&checkpoint))?;
    // A crash here may lose the new name and keep the old one: then the pending checkpoint is still there, and is renamed again.
    crash_point("publish.renamed");
    sync_dir(dir).map_err(Error::io(dir))
}

/// How to ask, or `None` where the policy has no witnesses. Errors: it needs some, and nobody can ask; or one is left out that it does not have.
fn asked_for<'a>(policy: &Policy, origin: &str, witnessing: Option<Witnessing<'a>>) -> Result<Option<Witnessing<'a>>> {
    if policy.members().is_empty() {
        return Ok(None);
    }
    let Some(witnessing) = witnessing else {
        return if policy.needs_witnesses() { Err(Error::NobodyAsks(origin.to_owned())) } else { Ok(None) };
    };
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
fn ask(asked: &Asked<'_>, log_key: &LogKey, witnessing: &Witnessing<'_>) -> Result<Round> {
    let tiles: PathBuf = asked.dir.to_owned();
    let prove = |old| Tree::new(&tiles, "", asked.checkpoint.size).consistency(old).ok();
    let answers = answers(asked, &prove, witnessing);
    let mut round = Round { cosigned: Vec::new(), failed: Vec::new() };
    for (place, (witness, answer)) in asked.policy.members().iter().zip(answers).enumerate() {
        let left_out = witnessing.without.iter().any(|name| is_named(witness, name));
        let accuses = left_out || matches!(answer, Answer::Larger(_) | Answer::Inconsistent);
        let seen = if accuses { evidence(witness, asked.checkpoint, asked.dir, log_key, witnessing) } else { None };
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

/// The answers of all witnesses, in the order of the policy.
fn answers(asked: &Asked<'_>, prove: &Prover<'_>, witnessing: &Witnessing<'_>) -> Vec<Answer> {
    let what = Submission { checkpoint: asked.checkpoint, note: &asked.note, old: asked.old, prove };
    let answers = of_all(asked.policy, |witness| answer(witness, &what, witnessing));
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Answer::Failed("asking it failed".into()))).collect()
}

/// Does the same with every witness, each in a thread of its own; `None` where that thread died.
fn of_all<T: Send>(policy: &Policy, work: impl Fn(&Witness) -> T + Sync) -> Vec<Option<T>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = policy.members().iter().map(|witness| scope.spawn({
            let work = &work;
            move || work(witness)
        })).collect();
        threads.into_iter().map(|thread| thread.join().ok()).collect()
    })
}

fn answer(witness: &Witness, what: &Submission<'_>, witnessing: &Witnessing<'_>) -> Answer {
    if witnessing.without.iter().any(|name| is_named(witness, name)) {
        return Answer::Failed("its word was not asked for".into());
    }
    witnessing.asker.submit(witness, what)
}

/// A checkpoint that a witness shows, that the log's key signed, and that `known`'s log does not begin with: so it is not the witness's word alone.
fn evidence(witness: &Witness, known: &Checkpoint, dir: &Path, log_key: &LogKey, witnessing: &Witnessing<'_>) -> Option<Checkpoint> {
    let bytes = witnessing.asker.shown(witness, &known.origin)?;
    let (seen, _) = Checkpoint::open(&bytes, &log_key.signer().key()).ok()?;
    (!begins_with(dir, known, &seen)).then_some(seen)
}

/// Whether the log of `known` begins with that of `seen`.
fn begins_with(dir: &Path, known: &Checkpoint, seen: &Checkpoint) -> bool {
    let files: PathBuf = dir.to_owned();
    let files: &dyn Files = &files;
    let path = if seen.size <= known.size { Tree::new(files, "", known.size).consistency(seen.size).ok() } else { None };
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

/// The checkpoint with the log's line alone.
fn signed_by_log(note: &Note, log_key: &LogKey) -> Result<Note> {
    let key = log_key.signer().key();
    let mut alone = Note::new(note.text()).map_err(Error::format)?;
    note.signatures().iter().filter(|signature| signature.is_by(&key)).for_each(|signature| alone.add_signature(signature.clone()));
    Ok(alone)
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
