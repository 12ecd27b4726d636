use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The built program: what DAYLIGHT_PROGRAM names, or what `./test` built together with the tests; without that it is built once, here.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(named) = std::env::var_os("DAYLIGHT_PROGRAM") {
            return named.into();
        }
        let tests = std::env::current_exe().unwrap();
        let program = tests.parent().unwrap().parent().unwrap().join("daylight");
        if !program.is_file() {
            let built = Command::new(env!("CARGO")).args(["build", "--package", "daylight"]).current_dir(super::root()).status().unwrap();
            assert!(built.success() && program.is_file(), "could not build {}", program.display());
        }
        program
    })
}

/// What the program said when it ended.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Spoken {
    /// The standard output, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// The last line of the standard output, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let text = self.text();
        let line = text.trim_end().lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line:?} of {self:?}"))
    }

    /// Fails unless the program ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

impl From<Output> for Spoken {
    fn from(output: Output) -> Self {
        Self { code: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }
}

/// Runs the program to its end with these arguments.
#[track_caller]
pub(crate) fn daylight<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Spoken {
    Command::new(program()).args(arguments).stdin(Stdio::null()).output().unwrap().into()
}

/// A running `daylight serve`, killed when dropped.
pub(crate) struct Server {
    child: Child,
    _cache: TempDir,
    /// Its address without a slash at the end: `http://127.0.0.1:PORT`.
    pub(crate) origin: String,
}

impl Server {
    /// Serves an archive on a free port, and waits for the line that says where.
    pub(crate) fn start(archive: &Path) -> Self {
        let cache = super::workplace();
        let mut child = Command::new(program())
            .arg("serve")
            .arg(archive)
            .args(["--listen", "127.0.0.1:0", "--cache"])
            .arg(cache.path().join("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let origin = lines.find_map(|line| Some(line[line.find("http://")?..].trim().trim_end_matches('/').to_owned()));
        // Whatever it says later must not fill the pipe and stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, _cache: cache, origin: origin.expect("serve prints its address") }
    }

    /// The address of a page: `path` begins with a slash.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
