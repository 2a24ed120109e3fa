//! A judge that is not ours: `@stdy/cli`, which serves a vendor's own description of its API and
//! refuses what does not fit it. Descriptions are no part of a clone: `DOORBUSTER_SPEC_DIR` names
//! their folder, and the runner leaves these tests out where there is none.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The judge, at the version that was tried.
const JUDGE: &str = "@stdy/cli@0.22.2";

/// Looks for the judge, ten a second: it reads the whole description before it answers.
const READY_TRIES: u32 = 600;

/// The judge, for as long as it is asked.
pub(crate) struct Judge {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Judge {
    /// Installs it, and lets it read this description.
    pub(crate) fn start(description: &Path, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        std::fs::write(at.join("package.json"), "{\"private\": true}").expect("written");
        let arguments =
            ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", JUDGE];
        let installed = Command::new("npm").args(arguments).current_dir(at).status();
        let installed = installed.expect("npm is there; ./tests/run installs it");
        assert!(installed.success(), "the judge is installed");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let process = Command::new(at.join("node_modules/.bin/steady"))
            .args(["--port", &port.to_string()])
            .args(options)
            .arg(description)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut judge = Self { process: process.expect("it starts"), port, _folder: folder };
        for _ in 0..READY_TRIES {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return judge;
            }
            let ended = judge.process.try_wait().expect("it is ours");
            assert!(ended.is_none(), "the judge ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the judge did not get ready");
    }

    /// What it has against a call (`POST /path?query`): nothing, where it fits.
    pub(crate) fn objections(
        &self,
        call: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<String> {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{call} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the judge listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains("x-steady-request-valid: "), "no verdict on {call}: {head}");
        match head.contains("x-steady-request-valid: true") {
            true => Vec::new(),
            false => {
                head.lines().filter(|line| line.contains("-error-")).map(str::to_owned).collect()
            }
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// The description of a vendor, whose file begins so.
pub(crate) fn description(prefix: &str) -> PathBuf {
    let root = std::env::var_os("DOORBUSTER_SPEC_DIR");
    let root = root.expect("DOORBUSTER_SPEC_DIR names the folder of the published schemas");
    let folder = PathBuf::from(root).join("vendors");
    let files = std::fs::read_dir(&folder).expect("descriptions of vendors").flatten();
    let is_it = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    };
    files.map(|file| file.path()).find(is_it).expect("the vendor's description")
}
