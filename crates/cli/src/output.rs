// SPDX-License-Identifier: Apache-2.0
//! What goes to the terminal: JSON lines or text, colours, widths, questions.

use crate::cli::{Color, Global};
use crate::error::CliError;
use crate::escape;
use crate::json;
use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

/// How text may look: what the renderers need to know about the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// Colours are wanted.
    pub(crate) colour: bool,
    /// Columns; `None` when nobody wraps the lines.
    pub(crate) width: Option<u16>,
}

/// The few ways in which a word may stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
    Blue,
}

impl Paint {
    /// Of a rating's or severity's word.
    pub(crate) fn of_rating(word: &str) -> Self {
        match word {
            "critical" | "high" => Self::Red,
            "medium" => Self::Yellow,
            "low" => Self::Blue,
            _ => Self::Plain,
        }
    }

    /// Of an outcome's or isolated file's status word.
    pub(crate) fn of_outcome(word: &str) -> Self {
        match word {
            "done" | "already_gone" | "isolated" | "restored" | "deleted" | "ok" => Self::Green,
            "partial" | "isolated_in_place" | "isolating" | "restoring" | "deleting" | "refused" => {
                Self::Yellow
            }
            "failed" | "isolate_failed" | "restore_failed" | "delete_failed" | "unreadable" => Self::Red,
            _ => Self::Plain,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
        }
    }
}

impl Look {
    /// The word in that colour, where colours are wanted.
    pub(crate) fn paint(self, paint: Paint, word: &str) -> String {
        if self.colour && paint != Paint::Plain {
            format!("\x1b[{}m{word}\x1b[0m", paint.code())
        } else {
            word.to_owned()
        }
    }

    /// A table without lines that fits the terminal; where there is none, it is as wide as it needs.
    pub(crate) fn table<const N: usize>(self, header: [&str; N]) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        match self.width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if header.iter().any(|h| !h.is_empty()) {
            table.set_header(header.map(|h| self.cell(Paint::Bold, h)));
        }
        table
    }

    /// A table's cell in that colour.
    pub(crate) fn cell(self, paint: Paint, text: &str) -> Cell {
        use comfy_table::{Attribute, Color};
        let cell = Cell::new(text);
        match paint {
            Paint::Plain => cell,
            Paint::Bold => cell.add_attribute(Attribute::Bold),
            Paint::Dim => cell.add_attribute(Attribute::Dim),
            Paint::Red => cell.fg(Color::DarkRed),
            Paint::Yellow => cell.fg(Color::DarkYellow),
            Paint::Green => cell.fg(Color::DarkGreen),
            Paint::Blue => cell.fg(Color::DarkBlue),
        }
    }
}

/// The text of a table, a newline behind every line.
pub(crate) fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Stdout and stderr of this process.
pub(crate) struct Output {
    /// `--json`.
    pub(crate) json: bool,
    /// How text for people may look.
    pub(crate) look: Look,
    stdout: BufWriter<Stdout>,
}

impl Output {
    /// By the options and by what stdout is.
    pub(crate) fn new(global: &Global) -> Self {
        let terminal = io::stdout().is_terminal();
        let colour = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::env::var_os("TERM").is_none_or(|v| v != "dumb")
            }
        };
        let width = terminal
            .then(|| rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col))
            .flatten()
            .filter(|columns| *columns > 0);
        let look = Look { colour: colour && !global.json, width };
        Self { json: global.json, look, stdout: BufWriter::new(io::stdout()) }
    }

    /// One JSON object on its own line.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let line = json::line(value)?;
        self.text(&line)
    }

    /// Text for people as it is; whoever made it has escaped what came from elsewhere.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.stdout.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            self.stdout.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Hands everything to the kernel.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.stdout.flush()?)
    }

    /// One line on stderr, beginning with the program's name.
    pub(crate) fn warn(&mut self, text: &str) {
        // What was said before comes before; and nobody is left to tell when stderr is gone.
        let _ = self.stdout.flush();
        let _ = writeln!(io::stderr(), "lazaret: {text}");
    }

    /// Asks a person; true where there is no terminal to ask on.
    ///
    /// # Errors
    /// When stdout does not take what is pending.
    pub(crate) fn confirm(&mut self, question: &str) -> Result<bool, CliError> {
        if self.json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(true);
        }
        self.flush()?;
        let _ = write!(io::stderr(), "{question} [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(|e| {
            CliError::Failed(format!(
                "cannot read the answer: {}. Use --yes to do without",
                escape::text(&e.to_string())
            ))
        })?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}
