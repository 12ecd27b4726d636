use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A disk in memory, gone with the test.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
}

impl SmallDisk {
    /// Mounts one; `None` where that is not allowed.
    pub(crate) fn mount(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let disk = Self { path };
        disk.run(&format!("size={size}")).then_some(disk)
    }

    /// Makes it larger or smaller; says whether that could be done.
    pub(crate) fn remount(&self, size: &str) -> bool {
        self.run(&format!("remount,size={size}"))
    }

    fn run(&self, options: &str) -> bool {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(&self.path).stderr(Stdio::null()).status();
        mount.is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).stderr(Stdio::null()).status();
    }
}
