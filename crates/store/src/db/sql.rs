// SPDX-License-Identifier: Apache-2.0
//! A statement with its parameters. Text of callers goes into parameters only.

use super::value::Value;
use crate::Scope;
use std::borrow::Cow;

/// One statement.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    pub(crate) text: Cow<'static, str>,
    pub(crate) args: Vec<Value>,
}

/// A statement whose text stands in the program.
pub(crate) fn sql(text: &'static str) -> Sql {
    Sql { text: Cow::Borrowed(text), args: Vec::new() }
}

impl Sql {
    /// A statement that was put together from such texts.
    pub(crate) fn built(text: String) -> Self {
        Self { text: Cow::Owned(text), args: Vec::new() }
    }

    /// The next parameter, `$1` first.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.args.push(value.into());
        self
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    /// A parameter where the text ends.
    pub(crate) fn arg(&mut self, value: impl Into<Value>) {
        use std::fmt::Write;
        self.args.push(value.into());
        let n = self.args.len();
        let _ = write!(self.text.to_mut(), "${n}");
    }

    /// `(a, b, c)` of parameters; nothing is in an empty list.
    pub(crate) fn list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) {
        self.push("(");
        let mut any = false;
        for value in values {
            if any {
                self.push(", ");
            }
            any = true;
            self.arg(value);
        }
        self.push(if any { ")" } else { "NULL)" });
    }
}

/// The conditions of a list.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    sql: Sql,
}

impl Filter {
    /// Lets everything through.
    pub(crate) fn new() -> Self {
        Self { sql: sql("TRUE") }
    }

    /// One more, without parameters.
    pub(crate) fn and(&mut self, condition: &str) {
        self.sql.push(" AND ");
        self.sql.push(condition);
    }

    /// `left value`, as in `last_ms >= ` and a number.
    pub(crate) fn value(&mut self, left: &str, value: impl Into<Value>) {
        self.and(left);
        self.sql.push(" ");
        self.sql.arg(value);
    }

    /// The value that a condition ended with.
    pub(crate) fn value_here(&mut self, value: impl Into<Value>) {
        self.sql.push(" ");
        self.sql.arg(value);
    }

    /// `OR left value`, in a bracket that a condition began.
    pub(crate) fn or(&mut self, left: &str, value: impl Into<Value>) {
        self.sql.push(" OR ");
        self.sql.push(left);
        self.value_here(value);
    }

    /// More of the condition.
    pub(crate) fn append(&mut self, text: &str) {
        self.sql.push(text);
    }

    /// Ends a bracket that a condition began.
    pub(crate) fn close(&mut self) {
        self.sql.push(")");
    }

    /// Like `value`, unless the text is empty.
    pub(crate) fn exact(&mut self, column: &str, text: &str) {
        if !text.is_empty() {
            self.and(column);
            self.sql.push(" = ");
            self.sql.arg(text);
        }
    }

    /// Any of these, unless there are none.
    pub(crate) fn any<V: Into<Value>>(&mut self, column: &str, values: impl ExactSizeIterator<Item = V>) {
        if values.len() > 0 {
            self.and(column);
            self.sql.push(" IN ");
            self.sql.list(values);
        }
    }

    /// Contains the text, unless that is empty. The column is in lower case already.
    pub(crate) fn contains(&mut self, column: &str, text: &str) {
        if !text.is_empty() {
            self.and(column);
            self.sql.push(" LIKE ");
            self.sql.arg(like(text));
            self.sql.push(" ESCAPE '\\'");
        }
    }

    /// Or contains the text, within a bracket that a condition began.
    pub(crate) fn or_contains(&mut self, column: &str, text: &str) {
        self.sql.push(" OR ");
        self.sql.push(column);
        self.sql.push(" LIKE ");
        self.sql.arg(like(text));
        self.sql.push(" ESCAPE '\\'");
    }

    /// Contains the text, unless that is empty; in a column of ASCII words that is not in lower case.
    pub(crate) fn contains_word(&mut self, column: &str, text: &str) {
        self.contains(&format!("lower({column})"), text);
    }

    /// Conditions on the host of this row, named by the column `host`.
    pub(crate) fn host_where(&mut self, host: &str, condition: impl FnOnce(&mut Filter)) {
        let mut inner =
            Self { sql: Sql { text: Cow::Borrowed(""), args: std::mem::take(&mut self.sql.args) } };
        inner.sql.push("TRUE");
        condition(&mut inner);
        self.sql.args = inner.sql.args;
        self.sql.push(&format!(" AND {host} IN (SELECT id FROM hosts WHERE "));
        self.sql.push(&inner.sql.text);
        self.sql.push(")");
    }

    /// What the caller may see.
    pub(crate) fn scope(&mut self, column: &str, scope: &Scope) {
        match scope {
            Scope::All => {}
            Scope::Projects(list) if list.len() == 1 => self.exact_even_empty(column, &list[0]),
            Scope::Projects(list) => {
                self.and(column);
                self.sql.push(" IN ");
                self.sql.list(list);
            }
        }
    }

    fn exact_even_empty(&mut self, column: &str, text: &str) {
        self.value(&format!("{column} ="), text);
    }

    /// Numbers of our own (no caller's text), as they stand.
    pub(crate) fn numbers(&mut self, postgres: bool, column: &str, numbers: &[i64]) {
        self.and(&among(postgres, column, numbers));
    }

    /// Adds these conditions to a statement that goes on with them.
    pub(crate) fn append_to(&self, sql: &mut Sql) {
        // The parameters of this part are numbered behind those that are there.
        let mut rest = self.sql.text.as_ref();
        let mut n = 0;
        while let Some(at) = rest.find('$') {
            let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
            sql.push(&rest[..at]);
            match rest[at + 1..at + 1 + digits].parse::<usize>() {
                Ok(number) if number >= 1 && number <= self.sql.args.len() => {
                    sql.arg(self.sql.args[number - 1].clone());
                    n += 1;
                }
                _ => sql.push(&rest[at..=at + digits]),
            }
            rest = &rest[at + 1 + digits..];
        }
        debug_assert_eq!(n, self.sql.args.len(), "every parameter once");
        sql.push(rest);
    }

    /// `SELECT columns FROM from WHERE these`, to go on with.
    pub(crate) fn select(&self, columns: &str, from: &str) -> Sql {
        Sql {
            text: Cow::Owned(format!("SELECT {columns} FROM {from} WHERE {}", self.sql.text)),
            args: self.sql.args.clone(),
        }
    }
}

/// One of many numbers; PostgreSQL looks them up in a table of hashes only when they stand as a constant.
pub(crate) fn among(postgres: bool, column: &str, numbers: &[i64]) -> String {
    let list = numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    match (postgres, numbers.is_empty()) {
        (_, true) => "FALSE".to_owned(),
        (true, _) => format!("{column} = ANY('{{{list}}}'::BIGINT[])"),
        (false, _) => format!("{column} IN ({list})"),
    }
}

/// A pattern for "contains", with what LIKE takes for wildcards escaped, in lower case.
pub(crate) fn like(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('%');
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// What `like` looks in: lower case, the parts in lines of their own.
pub(crate) fn searchable(parts: &[&str]) -> String {
    parts.join("\n").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_letters() {
        assert_eq!(like("50%_\\A"), "%50\\%\\_\\\\a%");
    }

    #[test]
    fn parameters_are_numbered_through_a_part_about_hosts() {
        let mut f = Filter::new();
        f.exact("a", "1");
        f.host_where("host", |h| h.exact("b", "2"));
        f.any("c", ["3", "4"].iter().copied());
        let s = f.select("x", "t");
        assert_eq!(
            s.text,
            "SELECT x FROM t WHERE TRUE AND a = $1 AND host IN (SELECT id FROM hosts WHERE TRUE AND b = $2) AND c IN ($3, $4)"
        );
        assert_eq!(s.args.len(), 4);
    }

    #[test]
    fn conditions_go_into_another_statement() {
        let mut f = Filter::new();
        f.exact("a", "1");
        f.exact("b", "2");
        f.numbers(true, "k", &[3, 4]);
        let mut s = sql("SELECT x FROM t WHERE c = $1 AND ").bind("0");
        f.append_to(&mut s);
        assert_eq!(
            s.text,
            "SELECT x FROM t WHERE c = $1 AND TRUE AND a = $2 AND b = $3 AND k = ANY('{3,4}'::BIGINT[])"
        );
        assert_eq!(s.args, ["0", "1", "2"].map(Value::from));
        assert_eq!((among(false, "k", &[7]).as_str(), among(true, "k", &[]).as_str()), ("k IN (7)", "FALSE"));
    }

    #[test]
    fn an_empty_scope_sees_nothing() {
        let mut f = Filter::new();
        f.scope("project", &Scope::Projects(Vec::new()));
        assert_eq!(f.select("x", "t").text, "SELECT x FROM t WHERE TRUE AND project IN (NULL)");
    }
}
