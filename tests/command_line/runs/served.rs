//! A served loop as a process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::runner;

/// A served loop as a process. It ends with the test.
pub struct Service {
    child: Child,
    pub url: String,
}

impl Service {
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = runner();
        command.args(["serve", "--port", "0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
