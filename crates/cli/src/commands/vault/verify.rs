// SPDX-License-Identifier: Apache-2.0
//! `lazaret vault verify`.

use super::{Place, find};
use crate::commands::show;
use crate::error::{CliError, EXIT_FOUND};
use crate::output::Output;
use crate::render;
use clap::Args;
use lazaret_proto::v1;
use lazaret_proto::v1::response::Answer;
use lazaret_vault::VaultError;
use std::process::ExitCode;

/// Check that everything in the vault is whole, and tell the way out where something is not
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Its id, or the unique beginning or end of it; all without one
    id: Option<String>,
}

/// A look can end because the vault cannot be read, or because nobody reads the output.
enum Ended {
    Vault(VaultError),
    Output(CliError),
}

impl From<VaultError> for Ended {
    fn from(e: VaultError) -> Self {
        Self::Vault(e)
    }
}

/// # Errors
/// A daemon runs, no such object, or the vault cannot be read.
pub(super) fn run(place: &Place, args: &VerifyArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    place.ready("`lazaret isolated verify`")?;
    let reader = place.reader()?;
    let only = match &args.id {
        Some(given) => Some(find(&reader, given)?.id),
        None => None,
    };
    let mut results = Vec::new();
    let looked = reader.check(only, |c| {
        let finding = c.finding.word().to_owned();
        let result = v1::VerifyResult { id: c.name, ok: c.finding.is_ok(), reason: c.why, finding };
        if out.json {
            show(out, &Answer::Verify(result.clone())).map_err(Ended::Output)?;
        }
        results.push(result);
        Ok(())
    });
    looked.map_err(|e| match e {
        Ended::Vault(e) => super::failed(e),
        Ended::Output(e) => e,
    })?;
    if !out.json {
        out.text(&render::verifications(out.look, &results))?;
    }
    Ok(if results.iter().all(|r| r.ok) { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}
