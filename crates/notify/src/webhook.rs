// SPDX-License-Identifier: Apache-2.0
//! Signed messages to programs, by Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`,
//! `webhook-signature`. Every secret signs, so that a receiver may learn a new one in its own time.

use crate::failure::Failure;
use crate::http;
use crate::message::Message;
use crate::outbound::Outbound;
use crate::settings::Webhook;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header: one signature for each secret.
///
/// # Errors
/// A secret is not one.
pub(crate) fn signatures(secrets: &[String], id: &str, seconds: i64, body: &str) -> Result<String, Failure> {
    let mut out = Vec::new();
    for secret in secrets {
        let key = secret
            .strip_prefix("whsec_")
            .and_then(|s| STANDARD.decode(s).ok())
            .ok_or_else(|| Failure::new("the web hook's secret cannot be read: make a new one"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        out.push(format!("v1,{}", STANDARD.encode(tag.as_ref())));
    }
    if out.is_empty() {
        return Err(Failure::new("the web hook has no secret: make one"));
    }
    Ok(out.join(" "))
}

/// Sends a message.
pub(crate) async fn send(
    out: &Outbound,
    hook: &Webhook,
    secrets: &[String],
    message: &Message,
) -> Result<(), Failure> {
    let body = serde_json::json!({
        "type": format!("lazaret.{}", message.kind),
        "timestamp": message.at,
        "data": message,
    })
    .to_string();
    let seconds = crate::text::now_ms() / 1000;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures(secrets, &message.id, seconds, &body)?),
    ];
    http::post(out, &hook.url, hook.authority.as_deref(), &headers, body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_standard_says() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = r#"{"test": 2432232314}"#;
        let said = signatures(std::slice::from_ref(&secret), id, 1_614_265_330, body).unwrap();
        assert_eq!(said, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let two = signatures(&[secret.clone(), secret], id, 1_614_265_330, body).unwrap();
        assert_eq!(two, format!("{said} {said}"));
        assert!(signatures(&["abc".into()], id, 1, body).is_err() && signatures(&[], id, 1, body).is_err());
    }
}
