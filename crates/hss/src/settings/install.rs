// SPDX-License-Identifier: Apache-2.0
//! How hosts are added: the line that installs the agent, with an enrolment token made for who asks.

use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::words;
use serde_json::{Value, json};

/// Kinds of packages that HSS has a line for each; the line here finds out by itself.
const PACKAGES: [&str; 2] = ["rpm", "deb"];

/// How a batch signs in on the new hosts, as options of ssh.
const SIGN_INS: [(&str, &str); 2] = [
    ("password", " -o PreferredAuthentications=password,keyboard-interactive"),
    ("ssh_key", " -o BatchMode=yes"),
];

pub(crate) async fn list_agent_install_script(call: &Call) -> Answer {
    let ask = &call.ask;
    let linux = ask.word("os_type", &[("Linux", true), ("Windows", false)])?.unwrap_or(true);
    let x86 = ask.word("os_arch", &[("x86_64", true), ("aarch64", false)])?.unwrap_or(true);
    if !linux && !x86 {
        return Err(HssError::invalid("os_arch: with os_type Windows only x86_64"));
    }
    let sign_in = ask.word("type", &SIGN_INS)?;
    let project = call.project()?;
    if !(linux && x86) {
        // No agent of ours runs there, so no token is made for it.
        return Ok(json!({ "install_script_list": [] }).into());
    }
    let body = json!({
        "project": project,
        "group": ask.text("outside_group_id"),
        "note": "install script asked for by the API of HSS",
    });
    let made = call.rest.post("/enrolment-tokens", &body).await?;
    let batch = ask.flag("batch_install").unwrap_or(false);
    let line = words::text(&made, "install");
    let line = if batch { over_ssh(line, sign_in.unwrap_or_default()) } else { line.to_owned() };
    Ok(shown(&made, &line, &call.rest.inside().public()).into())
}

/// The line, once for each kind of package.
fn shown(made: &Value, line: &str, server: &str) -> Value {
    let script = format!("{server}/agent/install.sh?token={}", words::text(made, "token"));
    let one = |package: &&str| {
        json!({
            "package_type": package,
            "cmd": line,
            "package_download_url": script,
            "lazaret_token_id": words::at(made, "enrolment_token.id"),
            "lazaret_expires_at": words::ms(words::at(made, "enrolment_token.expires_at")),
            "lazaret_ca_fingerprint": words::at(made, "ca_fingerprint"),
        })
    };
    json!({ "install_script_list": PACKAGES.iter().map(one).collect::<Vec<_>>() })
}

/// The line on each host that stands in the file `hosts` of the current folder, one a line. Where it does not work
/// the host is named and the others go on.
fn over_ssh(line: &str, options: &str) -> String {
    let quoted = line.replace('\'', r"'\''");
    format!(
        "while read -r host; do ssh -n{options} \"root@$host\" '{quoted}' || echo \"$host: not installed\" >&2; done <hosts"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_each_kind_of_package() {
        let made = json!({
            "token": "lzt_x",
            "install": "sh",
            "ca_fingerprint": "ab",
            "enrolment_token": { "id": "7", "expires_at": "2024-02-29T12:34:56.789Z" },
        });
        let shown = shown(&made, "the line", "https://fleet.example:7080");
        let list = shown["install_script_list"].as_array().unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!((&list[0]["package_type"], &list[1]["package_type"]), (&json!("rpm"), &json!("deb")));
        assert!(list.iter().all(|l| l["cmd"] == "the line" && l["lazaret_token_id"] == "7"));
        assert_eq!(
            list[0]["package_download_url"],
            "https://fleet.example:7080/agent/install.sh?token=lzt_x"
        );
        assert_eq!(list[0]["lazaret_expires_at"], 1_709_210_096_789_i64);
    }

    #[test]
    fn a_batch_is_quoted_for_the_other_shell() {
        let line = over_ssh("echo 'a b' \"$(id -u)\"", " -o BatchMode=yes");
        assert!(
            line.contains(r#"ssh -n -o BatchMode=yes "root@$host" 'echo '\''a b'\'' "$(id -u)"' ||"#),
            "{line}"
        );
        let read = std::process::Command::new("sh").args(["-n", "-c", &line]).status().unwrap();
        assert!(read.success());
    }
}
