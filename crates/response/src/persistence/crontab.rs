// SPDX-License-Identifier: Apache-2.0
//! A line of a crontab as a comment, and back.
//!
//! The line keeps its place. The line before it names the alarm, for whoever reads the file.

use lazaret_model::{AlarmId, JournalId};

const MARK: &[u8] = b"# lazaret: the next line was disabled for alarm ";
const DISABLED: &[u8] = b"#lazaret# ";

fn mark(alarm: Option<AlarmId>, id: JournalId) -> Vec<u8> {
    let alarm = alarm.map_or_else(|| "-".to_owned(), |a| a.to_string());
    let mut line = MARK.to_vec();
    line.extend(format!("{alarm} ({id}); undo: lazaret persistence enable {alarm}").into_bytes());
    line
}

fn names(mark: &[u8], id: JournalId) -> bool {
    let id = format!(" ({id});").into_bytes();
    mark.starts_with(MARK) && mark.windows(id.len()).any(|w| w == id)
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split(|b| *b == b'\n').collect()
}

/// The text with one line turned into a comment; `None` when the line is not there. `at` is its
/// number from 1 when it was seen; it may have moved since.
pub(super) fn disable(
    text: &[u8],
    line: &[u8],
    at: u32,
    alarm: Option<AlarmId>,
    id: JournalId,
) -> Option<Vec<u8>> {
    let lines = lines(text);
    let seen = usize::try_from(at).ok().and_then(|at| at.checked_sub(1));
    let found =
        seen.filter(|i| lines.get(*i) == Some(&line)).or_else(|| lines.iter().position(|l| *l == line))?;
    let mark = mark(alarm, id);
    let disabled = [DISABLED, line].concat();
    let mut out: Vec<&[u8]> = lines.get(..found)?.to_vec();
    out.extend([mark.as_slice(), disabled.as_slice()]);
    out.extend(lines.get(found + 1..)?);
    Some(out.join(&b'\n'))
}

/// What became of a line that was turned into a comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// The text with the line back.
    Text(Vec<u8>),
    /// It is back already.
    Already,
    /// Neither the comment nor the line is there.
    Lost,
}

/// The text with this line back.
pub(super) fn enable(text: &[u8], line: &[u8], id: JournalId) -> Undone {
    let lines = lines(text);
    let pair = lines.windows(2).position(
        |w| matches!(w, [mark, disabled] if names(mark, id) && disabled.strip_prefix(DISABLED) == Some(line)),
    );
    let Some(at) = pair else {
        return if lines.contains(&line) { Undone::Already } else { Undone::Lost };
    };
    let mut out: Vec<&[u8]> = lines.get(..at).unwrap_or_default().to_vec();
    out.push(line);
    out.extend(lines.get(at + 2..).unwrap_or_default());
    Undone::Text(out.join(&b'\n'))
}

/// The text as it would be with all such lines back.
pub(super) fn pristine(text: &[u8]) -> Vec<u8> {
    let lines = lines(text);
    let mut out: Vec<&[u8]> = Vec::with_capacity(lines.len());
    let mut i = 0;
    while let Some(line) = lines.get(i) {
        match lines.get(i + 1).and_then(|next| next.strip_prefix(DISABLED)) {
            Some(original) if line.starts_with(MARK) => {
                out.push(original);
                i += 2;
            }
            _ => {
                out.push(line);
                i += 1;
            }
        }
    }
    out.join(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_goes_and_comes_back_exactly() {
        let texts: [&[u8]; 4] =
            [b"a\nb\r\n\xff c\n\n", b"only", b"a\na\n#lazaret# a\n# lazaret: odd\n", b"\n\nx\n"];
        for text in texts {
            for (i, line) in lines(text).into_iter().enumerate().filter(|(_, l)| !l.is_empty()) {
                let (id, other) = (JournalId::new(), JournalId::new());
                let at = u32::try_from(i + 1).unwrap();
                let off = disable(text, line, at, Some(AlarmId::new()), id).unwrap();
                assert_ne!(off, text);
                assert_eq!(pristine(&off), pristine(text));
                assert_eq!(enable(&off, line, id), Undone::Text(text.to_vec()));
                assert_ne!(enable(&off, line, other), Undone::Text(text.to_vec()));
                // A second line of the same file, taken back in either order.
                let second = lines(&off).into_iter().find(|l| !l.is_empty() && !l.starts_with(b"#"));
                let Some(second) = second.map(<[u8]>::to_vec) else { continue };
                let both = disable(&off, &second, 0, None, other).unwrap();
                let Undone::Text(first_back) = enable(&both, line, id) else { panic!() };
                assert_eq!(enable(&first_back, &second, other), Undone::Text(text.to_vec()));
            }
        }
    }

    #[test]
    fn what_moved_is_found_and_what_is_gone_is_said() {
        let id = JournalId::new();
        let off = disable(b"x\nrun\n", b"run", 9, None, id).unwrap();
        assert_eq!(disable(b"x\n", b"run", 1, None, id), None);
        let edited = [b"new\n".as_slice(), &off, b"more\n"].concat();
        assert_eq!(enable(&edited, b"run", id), Undone::Text(b"new\nx\nrun\nmore\n".to_vec()));
        assert_eq!(enable(b"x\nrun\n", b"run", id), Undone::Already);
        assert_eq!(enable(b"x\n", b"run", id), Undone::Lost);
    }
}
