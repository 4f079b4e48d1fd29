// SPDX-License-Identifier: Apache-2.0
//! `lazaret vault list`.

use super::{Place, failed, object};
use crate::error::CliError;
use crate::output::Output;
use crate::{json, render};
use clap::Args;
use std::process::ExitCode;

/// List what the vault holds or held
#[derive(Debug, Args)]
pub(super) struct ListArgs {}

/// # Errors
/// A daemon runs, or the vault cannot be read.
pub(super) fn run(place: &Place, out: &mut Output) -> Result<ExitCode, CliError> {
    place.ready("`lazaret isolated list`")?;
    let reader = place.reader()?;
    let files = object::describe(&reader, &reader.list().map_err(failed)?);
    if out.json {
        for file in &files {
            out.json(&json::Held::from(file))?;
        }
    } else {
        out.text(&render::isolated_list(out.look, &files))?;
    }
    Ok(ExitCode::SUCCESS)
}
