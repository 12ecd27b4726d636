//! The worker that reads nothing and is copied for each lease.

use crate::{cage, copies};
use rustix::stdio::{dup2_stdin, dup2_stdout, stdin};
use std::io;

/// Serves as a zygote until nobody asks for copies any more: then it is `None`. In each copy it returns what layers of the cage the copy is in already, with the lease's
/// ends as descriptors 0 and 1; everything else that the zygote had is closed.
///
/// It enters those layers that are the same for every lease: an empty network and no rights, and no path. It reads nothing that is anybody's, and one copy leaves nothing in it
/// for the next: what a copy changes is its own.
pub(super) fn serve(prepare: fn()) -> io::Result<Option<cage::Shared>> {
    super::die_with_parent().map_err(io::Error::other)?;
    let shared = cage::enter_shared().map_err(io::Error::other)?;
    copies::warm_up();
    prepare();
    while let Some((_, [requests, answers])) = copies::next(stdin(), &mut [0])? {
        if copies::copy(stdin())? {
            dup2_stdin(&requests)?;
            dup2_stdout(&answers)?;
            return Ok(Some(shared));
        }
    }
    Ok(None)
}
