// SPDX-License-Identifier: Apache-2.0
//! One file after the other, with buffers and pattern scanners that are made once.

use crate::engine::Engine;
use crate::judge::{Judge, Object};
use crate::unpack::{Container, FileSource, Source, Unpacked, container_of, unpack};
use crate::window::Window;
use lazaret_model::{FileType, ScanError, ScanReport, Sha256};
use sha2::Digest;
use std::fs::File;

/// Of larger programs it takes longer than all else.
const ALIKE: u64 = 16 << 20;

fn is_program(file_type: FileType) -> bool {
    matches!(file_type, FileType::Elf | FileType::Pe | FileType::Script | FileType::Php | FileType::Jsp)
}

/// Empty for what is too short or too even to have one.
fn tlsh(bytes: &[u8]) -> String {
    let hash = tlsh2::TlshDefaultBuilder::build_from(bytes).map(|t| t.hash().to_vec());
    hash.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default()
}

/// Scans with one [`Engine`]. Neither opens files nor starts threads.
pub struct FileScanner<'e> {
    judge: Judge<'e>,
    window: Window,
}

impl<'e> FileScanner<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self { judge: Judge::new(engine), window: Window::default() }
    }

    /// Scans an open file, reading at offsets only (its position neither counts nor changes); with
    /// `members` what is packed in it too. Files up to [`crate::WINDOW`] are searched whole.
    ///
    /// # Errors
    /// When it is no regular file, cannot be read, gets shorter again and again while it is read, or is
    /// larger than [`crate::MAX_FILE`].
    pub fn scan_file(&mut self, file: &File, members: bool) -> Result<ScanReport, ScanError> {
        let mut window = std::mem::take(&mut self.window);
        let report = window.fill(file).and_then(|()| self.scan_window(&window, file, members));
        window.trim();
        self.window = window;
        report
    }

    fn scan_window(&mut self, window: &Window, file: &File, members: bool) -> Result<ScanReport, ScanError> {
        let sha256 = window.sha256.ok_or(ScanError::Changed)?;
        let object = Object { head: &window.head, tail: &window.tail, size: window.size, sha256 };
        let whole = window.head.len() as u64 == window.size;
        let from_file = FileSource::new(file, window.size);
        let source: &dyn Source = if whole { &window.head.as_slice() } else { &from_file };
        let mut report = self.scan_object(&object, source, members)?;
        report.unscanned.splice(0..0, window.notes.iter().cloned());
        if members && whole && window.size <= ALIKE && is_program(report.verdict.file_type) {
            report.tlsh = tlsh(&window.head);
        }
        Ok(report)
    }

    /// Scans bytes that are in memory.
    ///
    /// # Errors
    /// When the pattern engine gives up.
    pub fn scan_bytes(&mut self, bytes: &[u8], members: bool) -> Result<ScanReport, ScanError> {
        let sha256 = Sha256(sha2::Sha256::digest(bytes).into());
        let object = Object { head: bytes, tail: &[], size: bytes.len() as u64, sha256 };
        self.scan_object(&object, &bytes, members)
    }

    fn scan_object(
        &mut self,
        object: &Object<'_>,
        source: &dyn Source,
        members: bool,
    ) -> Result<ScanReport, ScanError> {
        let mut judged = self.judge.judge(object)?;
        let elf = judged.elf.take();
        let mut unpacked = Unpacked::default();
        if members && let Some(container) = self.container(judged.file_type, source) {
            unpacked = unpack(&mut self.judge, source, container)?;
            if let Some(finding) = unpacked.condemns() {
                judged.findings.list.push(finding);
            }
        }
        Ok(ScanReport {
            verdict: self.judge.verdict(judged, object, None),
            members: unpacked.bad,
            objects: unpacked.objects.saturating_add(1),
            bytes: unpacked.bytes.saturating_add(object.size),
            unscanned: unpacked.unscanned,
            elf,
            tlsh: String::new(),
        })
    }

    fn container(&self, file_type: FileType, source: &dyn Source) -> Option<Container> {
        container_of(file_type, source)
    }
}
