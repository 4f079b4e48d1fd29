// SPDX-License-Identifier: Apache-2.0
//! RFC 5424 messages over TLS (RFC 5425): each with its length in octets before it. The protocol has no
//! answer; what it has is the end of the connection, which a receiver that read all of it must return.

use crate::dial;
use crate::failure::Failure;
use crate::outbound::Outbound;
use crate::settings::{Format, Syslog};
use crate::text::time;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The severity of syslog for one of OCSF.
const fn severity(id: u64) -> u8 {
    match id {
        5 | 6 => 2,
        4 => 3,
        3 => 4,
        2 => 5,
        _ => 6,
    }
}

/// A name as the head of a message may have it.
fn host_name(text: &str) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// One message, without its length.
pub(crate) fn message(syslog: &Syslog, event: &Value) -> String {
    let pri =
        u32::from(syslog.facility) * 8 + u32::from(severity(event["severity_id"].as_u64().unwrap_or(0)));
    let device = event.get("device").or_else(|| event.pointer("/evidences/0/device"));
    let host = device.and_then(|d| d["hostname"].as_str().or(d["uid"].as_str())).unwrap_or_default();
    let (id, body) = match syslog.format {
        Format::Ocsf => ("OCSF", event.to_string()),
        Format::Cef => ("CEF", crate::cef::line(event)),
    };
    let at = time(event["time"].as_i64().unwrap_or(0));
    format!("<{pri}>1 {at} {} lazaret - {id} - {body}", host_name(host))
}

/// All of them, in order, over one connection.
pub(crate) async fn send(out: &Outbound, syslog: &Syslog, events: &[Value]) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    for event in events {
        let text = message(syslog, event);
        bytes.extend_from_slice(format!("{} ", text.len()).as_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    let server = syslog.server.as_str();
    let deliver = async {
        let wire = dial::connect(out, server, syslog.port.unwrap_or(6514)).await?;
        let mut wire = dial::encrypt(wire, server, syslog.authority.as_deref()).await?;
        let gone = |e: std::io::Error| Failure::new(format!("{server}: the connection broke: {e}"));
        wire.write_all(&bytes).await.map_err(gone)?;
        wire.flush().await.map_err(gone)?;
        wire.shutdown().await.map_err(gone)?;
        let mut rest = [0; 1024];
        loop {
            match wire.read(&mut rest).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // The other side ended without a word of TLS: with its socket closed in order, not reset.
                Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(e) => return Err(gone(e)),
            }
        }
    };
    dial::within(out.limits.whole, server, deliver).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_is_one_of_rfc_5424() {
        let syslog =
            Syslog { server: "s".into(), port: None, format: Format::Ocsf, facility: 16, authority: None };
        let event = json!({ "severity_id": 4, "time": 1_709_210_096_789_i64, "device": { "hostname": "web 1\n<x>é" } });
        let text = message(&syslog, &event);
        let (head, body) = text.split_once(" OCSF - ").unwrap();
        assert_eq!(head, "<131>1 2024-02-29T12:34:56.789Z web1<x> lazaret -");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), event);
        let nobody = message(&Syslog { format: Format::Cef, ..syslog }, &json!({}));
        assert!(nobody.starts_with("<134>1 1970-01-01T00:00:00.000Z - lazaret - CEF - CEF:0|"), "{nobody}");
    }
}
