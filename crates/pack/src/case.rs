// SPDX-License-Identifier: Apache-2.0
//! Cases: for every rule an object that must match and one that must not.

use lazaret_model::FileType;

/// Length of what [`minimal_elf`] puts in front of the body, bytes.
pub const MINIMAL_ELF_HEADER: usize = 64 + 56;

/// One object that a rule must, or must not, match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What the object is.
    pub file_type: FileType,
    /// Its bytes; for [`FileType::Elf`] what follows the header.
    pub body: Vec<u8>,
}

impl Case {
    /// The object itself.
    #[must_use]
    pub fn object(&self) -> Vec<u8> {
        if self.file_type == FileType::Elf { minimal_elf(&self.body) } else { self.body.clone() }
    }
}

/// A valid x86-64 executable (ELF64, little endian, `ET_EXEC`) with one loadable read-only segment
/// that holds `body`. It has no entry point: to run it does nothing but fail.
#[must_use]
pub fn minimal_elf(body: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    let size = (MINIMAL_ELF_HEADER + body.len()) as u64;
    let mut elf = Vec::with_capacity(MINIMAL_ELF_HEADER + body.len());
    // e_ident: magic, 64-bit, little endian, version 1, System V
    elf.extend_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    elf.extend_from_slice(&2u16.to_le_bytes()); // e_type ET_EXEC
    elf.extend_from_slice(&62u16.to_le_bytes()); // e_machine EM_X86_64
    elf.extend_from_slice(&1u32.to_le_bytes()); // e_version
    elf.extend_from_slice(&0u64.to_le_bytes()); // e_entry
    elf.extend_from_slice(&64u64.to_le_bytes()); // e_phoff
    elf.extend_from_slice(&0u64.to_le_bytes()); // e_shoff
    elf.extend_from_slice(&0u32.to_le_bytes()); // e_flags
    for half in [64u16, 56, 1, 64, 0, 0] {
        // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx
        elf.extend_from_slice(&half.to_le_bytes());
    }
    elf.extend_from_slice(&1u32.to_le_bytes()); // p_type PT_LOAD
    elf.extend_from_slice(&4u32.to_le_bytes()); // p_flags PF_R
    for word in [0, BASE, BASE, size, size, 0x1000] {
        // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
        elf.extend_from_slice(&word.to_le_bytes());
    }
    elf.extend_from_slice(body);
    elf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_has_the_stated_length() {
        assert_eq!(minimal_elf(b"").len(), MINIMAL_ELF_HEADER);
        let elf = Case { file_type: FileType::Elf, body: b"abc".to_vec() }.object();
        assert!(elf.starts_with(b"\x7fELF") && elf.ends_with(b"abc"));
        let text = Case { file_type: FileType::Text, body: b"abc".to_vec() }.object();
        assert_eq!(text, b"abc");
    }
}
