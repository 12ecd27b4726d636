//! Landlock: no path but those named, no TCP, no signal to a process outside.

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, Scope,
};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The newest version that was tried. A kernel with an older one gives what it has.
const NEWEST: ABI = ABI::V6;

/// Forbids everything that this kernel's Landlock can forbid, and says which version that is; 0 if the kernel has none.
pub(super) fn enter() -> Result<u8, String> {
    shut(&[])
}

/// Whether this kernel has Landlock.
pub(crate) fn available() -> bool {
    everything().is_ok_and(|created| Option::<OwnedFd>::from(created).is_some())
}

/// Leaves this thread, and those that it starts, one folder and everything in it: no other path, no TCP connection or port but those that are open, no signal to others.
/// Says which version of Landlock sees to that; 0 if the kernel has none. To be called before other threads start.
pub fn confine_to(folder: &Path) -> Result<u8, String> {
    shut(&[folder])
}

/// The same with several folders, or none.
fn shut(folders: &[&Path]) -> Result<u8, String> {
    Paths::changing(folders)?.enter()
}

/// Leaves the network, and those of these folders that are there to be read.
pub(crate) fn online_only(folders: &[&Path]) -> Result<u8, String> {
    let files = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(NEWEST));
    let files = files.and_then(|files| files.scope(Scope::Signal)).and_then(Ruleset::create).map_err(|error| error.to_string())?;
    let there = folders.iter().filter(|folder| folder.is_dir());
    there.into_iter().try_fold(Paths(files), |paths, folder| paths.read(folder))?.enter()
}

fn everything() -> Result<RulesetCreated, landlock::RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()
}

/// The paths that a system tool may reach.
#[derive(Debug)]
pub(crate) struct Paths(RulesetCreated);

impl Paths {
    /// None.
    pub(crate) fn none() -> Result<Self, String> {
        everything().map(Self).map_err(|error| error.to_string())
    }

    /// These folders, and everything in them.
    pub(crate) fn changing(folders: &[&Path]) -> Result<Self, String> {
        folders.iter().try_fold(Self::none()?, |paths, folder| paths.change(folder))
    }

    /// Lets a file, or everything in a folder, be read.
    pub(crate) fn read(self, path: &Path) -> Result<Self, String> {
        self.allow(path, AccessFs::ReadFile | AccessFs::ReadDir)
    }

    /// Lets one file be read and run.
    pub(crate) fn run(self, path: &Path) -> Result<Self, String> {
        self.allow(path, AccessFs::ReadFile | AccessFs::Execute)
    }

    /// Lets files be written, but not to a device.
    pub(crate) fn write(self, path: &Path) -> Result<Self, String> {
        self.allow(path, AccessFs::ReadFile | AccessFs::WriteFile)
    }

    /// Lets files and folders be made, changed and removed in a folder.
    pub(crate) fn change(self, path: &Path) -> Result<Self, String> {
        let kinds = AccessFs::MakeReg | AccessFs::MakeDir | AccessFs::RemoveFile | AccessFs::RemoveDir | AccessFs::Refer;
        self.allow(path, kinds | AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile | AccessFs::Truncate)
    }

    fn allow(self, path: &Path, access: BitFlags<AccessFs>) -> Result<Self, String> {
        let why = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let place = PathFd::new(path).map_err(|error| why(&error))?;
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
        self.0.add_rule(PathBeneath::new(place, access)).map(Self).map_err(|error| why(&error))
    }

    /// Leaves the calling thread no other. Gives the version in force; 0 if the kernel has none.
    pub(crate) fn enter(self) -> Result<u8, String> {
        let status = self.0.restrict_self().map_err(|error| format!("Landlock cannot be set up: {error}"))?;
        match status.landlock {
            LandlockStatus::Available { effective_abi, .. } => Ok(effective_abi as i32 as u8),
            LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => Ok(0),
        }
    }

    /// The rules as the kernel holds them, for `landlock_restrict_self(2)`; `None` if the kernel has no Landlock.
    pub(crate) fn into_rules(self) -> Option<OwnedFd> {
        self.0.into()
    }
}
