// SPDX-License-Identifier: Apache-2.0
//! What a person asks for: does this target work, and can what was given up go now. Both are done while
//! they wait, and the answer is what the target said.

use crate::failure::Failure;
use crate::message::Message;
use crate::ocsf::{self, Teller};
use crate::outbound::Outbound;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::text::{now_ms, time};
use crate::{alert, export};
use lazaret_store::{DeadLetterRow, TargetRow};

fn read(out: &Outbound, row: &TargetRow) -> Result<(Settings, Secrets), Failure> {
    let settings = Settings::stored(&row.settings).map_err(Failure::new)?;
    settings.check().map_err(Failure::new)?;
    Ok((settings, Secrets::of(row, &*out.seal).map_err(Failure::new)?))
}

/// Sends one message, or one event, that says that it is a test.
///
/// # Errors
/// What the target did instead.
pub async fn test(out: &Outbound, row: &TargetRow) -> Result<(), Failure> {
    let (settings, secrets) = read(out, row)?;
    let kind = settings.kind().map_err(Failure::new)?;
    let now = now_ms();
    if !kind.is_notification() {
        let teller = Teller { installation: &out.installation, version: out.version };
        let event = ocsf::test_event(teller, &row.project, now);
        return export::send(out, &row.project, &settings, &secrets, &[event]).await;
    }
    let mut message = Message {
        id: format!("msg_{}", uuid::Uuid::now_v7().simple()),
        kind: "test".to_owned(),
        project: row.project.clone(),
        at: time(now),
        ..Message::default()
    };
    message.titled();
    alert::send(out, &settings, &secrets, &message).await
}

/// Sends a message again that was given up, with the id that it had.
///
/// # Errors
/// What the target did instead.
pub async fn retry(out: &Outbound, row: &TargetRow, letter: &DeadLetterRow) -> Result<(), Failure> {
    let (settings, secrets) = read(out, row)?;
    let message: Message = serde_json::from_str(&letter.body)
        .map_err(|_| Failure::new("the message cannot be read by this version: delete it"))?;
    alert::send(out, &settings, &secrets, &message).await
}
