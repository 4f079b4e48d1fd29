// SPDX-License-Identifier: Apache-2.0
//! What leaves the hosts of a project under a consent, in words: people read this before they agree.

use super::consent::Consent;

/// Sentences, each on its own.
pub(super) fn words(c: &Consent, on: bool) -> Vec<String> {
    let mut out = Vec::new();
    if !c.hashes {
        out.push("Nothing leaves a host: no digests, no paths, no files.".to_owned());
        return out;
    }
    if !on {
        out.push(
            "The switch malware_cloud_scan is off: nothing of the following leaves a host until it is on."
                .to_owned(),
        );
    }
    out.push(
        "Of each program and script that a host's sensors looked at, this server is told: path, SHA-256, TLSH, size, \
         kind, whether a package owns it unchanged, when it was seen first and last."
            .to_owned(),
    );
    if c.samples {
        let kinds: Vec<&str> = c.kinds.iter().map(|k| k.plural()).collect();
        let bound = if c.bytes_per_second == 0 {
            String::new()
        } else {
            format!(", {} a second from one host at most", size(c.bytes_per_second))
        };
        let kept = match c.retention_days {
            0 => "until somebody deletes them".to_owned(),
            days => format!("for {days} days"),
        };
        out.push(format!(
            "Whole files are sent to this server: {} up to {} that it does not know, each content once{bound}. They are \
             kept sealed {kept}.",
            kinds.join(" and "),
            size(c.max_sample_bytes)
        ));
        if c.exclude.is_empty() {
            out.push("No folder is left out.".to_owned());
        } else {
            out.push(format!(
                "No file is sent from {}; digests and paths of programs there are told all the same.",
                c.exclude.join(", ")
            ));
        }
    } else {
        out.push("No file is sent, only what is told of it.".to_owned());
    }
    out.push("Connectors that this server's configuration names may be asked about digests; that is said there ([deep_scan]).".to_owned());
    out.push(if c.fail_closed {
        format!(
            "An execution waits {} ms at most for an answer; without one, what no package owns is refused.",
            c.wait_ms
        )
    } else {
        format!("An execution waits {} ms at most for an answer; without one it goes on.", c.wait_ms)
    });
    out
}

/// Bytes for people, in powers of 1024, exact where they are.
fn size(bytes: i64) -> String {
    for (unit, of) in [("GiB", 1_i64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= of && bytes % of == 0 {
            return format!("{} {unit}", bytes / of);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::super::consent::Kind;
    use super::*;

    fn consent() -> Consent {
        Consent {
            hashes: true,
            samples: true,
            max_sample_bytes: 32 << 20,
            exclude: vec!["/home".to_owned(), "/srv/x".to_owned()],
            kinds: vec![Kind::Executable, Kind::Script],
            wait_ms: 300,
            fail_closed: false,
            bytes_per_second: 1 << 20,
            canary_groups: vec![],
            ring_seconds: 60,
            retention_days: 30,
        }
    }

    #[test]
    fn everything_that_leaves_is_named() {
        let text = words(&consent(), true).join("\n");
        for part in [
            "path, SHA-256",
            "programs and scripts up to 32 MiB",
            "1 MiB a second",
            "30 days",
            "from /home, /srv/x",
            "300 ms",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("is off"), "{text}");
        assert!(words(&consent(), false)[0].contains("is off"));
    }

    #[test]
    fn without_consent_nothing_does() {
        let nothing = Consent { hashes: false, samples: false, ..consent() };
        assert_eq!(words(&nothing, true).len(), 1);
        let told = Consent { samples: false, ..consent() };
        let text = words(&told, true).join("\n");
        assert!(text.contains("No file is sent, only") && !text.contains("/home"), "{text}");
        let closed = Consent { fail_closed: true, ..consent() };
        assert!(words(&closed, true).join("\n").contains("is refused"));
    }

    #[test]
    fn sizes_are_exact() {
        assert_eq!(
            (size(0), size(1025), size(3 << 20)),
            ("0 bytes".into(), "1025 bytes".into(), "3 MiB".into())
        );
    }
}
