// SPDX-License-Identifier: Apache-2.0
//! What a person sets for a target, as JSON in the database and in the API. Nothing secret is in it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of target, by which of the parts is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TargetKind)]
pub enum Kind {
    /// Mails to people.
    Email,
    /// Signed messages to a program.
    Webhook,
    /// OCSF events, one a line, in files on the server.
    File,
    /// OCSF events, one a line, in POST requests.
    Http,
    /// OCSF or CEF over syslog with TLS.
    Syslog,
}

impl Kind {
    /// As it is stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::File => "file",
            Self::Http => "http",
            Self::Syslog => "syslog",
        }
    }

    /// For people, not for other systems.
    #[must_use]
    pub const fn is_notification(self) -> bool {
        matches!(self, Self::Email | Self::Webhook)
    }
}

/// Settings of a target: exactly one of `email`, `webhook`, `file`, `http` and `syslog`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TargetSettings)]
pub struct Settings {
    /// Mails over SMTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Standard Webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// OCSF to files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ToFile>,
    /// OCSF to a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpExport>,
    /// OCSF or CEF to a syslog server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syslog: Option<Syslog>,
    /// What is told.
    #[serde(default)]
    pub filter: Filter,
    /// When it is told; for `email` and `webhook`.
    #[serde(default)]
    pub delivery: Delivery,
}

/// Mails over SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailTarget)]
pub struct Email {
    /// Name or address of the SMTP server.
    #[schema(min_length = 1, max_length = 253)]
    pub server: String,
    /// 587, 465 or 25, by the security, unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub security: Security,
    /// Who signs in; the password is sent beside the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub user: Option<String>,
    /// `Name <user@host>` or `user@host`.
    #[schema(min_length = 3, max_length = 320)]
    pub from: String,
    /// The same, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub to: Vec<String>,
    /// PEM certificates to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    pub authority: Option<String>,
}

/// How an SMTP connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailSecurity)]
pub enum Security {
    /// Begins as plain text and must be upgraded before anything is said.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
    /// Not at all; only to the server's own machine.
    None,
}

/// Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookTarget)]
pub struct Webhook {
    /// `https://`.
    #[schema(min_length = 9, max_length = 2048)]
    pub url: String,
    /// PEM certificates to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    pub authority: Option<String>,
}

/// OCSF, one event a line, in files below the server's folder for exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileTarget)]
pub struct ToFile {
    /// Name of the file; a folder of the project is made above it.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    pub name: String,
    /// A new file is begun above that, 1 to 4096.
    #[serde(default = "default_megabytes")]
    #[schema(minimum = 1, maximum = 4096)]
    pub max_megabytes: u32,
    /// Older files that are kept, 0 to 1000.
    #[serde(default = "default_keep")]
    #[schema(minimum = 0, maximum = 1000)]
    pub keep: u32,
}

const fn default_megabytes() -> u32 {
    100
}

const fn default_keep() -> u32 {
    10
}

/// OCSF, one event a line, in POST requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HttpTarget)]
pub struct HttpExport {
    /// `https://`.
    #[schema(min_length = 9, max_length = 2048)]
    pub url: String,
    /// PEM certificates to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    pub authority: Option<String>,
}

/// RFC 5424 over TLS (RFC 5425).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyslogTarget)]
pub struct Syslog {
    /// Name or address.
    #[schema(min_length = 1, max_length = 253)]
    pub server: String,
    /// 6514 unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
    /// What a message holds.
    #[serde(default)]
    pub format: Format,
    /// Facility of RFC 5424; 16 is local0.
    #[serde(default = "default_facility")]
    #[schema(minimum = 0, maximum = 23)]
    pub facility: u8,
    /// PEM certificates to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    pub authority: Option<String>,
}

const fn default_facility() -> u8 {
    16
}

/// What a syslog message holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportFormat)]
pub enum Format {
    /// OCSF as JSON.
    #[default]
    Ocsf,
    /// Common Event Format.
    Cef,
}

/// What is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TargetFilter)]
pub struct Filter {
    /// Only alarms of these severities; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4)]
    pub severities: Vec<Severity>,
    /// Not alarms of these classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 12)]
    pub masked_classes: Vec<String>,
    /// Test programs too.
    pub tests: Option<bool>,
    /// That alarms were handled or opened again, too; for `email` and `webhook`. Exports have it always.
    pub handlings: bool,
}

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TargetSeverity)]
pub enum Severity {
    /// 0.
    Low,
    /// 1.
    Medium,
    /// 2.
    High,
    /// 3.
    Critical,
}

/// When it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TargetDelivery)]
pub struct Delivery {
    /// At once, or once a day.
    pub mode: Mode,
    /// Of the daily message, 0 to 23; 8 unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 23)]
    pub hour: Option<u8>,
    /// Of that hour: `Europe/Berlin`, `+08:00`; UTC unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub zone: Option<String>,
    /// Messages in a minute, 1 to 600; 12 unless said otherwise. More alarms share messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 600)]
    pub per_minute: Option<u32>,
}

/// At once, or once a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryMode)]
pub enum Mode {
    /// Each alarm when it comes.
    #[default]
    RealTime,
    /// One message a day about all.
    Daily,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// As the database counts it.
    pub severity: i64,
    /// Lazaret's word, or empty.
    pub class: &'a str,
    /// About a test program.
    pub test: bool,
}

impl Filter {
    /// Whether it is told.
    #[must_use]
    pub fn lets(&self, n: Notice<'_>) -> bool {
        let severe = self.severities.is_empty() || self.severities.iter().any(|s| *s as i64 == n.severity);
        let masked = self.masked_classes.iter().any(|c| c == n.class);
        severe && !masked && (!n.test || self.tests.unwrap_or(true))
    }
}
