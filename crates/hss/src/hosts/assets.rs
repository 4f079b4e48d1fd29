// SPDX-License-Identifier: Apache-2.0
//! How much hosts matter, and what their agents may use.

use super::chosen;
use crate::body::{flag, needed_word_in, short_in};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::words::ASSET_VALUES;
use serde_json::{Value, json};

/// Limits of an agent; only the first is what Lazaret has.
const MODES: [(&str, bool); 3] = [("default", true), ("customized", false), ("adaptive", false)];

/// `associate_host_asset_value`.
pub(crate) async fn associate_host_asset_value(call: &Call) -> Answer {
    let body = &call.ask.body;
    let value = needed_word_in(body, "", "asset_value", &ASSET_VALUES)?;
    let ids = chosen::needed(body, "host_id_list")?;
    chosen::hosts(call, &ids).await?;
    chosen::assign(call, &ids, ("importance", json!(value))).await?;
    Ok(json!({}).into())
}

/// `batch_update_host_resource`: there is nothing to set; who asks for what is so anyway gets it.
pub(crate) async fn batch_update_host_resource(call: &Call) -> Answer {
    if let Some(ids) = checked(&call.ask.body)? {
        chosen::hosts(call, &ids).await?;
    }
    Ok(json!({}).into())
}

/// Hosts that are named; `None` for all.
fn checked(body: &Value) -> Result<Option<Vec<String>>, HssError> {
    let all = flag(body, "operate_all")?;
    let is_had = needed_word_in(body, "", "mode", &MODES)?;
    for limit in ["cpu_limit", "mem_limit"] {
        short_in(body, "", limit, 32)?;
    }
    let ids = if all { None } else { Some(chosen::needed(body, "host_ids")?) };
    if !is_had {
        return Err(HssError::invalid(
            "mode: only default: an agent of Lazaret takes no limit of CPU or memory from a server, since one that \
             waits would hold up every program that starts; limit its scanners in the host's own configuration",
        ));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_refused_with_the_reason() {
        let good = json!({ "operate_all": false, "host_ids": ["a"], "mode": "default" });
        assert_eq!(checked(&good).unwrap(), Some(vec!["a".to_owned()]));
        assert_eq!(checked(&json!({ "operate_all": true, "mode": "default" })).unwrap(), None);
        for (body, word) in [
            (json!({ "mode": "default" }), "operate_all"),
            (json!({ "operate_all": true }), "mode"),
            (json!({ "operate_all": true, "mode": "free" }), "none of"),
            (json!({ "operate_all": true, "mode": "adaptive" }), "only default"),
            (json!({ "operate_all": false, "mode": "default" }), "host_ids"),
            (json!({ "operate_all": true, "mode": "default", "cpu_limit": "9".repeat(33) }), "cpu_limit"),
        ] {
            assert!(checked(&body).is_err_and(|e| e.message().contains(word)), "{body}");
        }
    }
}
