//! `serve` and `index`: an archive for readers.

use crate::args;
use crate::output::{self, count, remark, say};
use crate::place;
use anyhow::Result;
use daylight_reader::{Progress, Serve, build_index};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often the making of an index is remarked on.
const EVERY: Duration = Duration::from_secs(5);

pub(crate) fn serve(args: &args::Serve) -> Result<ExitCode> {
    let cache = place::cache(&args.archive, args.cache.as_deref())?;
    serve_until_told(&args.archive, &cache, args.listen)?;
    Ok(ExitCode::SUCCESS)
}

/// Serves, and prints the address once it is listened on.
pub(crate) fn serve_until_told(archive: &Path, cache: &Path, listen: SocketAddr) -> Result<()> {
    let what = Serve { archive: archive.to_owned(), cache: cache.to_owned(), listen };
    // A closed standard output must not end the server.
    let mut ready = |address: SocketAddr| _ = say!("http://{address}/");
    Ok(daylight_reader::serve(what, &mut remarks(), &mut ready)?)
}

pub(crate) fn index(args: &args::Index) -> Result<ExitCode> {
    let cache = place::cache(&args.archive, args.cache.as_deref())?;
    let built = build_index(&args.archive, &cache, &mut remarks())?;
    if args.json {
        output::json(&json!({"documents": built.documents, "added": built.added, "cache": cache.display().to_string()}))?;
    } else {
        say!("{} can be found, {} lines read now, kept in {}", count(built.documents, "document"), built.added, cache.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Remarks now and then on how far the making of an index is.
fn remarks() -> impl FnMut(Progress) {
    let mut last = Instant::now();
    move |progress| {
        if last.elapsed() < EVERY {
            return;
        }
        last = Instant::now();
        if progress.waiting {
            remark(format_args!("waiting for another process that is making the index"));
        } else {
            remark(format_args!("indexing: {} of {} lines", output::thousands(progress.done), output::thousands(progress.total)));
        }
    }
}
