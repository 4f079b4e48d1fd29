// SPDX-License-Identifier: Apache-2.0
//! What brings a program back: the part of an alarm, and the list over alarms.

use super::{field, short_id};
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// How much of an entry's line a table shows, characters.
const TEXT: usize = 100;

/// The part of one alarm; empty when nothing is known.
pub(super) fn section(look: Look, alarm: &v1::Alarm) -> String {
    let Some(p) = &alarm.persistence else { return String::new() };
    let mut out = String::new();
    if p.returns > 0 {
        out.push_str(&format!("\nThe file came back {} times:\n", p.returns));
        for r in &p.returned {
            let by = if r.by.is_empty() { "not known by what".to_owned() } else { escape::text(&r.by) };
            out.push_str(&field(&time::clock(r.at_ms), &format!("{by} (alarm {})", short_id(&r.alarm))));
        }
    }
    if !p.return_of.is_empty() {
        out.push_str(&format!("\nThis file had been isolated before: alarm {}.\n", short_id(&p.return_of)));
    }
    if !p.entries.is_empty() {
        out.push_str("\nWhat brings it back:\n");
        out.push_str(&table(look, p));
    } else if p.searched_ms > 0 {
        out.push_str("\nNothing was found that brings it back.\n");
    }
    if !p.problems.is_empty() {
        out.push_str("Not looked at:\n");
        for problem in &p.problems {
            out.push_str(&format!("  {}\n", escape::text(problem)));
        }
    }
    out
}

/// The entries of several alarms.
pub(crate) fn persistence_list(look: Look, alarms: &[v1::Alarm]) -> String {
    let mut out = String::new();
    for alarm in alarms {
        let Some(p) = &alarm.persistence else { continue };
        out.push_str(&format!("Alarm {}: {}\n", short_id(&alarm.id), escape::text(&alarm.title)));
        out.push_str(&table(look, p));
    }
    if out.is_empty() {
        return "Nothing is known that brings a program back.\n".into();
    }
    out
}

fn table(look: Look, p: &v1::Persistence) -> String {
    let mut table = look.table(["No", "Kind", "Where", "Uid", "State", "Entry", "Why"]);
    for e in &p.entries {
        let place = match e.line {
            0 => escape::name(&e.file),
            line => format!("{}:{line}", escape::name(&e.file)),
        };
        let mut text = escape::name(&e.text);
        if text.chars().count() > TEXT {
            text = text.chars().take(TEXT).collect::<String>() + "...";
        }
        let (paint, state) = match (e.state.as_str(), e.only_shown.is_empty(), e.reason.is_empty()) {
            ("disabled", _, true) => (Paint::Green, "disabled"),
            ("disabled", _, false) => (Paint::Yellow, "disabled"),
            (_, false, _) => (Paint::Yellow, "active, only shown"),
            _ => (Paint::Red, "active"),
        };
        let mut why = escape::text(&e.why);
        for more in [&e.only_shown, &e.reason] {
            if !more.is_empty() {
                why.push_str(&format!("; {}", escape::text(more)));
            }
        }
        table.add_row([
            look.cell(Paint::Plain, &e.number.to_string()),
            look.cell(Paint::Plain, &escape::text(&e.kind)),
            look.cell(Paint::Plain, &place),
            look.cell(Paint::Plain, &e.uid.to_string()),
            look.cell(paint, state),
            look.cell(Paint::Plain, &text),
            look.cell(Paint::Plain, &why),
        ]);
    }
    lines(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn sample() -> v1::Alarm {
        let entry = |number, kind: &str, file: &[u8], line, text: &[u8]| v1::PersistenceEntry {
            number,
            kind: kind.into(),
            file: file.to_vec(),
            line,
            text: text.to_vec(),
            uid: 33,
            link: "direct".into(),
            why: "it names the file".into(),
            state: "active".into(),
            ..Default::default()
        };
        v1::Alarm {
            id: "019aa0c2-7b1f-7c3e-9d55-0123456789ab".into(),
            title: "Miner xmrig was isolated".into(),
            persistence: Some(v1::Persistence {
                searched_ms: 1_795_400_000_000,
                entries: vec![
                    v1::PersistenceEntry {
                        state: "disabled".into(),
                        disabled_as: "019aa0c2-7b40-7000-8000-dddddddddddd".into(),
                        user: true,
                        ..entry(1, "cron", b"/var/spool/cron/crontabs/\xffa", 3, b"@reboot /tmp/\x1b[31mx")
                    },
                    v1::PersistenceEntry {
                        only_shown: "entries of this kind are only shown".into(),
                        ..entry(2, "rc_local", b"/etc/rc.local", 0, b"/tmp/x &")
                    },
                    v1::PersistenceEntry {
                        reason: "x.service is masked already".into(),
                        ..entry(3, "systemd_unit", b"/etc/systemd/system/x.service", 5, &[b'y'; 200])
                    },
                ],
                problems: vec!["/etc/cron.d/f is no regular file".into()],
                returns: 2,
                returned: vec![
                    v1::Return {
                        at_ms: 1_795_400_060_000,
                        alarm: "019aa0c2-7b1f-7c3e-9d55-bbbbbbbbbbbb".into(),
                        by: "cron, for uid 33: /tmp/x".into(),
                    },
                    v1::Return { at_ms: 1_795_400_120_000, alarm: "odd".into(), by: String::new() },
                ],
                return_of: "019aa0c2-7b1f-7c3e-9d55-cccccccccccc".into(),
            }),
            ..Default::default()
        }
    }

    #[test]
    fn the_part_of_an_alarm() {
        insta::assert_snapshot!(section(Look::default(), &sample()), @r#"
The file came back 2 times:
02:14:20.000Z     cron, for uid 33: /tmp/x (alarm bbbbbbbbbbbb)
02:15:20.000Z     not known by what (alarm odd)

This file had been isolated before: alarm cccccccccccc.

What brings it back:
 No  Kind          Where                             Uid  State               Entry                                                                                                    Why
 1   cron          /var/spool/cron/crontabs/\xffa:3  33   disabled            @reboot /tmp/\x1b[31mx                                                                                   it names the file
 2   rc_local      /etc/rc.local                     33   active, only shown  /tmp/x &                                                                                                 it names the file; entries of this kind are only shown
 3   systemd_unit  /etc/systemd/system/x.service:5   33   active              yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...  it names the file; x.service is masked already
Not looked at:
  /etc/cron.d/f is no regular file
"#);
        assert_eq!(section(Look::default(), &v1::Alarm::default()), "");
        assert!(section(Look::default(), &sample()).chars().all(|c| c == '\n' || !escape::is_unsafe(c)));
    }

    #[test]
    fn lists_and_json() {
        let alarm = sample();
        let list = persistence_list(Look::default(), &[alarm.clone(), v1::Alarm::default()]);
        assert!(list.starts_with("Alarm 0123456789ab: Miner xmrig was isolated\n No"), "{list}");
        assert!(persistence_list(Look::default(), &[]).starts_with("Nothing"));
        let entries = &alarm.persistence.as_ref().unwrap().entries;
        insta::assert_snapshot!(json::line(&json::PersistenceLine::new(&alarm.id, &entries[0])).unwrap().trim_end(), @r#"{"type":"persistence","alarm":"019aa0c2-7b1f-7c3e-9d55-0123456789ab","number":1,"kind":"cron","user":true,"file":"/var/spool/cron/crontabs/�a","file_b64":"L3Zhci9zcG9vbC9jcm9uL2Nyb250YWJzL/9h","line":3,"text":"@reboot /tmp/\u001b[31mx","uid":33,"link":"direct","why":"it names the file","can_be_disabled":true,"only_shown":null,"state":"disabled","reason":null,"disabled_as":"019aa0c2-7b40-7000-8000-dddddddddddd"}"#);
        let whole = json::line(&json::Alarm::from(&alarm)).unwrap();
        let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
        let part = &whole["persistence"];
        assert_eq!(part["searched_at"], "2026-11-23T02:13:20.000Z");
        assert_eq!((&part["returns"], part["entries"].as_array().map(Vec::len)), (&2.into(), Some(3)));
        assert_eq!(part["returned"][0]["by"], "cron, for uid 33: /tmp/x");
        assert_eq!(part["returned"][1]["by"], serde_json::Value::Null);
        assert_eq!(part["return_of"], "019aa0c2-7b1f-7c3e-9d55-cccccccccccc");
        assert_eq!(
            (&part["entries"][1]["line"], &part["problems"][0]),
            (&serde_json::Value::Null, &"/etc/cron.d/f is no regular file".into())
        );
    }
}
