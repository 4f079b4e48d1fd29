// SPDX-License-Identifier: Apache-2.0
//! Mails through a real SMTP server.

use crate::bed::{Base, Bed, run, until};
use crate::rows;
use lazaret_kit::pki::Authority;
use lazaret_kit::smtp::Smtp;
use lazaret_notify::Secrets;
use serde_json::{Value, json};
use std::time::Duration;

fn settings(security: &str, port: u16, authority: &Authority, user: &str) -> Value {
    let mut email = json!({ "server": "127.0.0.1", "port": port, "security": security,
        "from": "Lazaret <lazaret@example.com>", "to": ["ann@example.com", "Bob <bob@example.com>"] });
    if security != "none" {
        email["authority"] = json!(authority.pem);
    }
    if !user.is_empty() {
        email["user"] = json!(user);
    }
    json!({ "email": email })
}

fn password(text: &str) -> Secrets {
    Secrets { password: Some(text.to_owned()), ..Secrets::default() }
}

#[test]
fn mails_go_encrypted_and_signed_in() {
    run(Base::Sqlite, async |bed: Bed| {
        let authority = Authority::new();
        for (security, user) in [("starttls", "lazaret"), ("tls", "lazaret"), ("none", "")] {
            let smtp = Smtp::start(security, (user, "p w\u{e9}"), &authority.identity(), 0);
            let secrets = if user.is_empty() { Secrets::default() } else { password("p w\u{e9}") };
            let target = bed.target(settings(security, smtp.port(), &authority, user), secrets).await;
            lazaret_notify::test(&bed.outbound(), &target)
                .await
                .unwrap_or_else(|e| panic!("{security}: {e}"));
            until("the mail", async || smtp.seen().len() == 1).await;
            let mail = &smtp.seen()[0];
            assert_eq!(mail["to"], json!(["ann@example.com", "bob@example.com"]));
            assert_eq!(mail["user"], user, "{security}");
            assert_eq!(mail["tls"], security == "starttls");
        }
    });
}

#[test]
fn what_a_server_refuses_is_said_without_the_password() {
    run(Base::Sqlite, async |bed: Bed| {
        let (authority, unknown) = (Authority::new(), Authority::new());
        let identity = authority.identity();
        let smtp = Smtp::start("starttls", ("lazaret", "right"), &identity, 0);
        let wrong = settings("starttls", smtp.port(), &authority, "lazaret");
        let target = bed.target(wrong, password("hunter2")).await;
        let text = lazaret_notify::test(&bed.outbound(), &target).await.unwrap_err().to_string();
        assert!(text.contains("does not let us in") && !text.contains("hunter2"), "{text}");
        let stranger = settings("starttls", smtp.port(), &unknown, "lazaret");
        let target = bed.target(stranger, password("right")).await;
        let text = lazaret_notify::test(&bed.outbound(), &target).await.unwrap_err().to_string();
        assert!(text.contains("TLS"), "{text}");
        let plain = Smtp::start("none", ("", ""), &identity, 0);
        let target = bed.target(settings("starttls", plain.port(), &authority, ""), Secrets::default()).await;
        let text = lazaret_notify::test(&bed.outbound(), &target).await.unwrap_err().to_string();
        assert!(text.contains("STARTTLS"), "{text}");
        assert!(plain.seen().is_empty() && smtp.seen().is_empty());
    });
}

#[test]
fn an_alarm_of_a_hostile_host_is_a_harmless_mail() {
    run(Base::Sqlite, async |bed: Bed| {
        let authority = Authority::new();
        // The first two are not taken: it is tried again.
        let smtp = Smtp::start("none", ("", ""), &authority.identity(), 2);
        bed.target(settings("none", smtp.port(), &authority, ""), Secrets::default()).await;
        let worker = bed.work();
        let host = rows::host(&bed.store, "0", "web\r\nBcc: evil@example.com\r\n\r\n<script>").await;
        let mut alarm = rows::alarm(&host, "webshell", 3, Vec::new());
        alarm.title = "T\r\nX-Evil: 1\r\n.\r\nMAIL FROM:<x>\r\n<img src=//evil>".to_owned();
        alarm.path = b"/srv/\r\n.\r\n<b>\xff".to_vec();
        bed.store.put_alarms(vec![alarm.clone()]).await.unwrap();
        until("the mail", async || !smtp.seen().is_empty()).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mails = smtp.seen();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0]["to"], json!(["ann@example.com", "bob@example.com"]));
        let data = mails[0]["data"].as_str().unwrap();
        let (head, body) = data.split_once("\r\n\r\n").unwrap();
        for line in head.lines().filter(|l| !l.starts_with([' ', '\t'])) {
            let name = line.split(':').next().unwrap();
            assert!(!["Bcc", "X-Evil"].contains(&name), "{head}");
        }
        assert!(head.contains("Auto-Submitted: auto-generated") && head.contains("multipart/alternative"));
        assert!(body.contains("text/plain") && body.contains("text/html"));
        // In the plain part it is text like any other.
        let html = body.split("text/html").nth(1).expect("a part of its own").to_lowercase();
        for markup in ["<script", "<img", "<b>"] {
            assert!(!html.contains(markup), "{markup}: {body}");
        }
        worker.stop().await;
    });
}
