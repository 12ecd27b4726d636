//! `doctor`: whether the cage around the readers holds here.

use crate::args;
use crate::commands::search::plain;
use crate::output::{self, say};
use crate::place;
use anyhow::Result;
use daylight_ingest::Machine;
use daylight_sandbox::{Caged, Finding, Layer, Outcome, Report, Tool, examine};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(crate) fn doctor(args: &args::Doctor) -> Result<ExitCode> {
    let report = examine(&place::reader()?);
    if args.json {
        output::json(&as_json(&report))?;
    } else {
        in_words(&report)?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_words(report: &Report) -> Result<()> {
    say!("tried by a reader from inside its cage:")?;
    for finding in &report.findings {
        say!("  {:<28} {}", finding.probe.words(), outcome(finding))?;
    }
    say!("layers:")?;
    for layer in Layer::ALL {
        say!("  {:<28} {}", layer.word(), state(layer, report.caged))?;
    }
    say!("system tools:")?;
    say!(
        "  {:<28} {}",
        "in a cage of their own",
        Tool::can_be_caged().map_or_else(|why| format!("no tool is run: {why}"), |()| "yes".into())
    )?;
    say!("  {:<28} {}", "text recognition", recogniser())?;
    say!("  {:<28} {}", "unpacking RAR", unpacker())?;
    say!("a desk's secret keys:")?;
    say!("  {:<28} {}", "TPM", chip())?;
    say!("{}", if report.holds() { "the cage holds" } else { "THE CAGE DOES NOT HOLD: ingest nothing here that you do not trust" })
}

/// What there is to recognise text with. Languages that a desk asks for are looked for when they are needed.
fn recogniser() -> String {
    let turned = |machine: &Machine| {
        if machine.finds_orientation() { "" } else { "; pages that lie on a side are not turned: on Debian install tesseract-ocr-osd" }
    };
    place::recogniser(&[]).map_or_else(|why| format!("none: {why}"), |machine| format!("{machine}{}", turned(&machine)))
}

/// What there is to unpack RAR with.
fn unpacker() -> String {
    place::unpacker().map_or_else(|why| format!("none: {why}"), |unpacker| unpacker.to_string())
}

/// Whether there is a TPM under whose keys a desk's can be sealed.
fn chip() -> String {
    match place::tpm().maker() {
        Ok(maker) => format!("there is one ({}), which `daylight drop protect` uses", plain(&maker)),
        Err(error) => format!("none that can be used: {error}"),
    }
}

fn outcome(finding: &Finding) -> String {
    match &finding.outcome {
        Outcome::Done => "GOT THROUGH".into(),
        Outcome::Unknown(why) => format!("not known: {why}"),
        Outcome::Refused(how) => {
            let alone: Vec<_> = finding.alone.iter().map(|layer| layer.word()).collect();
            format!("refused ({how}); alone by {}", if alone.is_empty() { "none".into() } else { alone.join(", ") })
        }
    }
}

fn state(layer: Layer, caged: Option<Caged>) -> String {
    let Some(caged) = caged else { return "not known: no reader could be caged".into() };
    match layer {
        Layer::Limits | Layer::Seccomp => "in force".into(),
        Layer::Landlock if caged.landlock > 0 => format!("in force, version {} of its interface", caged.landlock),
        Layer::Landlock => "missing: this kernel has none; seccomp alone keeps readers from paths".into(),
        Layer::Namespaces if caged.namespaces => "in force: user, network, ipc".into(),
        Layer::Namespaces => "missing: not allowed here, as in most containers; seccomp alone keeps readers from the network".into(),
    }
}

fn as_json(report: &Report) -> Value {
    let tried: Vec<Value> = report.findings.iter().map(finding_json).collect();
    let layers: serde_json::Map<String, Value> =
        Layer::ALL.into_iter().map(|layer| (layer.word().into(), json!(state(layer, report.caged)))).collect();
    json!({
        "holds": report.holds(),
        "tried": tried,
        "layers": layers,
        "tools": Tool::can_be_caged().is_ok(),
        "text_recognition": recogniser(),
        "rar": unpacker(),
        "tpm": chip(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    let (word, how) = match &finding.outcome {
        Outcome::Refused(how) => ("refused", how.as_str()),
        Outcome::Done => ("got through", ""),
        Outcome::Unknown(why) => ("not known", why.as_str()),
    };
    let alone: Vec<_> = finding.alone.iter().map(|layer| layer.word()).collect();
    json!({"probe": finding.probe.words(), "outcome": word, "how": how, "alone": alone})
}
