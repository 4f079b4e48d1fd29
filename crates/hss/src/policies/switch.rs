// SPDX-License-Identifier: Apache-2.0
//! Whether a policy is on for all hosts. HSS has that of self-protection only.

use crate::ask::one_of;
use crate::body;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::words;
use serde_json::{Value, json};

const SELF_PROTECTION: &str = "sp_feature";
/// What there is instead.
const WHY: &str = "the agent has no policy that keeps root from stopping or removing it; a host that falls silent \
                   without being stopped in order raises an alarm, which cannot be switched off";

pub(crate) async fn show_policy_switch_status(call: &Call) -> Answer {
    call.project()?;
    let name = call.ask.text("policy_name").unwrap_or_default();
    known(name)?;
    Ok(json!({ "policy_name": name, "enable": false, "lazaret_reason": WHY }).into())
}

pub(crate) async fn change_policy_switch_status(call: &Call) -> Answer {
    call.project()?;
    Ok(changed(&call.ask.body)?.into())
}

fn known(name: &str) -> Result<(), HssError> {
    if name.is_empty() {
        return Err(HssError::invalid(format!(
            "policy_name: is missing; {SELF_PROTECTION} is the one that HSS has"
        )));
    }
    one_of("policy_name", name, &[(SELF_PROTECTION, ())])
}

/// Who wants it off has it so.
fn changed(body: &Value) -> Result<Value, HssError> {
    known(words::text(body, "policy_name"))?;
    if body::flag(body, "enable")? {
        return Err(HssError::invalid(format!("enable: {SELF_PROTECTION} stays off: {WHY}")));
    }
    Ok(json!({ "lazaret_reason": WHY }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_protection_stays_off_and_says_why() {
        assert!(changed(&json!({ "policy_name": "sp_feature", "enable": false })).is_ok());
        for (body, word) in [
            (json!({ "policy_name": "sp_feature", "enable": true }), "stays off"),
            (json!({ "policy_name": "sp_feature" }), "enable: is missing"),
            (json!({ "enable": false }), "policy_name: is missing"),
            (json!({ "policy_name": "av_feature", "enable": false }), "none of sp_feature"),
        ] {
            let e = changed(&body).unwrap_err();
            assert!(e.message().contains(word), "{body}: {}", e.message());
        }
    }
}
