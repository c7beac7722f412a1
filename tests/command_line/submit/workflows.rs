//! The workflows of this repository are held to the schemas of their server.

use std::path::Path;
use std::process::Command;

use super::tool;

#[test]
fn the_release_workflow_and_the_action_follow_their_schemas() {
    let Some(tool) = tool("check-jsonschema") else { return };
    let files = [
        ("vendor.github-workflows", ".github/workflows/release.yml"),
        ("vendor.github-actions", ".github/actions/gate/action.yml"),
    ];
    for (schema, file) in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let output =
            Command::new(&tool).args(["--builtin-schema", schema]).arg(path).output().unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
