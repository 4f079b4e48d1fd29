// SPDX-License-Identifier: Apache-2.0
//! Who may sign in at a stage.

use crate::Server;
use crate::fleet::PASSWORD;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// As whom the stage orders.
pub(super) const STAGE: &str = "stage";

/// A new user with a one-time password: the answer's `user.id`, and that password.
fn made(server: &Server, name: &str, role: &str, project: &str) -> Result<(String, String)> {
    let grants = json!([{"project": project, "role": role}]);
    let (status, answer) = server.call("POST", "/users", Some(&json!({"name": name, "grants": grants})));
    ensure!(status == 201, "the user {name}: {answer}");
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let id = text("/user/id").context("no id")?;
    Ok((id, text("/one_time_password").context("no password")?))
}

/// Changes a one-time password to [`PASSWORD`], as people do at their first sign-in.
fn settle(server: &Server, name: &str, once: &str) -> Result<()> {
    let token = server.login(name, once);
    let change = json!({"current": once, "new": PASSWORD});
    let (status, answer) = server.call_as(&token, "POST", "/me/password", Some(&change));
    ensure!((200..300).contains(&status), "the password of {name}: {answer}");
    Ok(())
}

/// A new user, for an answer.
pub(super) fn user(server: &Server, name: &str, role: &str, project: &str, one_time: bool) -> Result<Value> {
    let (id, once) = made(server, name, role, project)?;
    if !one_time {
        settle(server, name, &once)?;
    }
    let password = if one_time { &once } else { PASSWORD };
    Ok(json!({"user": name, "user_id": id, "password": password, "one_time": one_time}))
}

/// Lets the stage order as somebody of its own: what it does does not end the administrator's sessions.
pub(super) fn own_user(server: &mut Server) -> Result<()> {
    user(server, STAGE, "administrator", "*", false)?;
    let token = server.login(STAGE, PASSWORD);
    server.act_as(token);
    Ok(())
}

/// A new one-time password for a user.
pub(super) fn one_time(server: &Server, name: &str) -> Result<String> {
    let out = server.run(&["user", "reset-password", name]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    ensure!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    let password = said.trim().strip_prefix("one-time password ").map(str::to_owned);
    password.with_context(|| format!("the server said {said:?}"))
}

/// The id of a user.
pub(super) fn id(server: &Server, name: &str) -> Result<String> {
    let users = server.get("/users");
    let mut items = users["items"].as_array().into_iter().flatten();
    let found = items.find(|u| u["name"] == name).and_then(|u| u["id"].as_str());
    found.map(str::to_owned).with_context(|| format!("there is no user {}", name.escape_debug()))
}
