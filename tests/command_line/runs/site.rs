//! `runner guide --html`: the guides as a site without dead links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use super::runner;
use crate::tools;

fn site(folder: &Path) -> BTreeMap<String, String> {
    let out = folder.join("site");
    let output = runner().args(["guide", "--html"]).arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pages = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let is_page = |path: &std::path::PathBuf| path.extension().is_some_and(|of| of == "html");
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    pages.filter(is_page).map(read).collect()
}

/// The values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let parts = html.split(&format!(" {attribute}=\"")).skip(1).collect::<Vec<_>>();
    parts.into_iter().map(|part| part.split('"').next().unwrap()).collect()
}

/// Every link leads to a page, a heading or a picture of the site, or to a file of the project.
#[test]
fn no_link_of_the_site_is_dead() {
    const FILES: &str = "https://github.com/bandit-runner/runner/blob/main/";
    let folder = tempfile::tempdir().unwrap();
    let pages = site(folder.path());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ids: BTreeMap<&str, BTreeSet<&str>> = pages
        .iter()
        .map(|(name, html)| (name.as_str(), values(html, "id").into_iter().collect()))
        .collect();
    let (mut followed, mut dead) = (0, Vec::new());
    for (page, html) in &pages {
        let links = [values(html, "href"), values(html, "src")].concat();
        for link in links {
            followed += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if path.is_empty() { page.as_str() } else { path };
            let leads = match path.strip_prefix(FILES) {
                Some(file) => root.join(file).exists(),
                None if path.contains("://") => path.starts_with("https://"),
                None if anchor.is_empty() => folder.path().join("site").join(path).is_file(),
                None => ids.get(path).is_some_and(|ids| ids.contains(anchor)),
            };
            if !leads {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(followed > 200, "{followed}");
}

/// What `runner guide` lists are the pages, and each page leads to all.
#[test]
fn every_guide_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = site(folder.path());
    let list = runner().arg("guide").output().unwrap().stdout;
    let list = String::from_utf8(list).unwrap();
    let topics: Vec<&str> =
        list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert_eq!(pages.len(), topics.len());
    for topic in topics.iter().skip(1) {
        let file = format!("{topic}.html");
        assert!(pages.contains_key(&file), "{file}");
        assert!(pages.values().all(|html| html.contains(&format!("href=\"{file}\""))), "{file}");
    }
    assert!(pages["index.html"].contains("pictures/policies-success.svg"));
}

/// The commands of the tour are commands.
#[test]
fn the_commands_of_the_tour_are_understood() {
    let guide = include_str!("../../../src/cli/guide/tour.md");
    let (_, script) = guide.split_once("```sh\n").unwrap();
    let commands = script.split("```").next().unwrap().lines();
    let mut tried = 0;
    for command in commands {
        let words = command.split('#').next().unwrap().split_whitespace().skip(1);
        let output = runner().args(words).arg("--help").output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        tried += 1;
    }
    assert_eq!(tried, 5);
}

/// Nothing on any page is cut, covered, too pale or missing, on screens of three widths and on paper.
#[test]
fn a_browser_can_read_every_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("target/sdk/installed").exists() {
        return tools::missing("playwright", "run tests/sdk/install");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = site(folder.path());
    let mut node = Command::new("node");
    node.current_dir(root.join("target/sdk")).arg(root.join("tests/sdk/site.mjs"));
    let output = node.arg(folder.path().join("site")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let is_opened = told.contains(&format!("{} pages can be read", pages.len()));
    assert!(is_opened || told.contains("no Chromium"), "{told}");
}
