// SPDX-License-Identifier: Apache-2.0
//! First facts about ELF files, and what is odd about some of them. A broken ELF file is a fact, never
//! an error: the kernel runs files that readers of section tables refuse.

use crate::finding::Finding;
use crate::script::structure;
use goblin::container::Ctx;
use goblin::elf::Elf;
use goblin::elf::dynamic::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, Dyn, Dynamic};
use goblin::elf::header::Header;
use goblin::elf::program_header::{PF_W, PF_X, PT_DYNAMIC, PT_INTERP, PT_LOAD, ProgramHeader};
use lazaret_model::ElfFacts;
use memchr::memmem;

/// Names kept from `DT_NEEDED`.
const MAX_NEEDED: usize = 256;
/// The kernel reads a program header table of at most one page; this is plenty.
const MAX_PROGRAM_HEADERS: usize = 1024;
/// A name longer than a path can be is cut.
const MAX_NAME: usize = 4096;
/// Bytes of a segment that its entropy is taken from.
const ENTROPY_SAMPLE: usize = 256 * 1024;

/// What an ELF file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ET_EXEC` or `ET_DYN`.
    Program,
    /// `ET_CORE`.
    Core,
    /// An object file, or something else.
    Other,
}

/// By the first 18 bytes; `None` when it is not ELF. A file too short for a type is `Other`.
pub(crate) fn kind(bytes: &[u8]) -> Option<Kind> {
    if !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    let number = match (bytes.get(5), bytes.get(16..18)) {
        (Some(2), Some(&[high, low])) => u16::from_be_bytes([high, low]),
        (_, Some(&[low, high])) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    Some(match number {
        2 | 3 => Kind::Program,
        4 => Kind::Core,
        _ => Kind::Other,
    })
}

/// Facts, and findings of low weight. `bytes` may be the beginning of a larger file of `size` bytes.
pub(crate) fn examine(bytes: &[u8], size: u64, findings: &mut Vec<Finding>) -> ElfFacts {
    let mut facts = ElfFacts::default();
    let Ok(header) = Elf::parse_header(bytes) else {
        findings.push(structure("elf_broken_header", 0.5, "its ELF header cannot be read".to_owned()));
        return facts;
    };
    let (Ok(container), Ok(endian)) = (header.container(), header.endianness()) else {
        findings.push(structure("elf_broken_header", 0.5, "its ELF header names no known form".to_owned()));
        return facts;
    };
    let ctx = Ctx::new(container, endian);
    let program = kind(bytes) == Some(Kind::Program);
    facts.sections = header.e_shoff != 0 && header.e_shoff < size && header.e_shentsize != 0;
    let headers = program_headers(bytes, &header, ctx);
    if program && headers.is_none() && header.e_phnum != 0 {
        findings.push(structure(
            "elf_broken_program_headers",
            0.5,
            "it is a program whose program headers are not in it".to_owned(),
        ));
    }
    let headers = headers.unwrap_or_default();
    facts.interpreter = headers
        .iter()
        .find(|h| h.p_type == PT_INTERP)
        .and_then(|h| slice(bytes, h.p_offset, h.p_filesz.min(MAX_NAME as u64)))
        .map(name);
    dynamic(bytes, &headers, ctx, &mut facts);
    let is_dynamic = headers.iter().any(|h| h.p_type == PT_DYNAMIC);
    facts.is_static = program && facts.interpreter.is_none() && facts.needed.is_empty();
    if program {
        oddities(bytes, &headers, &facts, is_dynamic, findings);
    }
    facts
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    bytes.get(start..end)
}

/// Up to the first NUL.
fn name(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn program_headers(bytes: &[u8], header: &Header, ctx: Ctx) -> Option<Vec<ProgramHeader>> {
    let count = usize::from(header.e_phnum).min(MAX_PROGRAM_HEADERS);
    let size = ProgramHeader::size(ctx);
    if count == 0 || usize::from(header.e_phentsize) != size {
        return None;
    }
    // Checked here, so that no arithmetic on the file's numbers is left to anybody else.
    let table = slice(bytes, header.e_phoff, (count * size) as u64)?;
    ProgramHeader::parse(table, 0, count, ctx).ok()
}

fn dynamic(bytes: &[u8], headers: &[ProgramHeader], ctx: Ctx, facts: &mut ElfFacts) {
    let Some(segment) = headers.iter().find(|h| h.p_type == PT_DYNAMIC) else { return };
    let Some(table) = slice(bytes, segment.p_offset, segment.p_filesz.min(1 << 20)) else { return };
    let whole = ProgramHeader {
        p_type: PT_DYNAMIC,
        p_offset: 0,
        p_filesz: table.len() as u64,
        ..ProgramHeader::default()
    };
    let Ok(Some(Dynamic { dyns, .. })) = Dynamic::parse(table, &[whole], ctx) else { return };
    let value = |tag: u64| dyns.iter().find(|d: &&Dyn| d.d_tag == tag).map(|d| d.d_val);
    let strings = value(DT_STRTAB)
        .and_then(|address| file_offset(headers, address))
        .and_then(|offset| slice(bytes, offset, value(DT_STRSZ).unwrap_or(0).min(1 << 26)));
    let Some(strings) = strings else { return };
    let text = |offset: u64| usize::try_from(offset).ok().and_then(|o| strings.get(o..)).map(name);
    facts.needed =
        dyns.iter().filter(|d| d.d_tag == DT_NEEDED).take(MAX_NEEDED).filter_map(|d| text(d.d_val)).collect();
    facts.runpath = value(DT_RUNPATH).or_else(|| value(DT_RPATH)).and_then(text);
}

/// Where in the file a virtual address is.
fn file_offset(headers: &[ProgramHeader], address: u64) -> Option<u64> {
    headers
        .iter()
        .filter(|h| h.p_type == PT_LOAD)
        .find(|h| address >= h.p_vaddr && address - h.p_vaddr < h.p_filesz)
        .and_then(|h| h.p_offset.checked_add(address - h.p_vaddr))
}

fn oddities(
    bytes: &[u8],
    headers: &[ProgramHeader],
    facts: &ElfFacts,
    is_dynamic: bool,
    findings: &mut Vec<Finding>,
) {
    let is_temporary =
        |path: &str| path.split(':').any(|p| ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|t| under(p, t)));
    if let Some(path) = facts.interpreter.as_deref().filter(|p| is_temporary(p)) {
        findings.push(structure(
            "elf_interpreter_temporary",
            2.0,
            format!("its ELF interpreter is {path:?}"),
        ));
    }
    if let Some(path) = facts.runpath.as_deref().filter(|p| is_temporary(p)) {
        findings.push(structure("elf_runpath_temporary", 1.5, format!("it looks for libraries in {path:?}")));
    }
    if facts.sections {
        return;
    }
    // Put together, so that this program does not carry the packer's mark itself.
    let packer = [&b"UP"[..], b"X!"].concat();
    let head = bytes.get(..4096).unwrap_or(bytes);
    if memmem::find(head, &packer).is_some() {
        findings.push(structure("elf_packed_upx", 1.0, "it is packed with UPX".to_owned()));
    }
    let writable_code = headers
        .iter()
        .filter(|h| h.p_type == PT_LOAD && h.p_flags & PF_W != 0 && h.p_flags & PF_X != 0)
        .filter_map(|h| slice(bytes, h.p_offset, h.p_filesz.min(ENTROPY_SAMPLE as u64)))
        .find(|s| s.len() >= 1024 && entropy(s) > 7.2);
    if writable_code.is_some() {
        findings.push(structure(
            "elf_packed_writable_code",
            1.5,
            "it has no sections, and a segment that is writable, executable and packed or encrypted"
                .to_owned(),
        ));
    } else if facts.is_static && !is_dynamic && !headers.is_empty() {
        findings.push(structure(
            "elf_static_without_sections",
            0.7,
            "it is statically linked and its section table was removed".to_owned(),
        ));
    }
}

fn under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Shannon entropy, bits for each byte (0 to 8).
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &b in bytes {
        counts[usize::from(b)] += 1;
    }
    let total = bytes.len() as f64;
    counts.iter().filter(|&&c| c > 0).map(|&c| f64::from(c) / total).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts_of(bytes: &[u8]) -> (ElfFacts, Vec<String>) {
        let mut findings = Vec::new();
        let facts = examine(bytes, bytes.len() as u64, &mut findings);
        (facts, findings.into_iter().map(|f| f.evidence.id).collect())
    }

    #[test]
    fn a_system_program() {
        let (facts, odd) = facts_of(&std::fs::read("/bin/true").unwrap());
        assert!(facts.interpreter.is_some_and(|i| i.contains("ld")));
        assert!(facts.needed.iter().any(|n| n.starts_with("libc.so")), "{:?}", facts.needed);
        assert!(facts.sections && !facts.is_static && facts.runpath.is_none());
        assert_eq!(odd, [""; 0]);
    }

    #[test]
    fn a_bare_program_and_a_packed_one() {
        let mut bare = lazaret_pack::minimal_elf(b"body");
        let (facts, odd) = facts_of(&bare);
        assert!(facts.is_static && !facts.sections);
        assert_eq!(odd, ["elf_static_without_sections"]);
        // Writable and executable, filled with what looks random.
        bare[64 + 4] = 7;
        let mut x = 1u32;
        bare.extend((0..100_000).map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        }));
        let length = bare.len() as u64;
        bare[64 + 32..64 + 40].copy_from_slice(&length.to_le_bytes());
        assert_eq!(facts_of(&bare).1, ["elf_packed_writable_code"]);
    }

    #[test]
    fn broken_headers_are_facts() {
        assert_eq!(facts_of(b"\x7fELF").1, ["elf_broken_header"]);
        let bare = lazaret_pack::minimal_elf(b"");
        assert_eq!(facts_of(&bare[..70]).1, ["elf_broken_program_headers"]);
    }

    #[test]
    fn entropy_bounds() {
        assert!(entropy(&[7; 1000]) < 0.01);
        let all: Vec<u8> = (0..=255).collect();
        assert!((entropy(&all) - 8.0).abs() < 1e-9);
    }
}
