// SPDX-License-Identifier: Apache-2.0
//! The rows, as they are asked for and given. Times are milliseconds UTC, ids UUID text unless said.

/// The enterprise project that everything belongs to unless a person says otherwise, as in HSS.
pub const DEFAULT_PROJECT: &str = "0";

/// A place in a host's journal; ordered by epoch, then seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Opened anew by a fork of the journal.
    pub epoch: i64,
    /// Goes on across epochs.
    pub seq: i64,
}

/// One page, and where the next begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In the order that was asked for.
    pub items: Vec<T>,
    /// Opaque; `None` at the end.
    pub next: Option<String>,
    /// Counted up to [`COUNT_CAP`]; equal to it means "at least".
    pub total: u64,
}

/// Counting stops here.
pub const COUNT_CAP: u64 = 10_000;

/// Which page.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// From [`Page::next`]; `None` begins.
    pub after: Option<String>,
    /// 1 to 1000.
    pub limit: u32,
}

/// Which projects a caller may see. An empty list sees nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every project.
    All,
    /// These.
    Projects(Vec<String>),
}

/// An enterprise project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// UUID text, or [`DEFAULT_PROJECT`].
    pub id: String,
    /// For people; unique.
    pub name: String,
    /// When.
    pub created_ms: i64,
}

/// A protected server.
#[derive(Debug, Clone, PartialEq)]
pub struct HostRow {
    /// Also the common name of its certificate.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Host group.
    pub group: Option<String>,
    /// As the host calls itself.
    pub name: String,
    /// `installing`, `installed`, `online`, `offline`, `install_failed`, `not_installed`.
    pub status: String,
    /// `important`, `common`, `test`.
    pub importance: String,
    /// Of the agent.
    pub version: String,
    /// `PRETTY_NAME`.
    pub os: String,
    /// `uname -r`.
    pub kernel: String,
    /// `x86_64` ...
    pub arch: String,
    /// Joined by commas, the first one first.
    pub addresses: String,
    /// Of its rules.
    pub content_version: String,
    /// `exec+open+write` on all that is configured: `full`; `partial`, `none`, `unknown` else.
    pub protection: String,
    /// Why it is not `full`, for people.
    pub protection_reason: String,
    /// When it was enrolled.
    pub enrolled_ms: i64,
    /// Heard of last.
    pub seen_ms: i64,
    /// Since when the status is what it is.
    pub status_ms: i64,
    /// Stopped in order: its silence is no alarm.
    pub stopped: bool,
    /// Certificate no longer taken.
    pub revoked: bool,
    /// Removed by a person; its alarms and isolated files stay.
    pub removed: bool,
    /// What it is to apply and has applied.
    pub generation: i64,
    /// Same.
    pub generation_applied: i64,
    /// What it refused of that, one reason a line.
    pub refused: String,
    /// Last acknowledged entry.
    pub acked: Position,
    /// `run` of its live session; empty without one.
    pub run: String,
    /// Gateway instance that holds it; empty without one.
    pub gateway: String,
    /// From its hello.
    pub machine_id: String,
    /// Same.
    pub boot_id: String,
    /// Serial number of its certificate, hexadecimal.
    pub serial: String,
    /// End of that certificate.
    pub certificate_until_ms: i64,
    /// Encoded `HostReport`.
    pub report: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct HostFilter {
    /// Part of name, id or address.
    pub text: String,
    /// Exact.
    pub status: String,
    /// Exact.
    pub group: String,
    /// Exact.
    pub importance: String,
    /// Exact.
    pub protection: String,
    /// These only.
    pub ids: Vec<String>,
    /// Removed ones too.
    pub removed: bool,
}

/// A set of hosts of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGroupRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// `None`: the project's switches alone.
    pub policy_group: Option<String>,
    /// Counts up with each change; its `ETag`.
    pub revision: i64,
}

/// Settings for host groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyGroupRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// For people.
    pub description: String,
    /// JSON of the API's `PolicySettings`.
    pub settings: String,
    /// Counts up with each change; its `ETag`.
    pub revision: i64,
    /// Last change.
    pub updated_ms: i64,
    /// Who made it.
    pub updated_by: String,
}

/// A switch of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRow {
    /// Whose.
    pub project: String,
    /// `isolate_and_kill`, `malware_cloud_scan`, `malware_sample_high_detect`.
    pub name: String,
    /// Off when never set.
    pub on: bool,
    /// Who set it; empty when nobody has.
    pub who: String,
    /// When; 0 when nobody has.
    pub at_ms: i64,
}

/// A right to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Identity.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: Vec<u8>,
    /// New hosts go there.
    pub project: String,
    /// Same.
    pub group: Option<String>,
    /// Not taken after that.
    pub expires_ms: i64,
    /// How often it may still be used; below 0: without limit.
    pub uses_left: i64,
    /// Who made it.
    pub who: String,
    /// When.
    pub created_ms: i64,
    /// For people.
    pub note: String,
}

/// An alarm. `details` is the encoded `Alarm`; the columns are what is asked by.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRow {
    /// Born on the host.
    pub id: String,
    /// Where; a server's own alarms (a host fell silent, a clone) are about a host too.
    pub host: String,
    /// Whose.
    pub project: String,
    /// First seen.
    pub at_ms: i64,
    /// Seen last.
    pub last_ms: i64,
    /// How often.
    pub count: i64,
    /// 0 low, 1 medium, 2 high, 3 critical.
    pub severity: i64,
    /// Lazaret's word; empty for alarms about an agent.
    pub class: String,
    /// `high`, `medium`, `low`, or empty.
    pub rating: String,
    /// 0 to 100; -1 without a verdict.
    pub confidence: i64,
    /// For people.
    pub title: String,
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes, or empty.
    pub sha256: Vec<u8>,
    /// Of the acting process's program; 32 bytes, or empty.
    pub process_sha256: Vec<u8>,
    /// Raw bytes of the acting process's arguments, at most 4096.
    pub cmdline: Vec<u8>,
    /// User of the acting process, -1 unknown.
    pub uid: i64,
    /// Container of the acting process, or empty.
    pub container: String,
    /// `exec`, `written` ...
    pub origin: String,
    /// `allow`, `alarm`, `deny`, `isolate_and_kill`.
    pub decision: String,
    /// Acted on by policy.
    pub auto_block: bool,
    /// About a test program.
    pub test: bool,
    /// Isolated file, or empty.
    pub isolated: String,
    /// Dealt with.
    pub handled: bool,
    /// Handling's word, or empty.
    pub handled_by: String,
    /// `policy`, `uid N`, or a user of the server.
    pub handled_who: String,
    /// When, 0.
    pub handled_ms: i64,
    /// What they said.
    pub remark: String,
    /// Suppressed by a whitelist entry of the server (its id), or empty: not listed unless asked for.
    pub suppressed: String,
    /// Where in the host's journal the newest form stood.
    pub position: Position,
    /// Encoded `Alarm`.
    pub details: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct AlarmFilter {
    /// Not before, by `last_ms`.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
    /// Exact.
    pub host: String,
    /// Of the host.
    pub group: String,
    /// Part of the host's name.
    pub host_name: String,
    /// Any of these.
    pub severities: Vec<i64>,
    /// Any of these.
    pub classes: Vec<String>,
    /// Any of these.
    pub ratings: Vec<String>,
    /// Dealt with or not.
    pub handled: Option<bool>,
    /// Acted on by policy or not.
    pub auto_block: Option<bool>,
    /// Test programs or not.
    pub test: Option<bool>,
    /// Exact, 32 bytes.
    pub sha256: Vec<u8>,
    /// Part of title or path.
    pub text: String,
    /// These only.
    pub ids: Vec<String>,
    /// Suppressed ones: only them.
    pub suppressed: bool,
    /// Of the host: `important`, `common`, `test`.
    pub importance: String,
}

/// An isolated file. `details` is the encoded `Isolated`.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolatedRow {
    /// Born on the host.
    pub id: String,
    /// Where.
    pub host: String,
    /// Whose.
    pub project: String,
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// Lazaret's word.
    pub class: String,
    /// For people.
    pub family: String,
    /// 0 to 100.
    pub confidence: i64,
    /// The nine words of DESIGN's table.
    pub status: String,
    /// Of a failure.
    pub reason: String,
    /// Alarm, or empty; what it needs of that alarm is in `alarm_title`.
    pub alarm: String,
    /// Outlives the alarm.
    pub alarm_title: String,
    /// `event`, `antivirus`.
    pub source: String,
    /// When.
    pub isolated_ms: i64,
    /// Last change.
    pub updated_ms: i64,
    /// Where in the host's journal the newest form stood.
    pub position: Position,
    /// Encoded `Isolated`.
    pub details: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct IsolatedFilter {
    /// Exact.
    pub host: String,
    /// Part of the host's name.
    pub host_name: String,
    /// Any of these.
    pub statuses: Vec<String>,
    /// Exact, 32 bytes.
    pub sha256: Vec<u8>,
    /// Part of the path.
    pub path: String,
    /// By `updated_ms`.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
    /// These only.
    pub ids: Vec<String>,
    /// Of the host.
    pub importance: String,
}

/// One order to one host.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRow {
    /// Identity; the host does each once.
    pub id: String,
    /// To whom.
    pub host: String,
    /// Whose.
    pub project: String,
    /// Several orders that a person gave at once; empty else.
    pub task: String,
    /// `handle`, `restore`, `delete`, `scan`, `self_test`, `collect`, `thaw`, `rearm`, `preview` ...
    pub verb: String,
    /// Alarm or isolated file that it is about, or empty.
    pub about: String,
    /// `pending`, `sent`, `done`, `partial`, `refused`, `failed`, `expired`, `cancelled`.
    pub state: String,
    /// Of the end.
    pub reason: String,
    /// Who ordered it.
    pub who: String,
    /// When.
    pub created_ms: i64,
    /// Not begun after that.
    pub expires_ms: i64,
    /// Sent to the host, 0.
    pub sent_ms: i64,
    /// End, 0.
    pub finished_ms: i64,
    /// Somebody asked to cancel it.
    pub cancel: bool,
    /// Encoded `Command`.
    pub payload: Vec<u8>,
    /// Encoded `CommandResult`, or empty.
    pub result: Vec<u8>,
}

/// A whitelist entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhitelistRow {
    /// Identity, the same on the hosts.
    pub id: String,
    /// Whose.
    pub project: String,
    /// `project`, `group`, `host`.
    pub scope: String,
    /// Group or host, or empty.
    pub scope_id: String,
    /// `hash`, `file_path`, `process_path`, `process_cmdline`.
    pub field: String,
    /// `equal`, `contain`, `not_equal`, `not_contain`.
    pub judge: String,
    /// Raw bytes.
    pub value: Vec<u8>,
    /// 32 bytes, or empty.
    pub sha256: Vec<u8>,
    /// A path entry holds whatever the content.
    pub any_content: bool,
    /// Class that it is limited to, or empty.
    pub class: String,
    /// For people.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_ms: i64,
    /// 0: never.
    pub expires_ms: i64,
    /// Alarm that it was made from, or empty.
    pub alarm: String,
    /// Ever.
    pub hits_total: i64,
    /// On `hits_day`.
    pub hits_today: i64,
    /// Days since 1970.
    pub hits_day: i64,
    /// Last hit, 0.
    pub last_hit_ms: i64,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Identity.
    pub id: String,
    /// Unique, lower case.
    pub name: String,
    /// argon2id, PHC string.
    pub password: String,
    /// Must be changed at the next sign-in.
    pub must_change: bool,
    /// Cannot sign in.
    pub disabled: bool,
    /// Wrong passwords in a row.
    pub failures: i64,
    /// Locked until then.
    pub locked_until_ms: i64,
    /// When.
    pub created_ms: i64,
    /// Last sign-in, 0.
    pub last_ms: i64,
    /// Project (`*`: all) and role (`viewer`, `operator`, `administrator`, `auditor`).
    pub grants: Vec<(String, String)>,
}

/// A signed-in person, or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Identity.
    pub id: String,
    /// Of which user.
    pub user: String,
    /// `session`, `api_key`.
    pub kind: String,
    /// SHA-256 of the secret.
    pub hash: Vec<u8>,
    /// For people.
    pub note: String,
    /// When.
    pub created_ms: i64,
    /// Not taken after that; 0: never ends.
    pub expires_ms: i64,
    /// Used last.
    pub last_ms: i64,
    /// A key's grants are these of its user's; empty: all of them.
    pub grants: Vec<(String, String)>,
}

/// One write by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1 without gaps.
    pub seq: i64,
    /// When.
    pub at_ms: i64,
    /// User's name, or `server`.
    pub who: String,
    /// Address of the caller.
    pub address: String,
    /// Whose.
    pub project: String,
    /// `switch.set`, `alarm.handle` ...
    pub action: String,
    /// Kind and id of what was written.
    pub target: String,
    /// JSON, or empty.
    pub before: String,
    /// JSON, or empty.
    pub after: String,
    /// `done`, or the refusal.
    pub outcome: String,
    /// Over this row and the hash before it.
    pub hash: Vec<u8>,
}
