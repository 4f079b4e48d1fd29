// SPDX-License-Identifier: Apache-2.0
//! Mails over SMTP. Plain text always, HTML beside it; headers are written by a library that encodes them,
//! of lines that hold no line ends.

use crate::dial::{self, Wire};
use crate::failure::Failure;
use crate::message::Message;
use crate::outbound::Outbound;
use crate::settings::{Email, Security};
use crate::{html, tls};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

/// An address with or without a name.
///
/// # Errors
/// It is none.
pub(crate) fn mailbox(key: &str, text: &str) -> Result<Mailbox, String> {
    let bad = || {
        let given = crate::text::shown(text, 80);
        format!("{key}: \"{given}\" is no mail address; give user@host or Name <user@host>")
    };
    if text.len() > 320 || text.chars().any(char::is_control) {
        return Err(bad());
    }
    text.parse().map_err(|_| bad())
}

/// The mail as it is sent.
fn compose(email: &Email, message: &Message, installation: &str) -> Result<lettre::Message, Failure> {
    let mut builder = lettre::Message::builder()
        .from(mailbox("email.from", &email.from).map_err(Failure::new)?)
        .subject(crate::text::shown(&message.title, 200))
        .message_id(Some(format!("<{}@{installation}.lazaret>", message.id)))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &email.to {
        builder = builder.to(mailbox("email.to", to).map_err(Failure::new)?);
    }
    builder
        .multipart(MultiPart::alternative_plain_html(message.plain(), html::page(message)))
        .map_err(|e| Failure::new(format!("the mail cannot be written: {e}")))
}

/// Sends a message.
pub(crate) async fn send(
    out: &Outbound,
    email: &Email,
    password: Option<&str>,
    message: &Message,
) -> Result<(), Failure> {
    let mail = compose(email, message, &out.installation)?;
    dial::within(out.limits.whole, &email.server, deliver(out, email, password, &mail)).await
}

async fn deliver(
    out: &Outbound,
    email: &Email,
    password: Option<&str>,
    mail: &lettre::Message,
) -> Result<(), Failure> {
    let server = email.server.as_str();
    let said = |what: &str, e: lettre::transport::smtp::Error| {
        // What the server said may hold anything.
        Failure::new(format!("{server}: {what}: {}", crate::text::shown(&e.to_string(), 300)))
    };
    let port = email.port.unwrap_or(match email.security {
        Security::Starttls => 587,
        Security::Tls => 465,
        Security::None => 25,
    });
    let wire = dial::connect(out, server, port).await?;
    let loopback = wire.peer.ip().to_canonical().is_loopback();
    let wire: Wire = match email.security {
        Security::Tls => dial::encrypt(wire, server, email.authority.as_deref()).await?,
        Security::None if !loopback => {
            return Err(Failure::new(format!(
                "{server}: without TLS mails go only to the server's own machine: set security to starttls or tls"
            )));
        }
        _ => wire,
    };
    let hello = ClientId::default();
    let mut smtp = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello)
        .await
        .map_err(|e| said("no SMTP server answers", e))?;
    if email.security == Security::Starttls {
        if !smtp.can_starttls() {
            return Err(Failure::new(format!(
                "{server}: does not offer STARTTLS: nothing is sent as plain text; set security to tls if it wants TLS from the beginning"
            )));
        }
        smtp.starttls(parameters(email)?, &hello).await.map_err(|e| said("no TLS connection", e))?;
    }
    if let (Some(user), Some(password)) = (&email.user, password) {
        let credentials = Credentials::new(user.clone(), password.to_owned());
        smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
            .await
            .map_err(|e| said("does not let us in", e))?;
    }
    smtp.send(mail.envelope(), &mail.formatted()).await.map_err(|e| said("refuses the mail", e))?;
    // It has the mail; how it says goodbye is its own affair.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), smtp.quit()).await;
    Ok(())
}

fn parameters(email: &Email) -> Result<TlsParameters, Failure> {
    let bad = |e: lettre::transport::smtp::Error| Failure::new(format!("{}: TLS: {e}", email.server));
    let mut builder = TlsParameters::builder(email.server.clone());
    if let Some(pem) = &email.authority {
        builder = builder.certificate_store(CertificateStore::None);
        for der in tls::authorities(pem)? {
            builder = builder.add_root_certificate(Certificate::from_der(der.to_vec()).map_err(bad)?);
        }
    }
    builder.build().map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_comes_from_a_host() {
        let email = Email {
            server: "mail.example".into(),
            port: None,
            security: Security::Starttls,
            user: None,
            from: "Lazaret <lazaret@example.com>".into(),
            to: vec!["a@example.com".into(), "b@example.com".into()],
            authority: None,
        };
        let mut message = crate::message::tests::hostile();
        // As if what shows text had a defect.
        message.title = "Web shell\r\nBcc: evil@example.com\r\n\r\nbody".into();
        let mail = compose(&email, &message, "i").unwrap();
        let text = String::from_utf8(mail.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        let names: Vec<&str> = head
            .lines()
            .filter(|l| !l.starts_with([' ', '\t']))
            .filter_map(|l| l.split(':').next())
            .collect();
        assert!(!names.contains(&"Bcc"), "{head}");
        assert!(names.contains(&"Subject") && names.contains(&"Auto-Submitted"), "{head}");
        assert_eq!(mail.envelope().to().len(), 2);
        assert!(text.contains("text/plain") && text.contains("text/html"));
        assert!(mailbox("to", "x@y\nBcc: z@y").is_err() && mailbox("to", "Ann <a@b.c>").is_ok());
    }
}
