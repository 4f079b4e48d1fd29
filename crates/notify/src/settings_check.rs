// SPDX-License-Identifier: Apache-2.0
//! Settings are checked when they are written: a target that cannot work is refused while somebody looks.

use crate::settings::{Email, Filter, Kind, Mode, Settings};
use crate::{digest, http, tls};
use lazaret_model::MalwareClass;

/// What is wrong, with its key.
type Checked = Result<(), String>;

impl Settings {
    /// Reads what is stored.
    ///
    /// # Errors
    /// It was written by another version.
    pub fn stored(json: &str) -> Result<Self, String> {
        serde_json::from_str(json)
            .map_err(|e| format!("the target's settings cannot be read ({e}): set them anew"))
    }

    /// Which kind it is.
    ///
    /// # Errors
    /// None or several of the parts are there.
    pub fn kind(&self) -> Result<Kind, String> {
        let parts = [
            (self.email.is_some(), Kind::Email),
            (self.webhook.is_some(), Kind::Webhook),
            (self.file.is_some(), Kind::File),
            (self.http.is_some(), Kind::Http),
            (self.syslog.is_some(), Kind::Syslog),
        ];
        let there: Vec<Kind> = parts.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect();
        match there.as_slice() {
            [one] => Ok(*one),
            _ => Err("settings: give exactly one of email, webhook, file, http and syslog".into()),
        }
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// Names the key, what is wrong and what would be right.
    pub fn check(&self) -> Checked {
        let kind = self.kind()?;
        if let Some(email) = &self.email {
            check_email(email)?;
        }
        for (url, authority) in [
            self.webhook.as_ref().map(|w| (&w.url, &w.authority)),
            self.http.as_ref().map(|h| (&h.url, &h.authority)),
        ]
        .into_iter()
        .flatten()
        {
            http::place(url).map_err(|e| e.to_string())?;
            check_authority(authority.as_deref())?;
        }
        if let Some(syslog) = &self.syslog {
            check_host("syslog.server", &syslog.server)?;
            check_authority(syslog.authority.as_deref())?;
            if syslog.facility > 23 {
                return Err(format!("syslog.facility = {}: must be 0 to 23", syslog.facility));
            }
        }
        if let Some(file) = &self.file {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let begins = file.name.starts_with(|c: char| c.is_ascii_alphanumeric());
            if file.name.len() > 64 || !begins || !file.name.chars().all(plain) {
                return Err("file.name: 1 to 64 letters, digits and . _ -, a letter or digit first".into());
            }
            if !(1..=4096).contains(&file.max_megabytes) {
                return Err(format!("file.max_megabytes = {}: must be 1 to 4096", file.max_megabytes));
            }
            if file.keep > 1000 {
                return Err(format!("file.keep = {}: must be 0 to 1000", file.keep));
            }
        }
        check_filter(&self.filter)?;
        let d = &self.delivery;
        if !kind.is_notification() && *d != crate::settings::Delivery::default() {
            return Err("delivery: only for email and webhook; exports go at once and in order".into());
        }
        if d.mode == Mode::RealTime && (d.hour.is_some() || d.zone.is_some()) {
            return Err("delivery: hour and zone are for the mode daily".into());
        }
        if d.hour.is_some_and(|h| h > 23) {
            return Err("delivery.hour: must be 0 to 23".into());
        }
        if d.per_minute.is_some_and(|n| !(1..=600).contains(&n)) {
            return Err("delivery.per_minute: must be 1 to 600".into());
        }
        digest::zone(d.zone.as_deref()).map(|_| ())
    }
}

fn check_filter(filter: &Filter) -> Checked {
    if filter.severities.len() > 4 {
        return Err("filter.severities: each at most once".into());
    }
    if filter.masked_classes.len() > 12 {
        return Err("filter.masked_classes: each at most once".into());
    }
    for class in &filter.masked_classes {
        class.parse::<MalwareClass>().map_err(|e| format!("filter.masked_classes: {e}"))?;
    }
    Ok(())
}

fn check_email(email: &Email) -> Checked {
    check_host("email.server", &email.server)?;
    check_authority(email.authority.as_deref())?;
    if email.to.is_empty() || email.to.len() > 50 {
        return Err("email.to: 1 to 50 addresses".into());
    }
    crate::email::mailbox("email.from", &email.from)?;
    for to in &email.to {
        crate::email::mailbox("email.to", to)?;
    }
    match &email.user {
        Some(user) if user.is_empty() || user.len() > 200 || user.chars().any(char::is_control) => {
            Err("email.user: 1 to 200 characters, none of them a control character".into())
        }
        _ => Ok(()),
    }
}

fn check_host(key: &str, host: &str) -> Checked {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
    if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
        return Err(format!("{key}: a name or an address, without a port"));
    }
    Ok(())
}

fn check_authority(pem: Option<&str>) -> Checked {
    match pem {
        Some(pem) if pem.len() > 65_536 => Err("authority: 64 KiB at most".into()),
        Some(pem) => tls::authorities(pem).map(|_| ()).map_err(|e| e.to_string()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Notice;

    fn read(json: &str) -> Result<Settings, String> {
        let s = Settings::stored(json)?;
        s.check()?;
        Ok(s)
    }

    #[test]
    fn what_can_work_is_taken() {
        let mail = r#"{"email":{"server":"mail.example","from":"Lazaret <l@x.example>","to":["a@x.example"],
            "user":"l"},"filter":{"severities":["high","critical"],"masked_classes":["hacktool"]},
            "delivery":{"mode":"daily","hour":7,"zone":"+08:00"}}"#;
        let s = read(mail).unwrap();
        assert_eq!(s.kind(), Ok(Kind::Email));
        let n = |severity, class, test| s.filter.lets(Notice { severity, class, test });
        assert!(n(2, "worm", true) && n(3, "", false));
        assert!(!n(1, "worm", false) && !n(3, "hacktool", false));
        let again = Settings::stored(&serde_json::to_string(&s).unwrap()).unwrap();
        assert_eq!(s, again);
        assert!(read(r#"{"syslog":{"server":"::1","format":"cef"}}"#).is_ok());
        assert!(read(r#"{"file":{"name":"alarms.jsonl"}}"#).is_ok());
    }

    #[test]
    fn what_cannot_is_refused_with_its_key() {
        for (json, key) in [
            ("{}", "exactly one"),
            (r#"{"file":{"name":"a"},"webhook":{"url":"https://x/"}}"#, "exactly one"),
            (r#"{"file":{"name":"../etc/passwd"}}"#, "file.name"),
            (r#"{"file":{"name":".hidden"}}"#, "file.name"),
            (r#"{"file":{"name":"a","max_megabytes":0}}"#, "file.max_megabytes"),
            (r#"{"file":{"name":"a"},"delivery":{"mode":"daily"}}"#, "delivery"),
            (r#"{"webhook":{"url":"ftp://x/"}}"#, "url"),
            (r#"{"webhook":{"url":"https://a:b@x/"}}"#, "url"),
            (r#"{"webhook":{"url":"https://x/","authority":"no"}}"#, "authority"),
            (r#"{"webhook":{"url":"https://x/"},"filter":{"masked_classes":["spam"]}}"#, "masked_classes"),
            (r#"{"webhook":{"url":"https://x/"},"delivery":{"per_minute":0}}"#, "per_minute"),
            (r#"{"webhook":{"url":"https://x/"},"delivery":{"hour":7}}"#, "daily"),
            (r#"{"webhook":{"url":"https://x/"},"delivery":{"mode":"daily","hour":24}}"#, "hour"),
            (r#"{"webhook":{"url":"https://x/"},"delivery":{"mode":"daily","zone":"Mars/Olympus"}}"#, "zone"),
            (r#"{"email":{"server":"a b","from":"a@x","to":["a@x"]}}"#, "email.server"),
            (r#"{"email":{"server":"a","from":"a@x\r\nBcc: b@x","to":["a@x"]}}"#, "email.from"),
            (r#"{"email":{"server":"a","from":"a@x","to":[]}}"#, "email.to"),
            (r#"{"email":{"server":"a","from":"a@x","to":["nobody"]}}"#, "email.to"),
            (r#"{"syslog":{"server":"a","facility":24}}"#, "facility"),
            (r#"{"webhook":{"url":"https://x/","secret":"s"}}"#, "secret"),
        ] {
            let said = read(json).unwrap_err();
            assert!(said.contains(key), "{json}: {said}");
        }
    }
}
