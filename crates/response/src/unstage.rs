// SPDX-License-Identifier: Apache-2.0
//! Giving back a file whose content never went into the vault: its inode still exists.

use crate::plan::Receipt;
use crate::responder::Responder;
use crate::restore::{NotRestored, is_it};
use crate::stage::{self, Place};
use crate::{names, open};
use lazaret_vault::Manifest;
use rustix::fs::fsync;
use rustix::io::Errno;

impl Responder {
    pub(crate) fn move_back(&self, manifest: &Manifest, place: &Place) -> Result<Receipt, NotRestored> {
        let failed = |what: &str, e: Errno| NotRestored::Failed(format!("{what}: {e}"));
        let file = if let Some(staged) = &manifest.staged {
            let shown = staged.lossy();
            let from = names::place(&staged.0).ok_or_else(|| {
                NotRestored::Failed(format!("{shown} cannot be opened; is its filesystem mounted?"))
            })?;
            // Opened first: once it has its name back, nothing may fail before its flags are set.
            let file = open::file(&from.dir, &from.name).map_err(|e| failed("opening it", e))?;
            let opened = stage::now(&file).is_ok_and(|inode| from.is(inode));
            if !opened || !is_it(&from, manifest) {
                return Err(NotRestored::Failed(format!("{shown} is not the isolated file any more")));
            }
            stage::unstage(&from, place).map_err(|e| match e {
                Errno::EXIST => NotRestored::Refused(format!(
                    "{} exists and is never overwritten; move it away or name another path (--to)",
                    String::from_utf8_lossy(&place.path())
                )),
                Errno::XDEV => NotRestored::Refused(
                    "the file still lies on its own filesystem and can only go back there; name a path on it (--to)"
                        .to_owned(),
                ),
                e => failed("giving it its name", e),
            })?;
            self.forget_record(&from);
            let _ = fsync(&from.dir);
            file
        } else {
            open::file(&place.dir, &place.name).map_err(|e| failed("opening it", e))?
        };
        self.settle(manifest, place, &file).map_err(|e| match e {
            // It is the very inode, and it has its name: there is nothing to take back.
            NotRestored::Failed(why) => NotRestored::Unsettled(why),
            e => e,
        })
    }
}
