// SPDX-License-Identifier: Apache-2.0
//! One rpm header as the database stores it: number of entries and of data bytes, the entries
//! (tag, type, offset, count, all big-endian), the data. Total: every access is bounded.

pub(crate) const NAME: u32 = 1000;
pub(crate) const VERSION: u32 = 1001;
pub(crate) const RELEASE: u32 = 1002;
pub(crate) const EPOCH: u32 = 1003;
pub(crate) const FILEDIGESTALGO: u32 = 5011;
pub(crate) const PROVIDEVERSION: u32 = 1113;
/// Signatures over the header, then over header and payload; RSA or DSA, then whatever OpenPGP has.
pub(crate) const SIGNATURES: [u32; 5] = [268, 267, 278, 259, 262];
const FILEDIGESTS: u32 = 1035;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;

const INT32: u32 = 4;
const STRING: u32 = 6;
const BIN: u32 = 7;
const STRING_ARRAY: u32 = 8;
const I18N: u32 = 9;

/// A parsed header; borrows the blob.
pub(crate) struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

/// One listed file.
pub(crate) struct Listed<'a> {
    /// Absolute.
    pub(crate) path: Vec<u8>,
    /// Hexadecimal; `None` or empty for folders and links.
    pub(crate) digest: Option<&'a str>,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: u32,
    offset: usize,
    count: usize,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

impl<'a> Header<'a> {
    /// `None` when the lengths do not agree.
    pub(crate) fn parse(blob: &'a [u8]) -> Option<Self> {
        let entries = (number(blob, 0)? as usize).checked_mul(16)?;
        let data = number(blob, 4)? as usize;
        let start = entries.checked_add(8)?;
        let end = start.checked_add(data)?;
        if end != blob.len() {
            return None;
        }
        Some(Self { entries: blob.get(8..start)?, data: blob.get(start..end)? })
    }

    fn entry(&self, tag: u32) -> Option<Entry> {
        self.entries.chunks_exact(16).find(|e| number(e, 0) == Some(tag)).and_then(|e| {
            Some(Entry {
                kind: number(e, 4)?,
                offset: number(e, 8)? as usize,
                count: number(e, 12)? as usize,
            })
        })
    }

    /// Strings of a tag, in order; ends at the first that is not whole.
    fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> {
        let entry = self.entry(tag).filter(|e| matches!(e.kind, STRING | STRING_ARRAY | I18N));
        let count = entry.map_or(0, |e| if e.kind == STRING { 1 } else { e.count });
        let mut rest = entry.and_then(|e| self.data.get(e.offset..)).unwrap_or_default();
        (0..count).map_while(move |_| {
            let end = rest.iter().position(|b| *b == 0)?;
            let (string, after) = rest.split_at_checked(end)?;
            rest = after.get(1..).unwrap_or_default();
            Some(string)
        })
    }

    /// The first string of a tag as text.
    pub(crate) fn text(&self, tag: u32) -> Option<&'a str> {
        self.strings(tag).next().and_then(|s| std::str::from_utf8(s).ok())
    }

    /// Every string of a tag that is text.
    pub(crate) fn texts(&self, tag: u32) -> impl Iterator<Item = &'a str> {
        self.strings(tag).filter_map(|s| std::str::from_utf8(s).ok())
    }

    /// The numbers of a tag.
    fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> {
        let entry = self.entry(tag).filter(|e| e.kind == INT32);
        let bytes = entry.and_then(|e| {
            let end = e.offset.checked_add(e.count.checked_mul(4)?)?;
            self.data.get(e.offset..end)
        });
        bytes.unwrap_or_default().chunks_exact(4).filter_map(|c| number(c, 0))
    }

    /// The first number of a tag.
    pub(crate) fn number(&self, tag: u32) -> Option<u32> {
        self.numbers(tag).next()
    }

    /// The bytes of a tag.
    pub(crate) fn bytes(&self, tag: u32) -> Option<&'a [u8]> {
        let e = self.entry(tag).filter(|e| e.kind == BIN)?;
        self.data.get(e.offset..e.offset.checked_add(e.count)?)
    }

    /// Every file that the package lists.
    pub(crate) fn each_file(&self, mut each: impl FnMut(Listed<'a>)) {
        let folders: Vec<&[u8]> = self.strings(DIRNAMES).collect();
        let mut digests = self.strings(FILEDIGESTS);
        for (name, folder) in self.strings(BASENAMES).zip(self.numbers(DIRINDEXES)) {
            let digest = digests.next().and_then(|d| std::str::from_utf8(d).ok());
            // The kernel knows no longer path; a made-up one must not cost memory.
            let Some(folder) = folders.get(folder as usize).filter(|f| f.len() + name.len() <= 4096) else {
                continue;
            };
            each(Listed { path: [folder, name].concat(), digest });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with the given tags.
    fn build(tags: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let (mut entries, mut data) = (Vec::new(), Vec::<u8>::new());
        for (tag, kind, count, bytes) in tags {
            let offset = u32::try_from(data.len()).unwrap();
            for n in [*tag, *kind, offset, *count] {
                entries.extend(n.to_be_bytes());
            }
            data.extend(*bytes);
        }
        let mut blob = u32::try_from(tags.len()).unwrap().to_be_bytes().to_vec();
        blob.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        blob.extend(entries);
        blob.extend(data);
        blob
    }

    fn sample() -> Vec<u8> {
        build(&[
            (NAME, STRING, 1, b"tiny\0"),
            (BASENAMES, STRING_ARRAY, 3, b"a\0b\0etc\0"),
            (DIRNAMES, STRING_ARRAY, 2, b"/usr/bin/\0/\0"),
            (DIRINDEXES, INT32, 3, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            (FILEDIGESTS, STRING_ARRAY, 3, b"aa\0bb\0\0"),
            (268, BIN, 2, &[1, 2]),
        ])
    }

    #[test]
    fn reads_what_is_there() {
        let blob = sample();
        let h = Header::parse(&blob).unwrap();
        assert_eq!(h.text(NAME), Some("tiny"));
        assert_eq!(h.bytes(268), Some(&[1, 2][..]));
        assert_eq!(h.number(FILEDIGESTALGO), None);
        let mut files = Vec::new();
        h.each_file(|f| files.push((String::from_utf8(f.path).unwrap(), f.digest.unwrap_or("-").to_owned())));
        assert_eq!(
            files,
            [("/usr/bin/a", "aa"), ("/usr/bin/b", "bb"), ("/etc", "")]
                .map(|(p, d)| (p.to_owned(), d.to_owned()))
        );
    }

    #[test]
    fn damage_never_panics() {
        let good = sample();
        for cut in 0..good.len() {
            assert!(Header::parse(&good[..cut]).is_none());
        }
        for i in 0..good.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut damaged = good.clone();
                damaged[i] = value;
                if let Some(h) = Header::parse(&damaged) {
                    let mut n = 0;
                    h.each_file(|f| n += f.path.len());
                    assert!(n < 1_000);
                    assert!(
                        h.text(NAME).is_none_or(|t| t.len() < 1_000)
                            && h.bytes(268).is_none_or(|b| b.len() < 1_000)
                    );
                }
            }
        }
    }
}
