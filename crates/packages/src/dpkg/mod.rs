// SPDX-License-Identifier: Apache-2.0
//! dpkg's database: `/var/lib/dpkg` (formats: deb-control(5), dpkg's `lib/dpkg` sources).

mod diversions;
mod files;
mod stanza;
mod status;

pub(crate) use stanza::{Stanza, Stanzas};
pub(crate) use status::{Identity, Installed, description_md5};

use crate::aliases::Aliases;
use crate::apt;
use crate::database::under;
use crate::digest::{self, Algorithm};
use crate::index::{Builder, PathIndex};
use crate::stamp::Stamp;
use crate::standing::{Manager, Standing};
use diversions::Diversions;
use std::fs::File;
use std::path::{Path, PathBuf};

/// One installed package.
#[derive(Debug)]
pub(crate) struct Package {
    name: Box<str>,
    version: Box<str>,
    arch: Box<str>,
    /// `None` when something signed vouches for it, else what is missing.
    distrust: Option<apt::Distrust>,
}

/// dpkg's database, read.
#[derive(Debug)]
pub(crate) struct Dpkg {
    info: PathBuf,
    packages: Vec<Package>,
    index: PathIndex,
    diversions: Diversions,
    conffiles: Vec<(u32, Box<[u8]>, [u8; 32])>,
    trust: Result<usize, String>,
    problems: Vec<String>,
}

impl Dpkg {
    /// `None` when there is no dpkg database.
    pub(crate) fn open(root: &Path, aliases: &Aliases, stamp: &mut Stamp) -> Option<Result<Self, String>> {
        let admin = under(root, b"/var/lib/dpkg");
        let status = admin.join("status");
        stamp.watch(status.clone());
        if !status.exists() {
            return None;
        }
        stamp.watch(admin.join("info"));
        stamp.watch(admin.join("diversions"));
        Some(Self::read(root, &admin, aliases, stamp))
    }

    fn read(root: &Path, admin: &Path, aliases: &Aliases, stamp: &mut Stamp) -> Result<Self, String> {
        let installed = status::read(admin)?;
        let diversions = Diversions::read(&admin.join("diversions"))?;
        let info = admin.join("info");
        let verdicts = apt::judge(&under(root, b"/var/lib/apt/lists"), &installed, stamp);
        let mut packages = Vec::with_capacity(installed.len());
        let mut conffiles = Vec::new();
        let mut builder = Builder::default();
        let mut problems = verdicts.problems;
        for (number, (stanza, distrust)) in (0_u32..).zip(installed.into_iter().zip(verdicts.distrust)) {
            let package = Package { name: stanza.name, version: stanza.version, arch: stanza.arch, distrust };
            conffiles.extend(stanza.conffiles.into_iter().map(|(path, md5)| (number, path, md5)));
            let listed = files::each_path(&files::info_file(&info, &package, "list"), |path| {
                let real = diversions.actual(path, &package.name);
                builder.add(&aliases.resolve(real), number);
            });
            if let Err(e) = listed {
                problems.push(format!("the file list of {} could not be read: {e}", package.name));
            }
            packages.push(package);
        }
        Ok(Self {
            info,
            packages,
            index: builder.build(),
            diversions,
            conffiles,
            trust: verdicts.trust,
            problems,
        })
    }

    /// What dpkg says about a file; `path` with aliases resolved.
    pub(crate) fn standing(&self, path: &[u8], aliases: &Aliases, file: &File) -> Standing {
        let mut problem = None;
        let mut owned = None;
        for number in self.index.candidates(path) {
            let Some(package) = self.packages.get(number as usize) else { continue };
            match self.listed_as(package, path, aliases) {
                Ok(Some(listed)) => {
                    let standing = self.judge(number, package, &listed, file);
                    // Several packages may share a file (multiarch); the best of them speaks.
                    if matches!(standing, Standing::Owned { intact: true, .. }) {
                        return standing;
                    }
                    owned = owned.or(Some(standing));
                }
                Ok(None) => {}
                Err(e) => {
                    problem = Some(format!("dpkg: the file list of {} could not be read: {e}", package.name));
                }
            }
        }
        owned.unwrap_or_else(|| problem.map_or(Standing::Unowned, Standing::Unknown))
    }

    /// The path as the package lists it, when it really does.
    fn listed_as(
        &self,
        package: &Package,
        path: &[u8],
        aliases: &Aliases,
    ) -> std::io::Result<Option<Vec<u8>>> {
        let mut found = None;
        files::each_path(&files::info_file(&self.info, package, "list"), |listed| {
            let real = self.diversions.actual(listed, &package.name);
            if found.is_none() && aliases.resolve(real).as_ref() == path {
                found = Some(listed.to_vec());
            }
        })?;
        Ok(found)
    }

    fn judge(&self, number: u32, package: &Package, listed: &[u8], file: &File) -> Standing {
        let mut why = Vec::new();
        let expected = match self.recorded(number, package, listed) {
            Ok(Some(md5)) => Some(md5),
            Ok(None) => {
                why.push("the package recorded no digest for it".to_owned());
                None
            }
            Err(e) => {
                why.push(format!("its digest list could not be read: {e}"));
                None
            }
        };
        let mut intact = false;
        if let Some(expected) = expected {
            match digest::of_file(file, Algorithm::Md5) {
                Ok(found) => intact = found.as_bytes() == expected,
                Err(e) => why.push(e),
            }
            if !intact && why.is_empty() {
                why.push("its content differs from what the package shipped".to_owned());
            }
        }
        why.extend(package.distrust.as_ref().map(ToString::to_string));
        Standing::Owned {
            package: format!("{} {}", package.name, package.version),
            manager: Manager::Dpkg,
            intact,
            trusted: package.distrust.is_none(),
            why: why.join("; "),
        }
    }

    /// The recorded MD5 in hexadecimal. Configuration files are recorded in the status file; they are
    /// expected to change, so only a matching digest says anything.
    fn recorded(&self, number: u32, package: &Package, listed: &[u8]) -> std::io::Result<Option<[u8; 32]>> {
        if let Some((_, _, md5)) =
            self.conffiles.iter().find(|(n, path, _)| *n == number && **path == *listed)
        {
            return Ok(Some(*md5));
        }
        files::recorded_md5(&files::info_file(&self.info, package, "md5sums"), listed)
    }

    pub(crate) fn packages(&self) -> usize {
        self.packages.len()
    }

    pub(crate) fn trust(&self) -> Result<usize, String> {
        self.trust.clone()
    }

    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(crate) fn index(&self) -> &PathIndex {
        &self.index
    }
}
