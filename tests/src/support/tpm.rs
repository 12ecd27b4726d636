//! A TPM 2.0 in software (swtpm), which is spoken to over a socket as the kernel speaks to a chip.

use super::process::Ending;
use super::tools::tool;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A running chip, ended when dropped; what it remembers stays in its folder.
pub(crate) struct Chip {
    _process: Ending,
    pub(crate) state: PathBuf,
    pub(crate) socket: PathBuf,
}

impl Chip {
    /// Whether there are the programs for it.
    pub(crate) fn can_be() -> bool {
        tool("swtpm") && tool("tpm2_nvreadpublic")
    }

    /// Starts the chip that has its memory in a folder, a new one where there is none.
    pub(crate) fn start(folder: &Path) -> Self {
        let state = folder.join("chip");
        std::fs::create_dir_all(&state).unwrap();
        // tpm2-tools look for the second beside the first.
        let (socket, control) = (folder.join("tpm"), folder.join("tpm.ctrl"));
        let _ = (std::fs::remove_file(&socket), std::fs::remove_file(&control));
        let unix = |path: &Path| format!("type=unixio,path={}", path.display());
        let mut command = Command::new("swtpm");
        command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate", &format!("dir={}", state.display())]);
        command.args(["--server", &unix(&socket), "--ctrl", &unix(&control)]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Ending::start(&mut command);
        let began = Instant::now();
        while !(socket.exists() && control.exists()) {
            assert!(began.elapsed() < Duration::from_secs(30), "swtpm does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { _process: process, state, socket }
    }

    /// What a program of tpm2-tools says of it.
    #[track_caller]
    pub(crate) fn tool(&self, line: &str) -> String {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env("TPM2TOOLS_TCTI", format!("swtpm:path={}", self.socket.display())).stdin(Stdio::null());
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// The numbers of its indices, as tpm2-tools list them.
    #[track_caller]
    pub(crate) fn indices(&self) -> Vec<u32> {
        let listed = self.tool("tpm2_getcap handles-nv-index");
        listed.lines().map(|line| u32::from_str_radix(line.trim_start_matches("- 0x"), 16).unwrap()).collect()
    }
}
