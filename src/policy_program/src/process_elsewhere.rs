//! Where there are no process groups to kill and no pipes to wait for with a timeout.

use std::process::Command;
use std::time::Duration;

use crate::trouble::Trouble;

/// There is none.
#[derive(Debug)]
pub(crate) enum Process {}

impl Process {
    pub fn start(_: &mut Command) -> Result<Self, Trouble> {
        Err(Trouble::Start("policies that are programs need Linux or macOS".to_owned()))
    }

    pub fn add(&mut self, _: &[u8]) {
        match *self {}
    }

    pub fn answer(&mut self, _: usize, _: Duration) -> Result<&[u8], Trouble> {
        match *self {}
    }

    pub fn unasked(&self) -> Option<String> {
        match *self {}
    }

    pub fn finish(&mut self, _: &[u8], _: Duration) -> Result<String, Trouble> {
        match *self {}
    }

    pub fn kill(&mut self) -> String {
        match *self {}
    }
}
