// SPDX-License-Identifier: Apache-2.0
//! `/proc/PID/cgroup`: which unit and which container a process belongs to.

use std::io;

/// Where a process stands in the control group tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlGroup {
    /// Path as the kernel writes it, beginning with `/`.
    pub path: String,
    /// From the unified hierarchy; else from systemd's named one.
    pub unified: bool,
}

/// The control group of a process: the unified hierarchy where it says more than `/`, else
/// systemd's named one, else the first hierarchy that says more than `/`.
///
/// # Errors
/// When the process is gone.
pub fn control_group(pid: i32) -> io::Result<ControlGroup> {
    let text = std::fs::read(format!("/proc/{pid}/cgroup"))?;
    Ok(parse(&String::from_utf8_lossy(&text)))
}

fn parse(text: &str) -> ControlGroup {
    let lines = || {
        text.lines().filter_map(|l| {
            let mut parts = l.splitn(3, ':');
            Some((parts.next()?, parts.next()?, parts.next()?))
        })
    };
    let says = |p: &str| p != "/" && !p.is_empty();
    let unified = lines().find(|(id, c, _)| *id == "0" && c.is_empty());
    if let Some((_, _, path)) = unified.filter(|(_, _, p)| says(p)) {
        return ControlGroup { path: path.to_owned(), unified: true };
    }
    let named = lines()
        .find(|(_, c, p)| *c == "name=systemd" && says(p))
        .or_else(|| lines().find(|(id, _, p)| *id != "0" && says(p)));
    match named {
        Some((_, _, path)) => ControlGroup { path: path.to_owned(), unified: false },
        None => ControlGroup { path: "/".to_owned(), unified: unified.is_some() },
    }
}

/// The innermost systemd unit that may own processes (`.service` or `.scope`).
#[must_use]
pub fn unit_of(path: &str) -> Option<String> {
    path.rsplit('/').find(|s| s.ends_with(".service") || s.ends_with(".scope")).map(str::to_owned)
}

/// The service of the host's own service manager that a process belongs to: what can be started
/// again by its name. `None` for scopes, and for units of a user's own service manager.
#[must_use]
pub fn service_of(path: &str) -> Option<String> {
    let of_a_user = path.split('/').any(|s| s.starts_with("user@") && s.ends_with(".service"));
    unit_of(path).filter(|u| !of_a_user && u.ends_with(".service"))
}

/// The container id: 64 hexadecimal digits as Docker, containerd, CRI-O and Podman write them, or
/// the name behind `lxc.payload.` and `machine-`.
#[must_use]
pub fn container_of(path: &str) -> Option<String> {
    path.rsplit('/').find_map(|segment| {
        let bare = segment.strip_suffix(".scope").or_else(|| segment.strip_suffix(".service"));
        let bare = bare.unwrap_or(segment);
        if let Some(name) = bare.strip_prefix("lxc.payload.").or_else(|| bare.strip_prefix("machine-")) {
            return Some(name.to_owned());
        }
        let tail = bare.rsplit(['-', ':']).next().unwrap_or(bare);
        (tail.len() == 64 && tail.bytes().all(|b| b.is_ascii_hexdigit())).then(|| tail.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_containers() {
        let id = "0123456789abcdef".repeat(4);
        let cases = [
            ("/system.slice/cron.service".to_owned(), Some("cron.service"), None),
            (
                "/user.slice/user-0.slice/user@0.service/app.slice/x.service".to_owned(),
                Some("x.service"),
                None,
            ),
            (format!("/docker/{id}"), None, Some(id.clone())),
            (format!("/system.slice/docker-{id}.scope"), None, Some(id.clone())),
            (format!("/kubepods.slice/cri-containerd-{id}.scope/init"), None, Some(id.clone())),
            ("/lxc.payload.web".to_owned(), None, Some("web".to_owned())),
            ("/".to_owned(), None, None),
        ];
        for (path, unit, container) in cases {
            assert_eq!(container_of(&path), container, "{path}");
            if container.is_none() {
                assert_eq!(unit_of(&path).as_deref(), unit, "{path}");
            }
        }
    }

    #[test]
    fn services_that_can_be_started_again() {
        for (path, service) in [
            ("/system.slice/cron.service", Some("cron.service")),
            ("/system.slice/system-x.slice/x@1.service/inner", Some("x@1.service")),
            ("/user.slice/user-0.slice/user@0.service/app.slice/x.service", None),
            ("/user.slice/user-0.slice/session-3.scope", None),
            ("/", None),
        ] {
            assert_eq!(service_of(path).as_deref(), service, "{path}");
        }
    }

    #[test]
    fn hybrid_hierarchies() {
        let g = parse("12:pids:/a\n1:name=systemd:/system.slice/a.service\n0::/\n");
        assert_eq!(g, ControlGroup { path: "/system.slice/a.service".into(), unified: false });
        assert_eq!(parse("0::/x:y\n"), ControlGroup { path: "/x:y".into(), unified: true });
        assert_eq!(parse("").path, "/");
        assert_eq!(parse("garbage\n::\n").path, "/");
    }
}
