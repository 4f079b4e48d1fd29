// SPDX-License-Identifier: Apache-2.0
//! The command line's grammar: global options and the list of verbs. Help, man pages and shell
//! completions are all made from these definitions.

use crate::commands;
use crate::error::CliError;
use crate::fleet;
use crate::output::Output;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// Detect malicious programs on this host, isolate them, and undo it.
///
/// `lazaret scan PATH` works for everybody and needs no daemon, `lazaret vault` is for when there is
/// none. Every other verb talks to the daemon lazaretd: root may use all of them, members of the group `lazaret` those that only read.
///
/// With `--server`, `--host`, `--group` or `--project` most verbs ask a fleet's server instead, after
/// `lazaret --server URL login`.
#[derive(Debug, Parser)]
#[command(name = "lazaret", version, max_term_width = 100, after_long_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_STATUS: &str = "\
Exit status:
    0  done; a scan found nothing
    1  a scan found something, or the action failed or was refused
    2  a scan found nothing, but could not look at everything
   64  the command line makes no sense
   69  the daemon or the server does not answer
   77  this user may not do that
  130  interrupted by Ctrl-C
  141  the reader of the output went away";

/// Options that every verb takes.
#[derive(Debug, Default, Args)]
pub(crate) struct Global {
    /// Write one JSON object a line instead of text for people
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// The daemon's configuration file; its `[paths] run` says where the control socket is
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
    /// The daemon's control socket [default: /run/lazaret/control.sock]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        conflicts_with = "config",
        help_heading = "Global options"
    )]
    pub(crate) socket: Option<PathBuf>,
    /// When to use colours; `auto` means on a terminal that can, and NO_COLOR is not set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    pub(crate) color: Color,
    /// Ask this fleet's server instead of this host's daemon: https://HOST:PORT [default: the one that
    /// was signed in at last, where --host, --group or --project is given]
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["config", "socket"], help_heading = "Fleet options")]
    pub(crate) server: Option<String>,
    /// Only this host of the fleet, by name or id
    #[arg(long, global = true, value_name = "HOST", help_heading = "Fleet options")]
    pub(crate) host: Option<String>,
    /// Only this host group of the fleet, by name or id
    #[arg(long, global = true, value_name = "GROUP", help_heading = "Fleet options")]
    pub(crate) group: Option<String>,
    /// This enterprise project of the fleet, where something new needs one [default: 0]
    #[arg(long, global = true, value_name = "PROJECT", help_heading = "Fleet options")]
    pub(crate) project: Option<String>,
}

impl Global {
    /// Whether a server is to be asked.
    pub(crate) const fn names_a_fleet(&self) -> bool {
        self.server.is_some() || self.host.is_some() || self.group.is_some() || self.project.is_some()
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Every verb; each one's manual is the documentation of its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Status(commands::status::StatusArgs),
    Scan(commands::scan::ScanArgs),
    Alarms(commands::alarms::AlarmsArgs),
    Handle(commands::handle::HandleArgs),
    FalsePositive(fleet::FalsePositiveArgs),
    Isolated(commands::isolated::IsolatedArgs),
    Isolate(commands::isolate::IsolateArgs),
    Vault(commands::vault::VaultArgs),
    Preview(commands::preview::PreviewArgs),
    Thaw(commands::thaw::ThawArgs),
    Whitelist(commands::whitelist::WhitelistArgs),
    Switch(commands::switch::SwitchArgs),
    Events(commands::events::EventsArgs),
    Content(commands::content::ContentArgs),
    Rules(commands::rules::RulesArgs),
    Breaker(commands::breaker::BreakerArgs),
    Cloud(commands::cloud::CloudArgs),
    Exception(commands::exception::ExceptionArgs),
    Persistence(commands::persistence::PersistenceArgs),
    SelfTest(commands::self_test::SelfTestArgs),
    Diagnose(commands::diagnose::DiagnoseArgs),
    Login(fleet::LoginArgs),
    Logout(fleet::LogoutArgs),
    Hosts(fleet::HostsArgs),
    Tokens(fleet::TokensArgs),
    Quotas(fleet::QuotasArgs),
    Approvals(fleet::ApprovalsArgs),
    Targets(fleet::TargetsArgs),
    Tasks(fleet::TasksArgs),
    Scans(fleet::ScansArgs),
    RecoveryKey(fleet::RecoveryKeyArgs),
    File(fleet::FileArgs),
    Sample(fleet::SampleArgs),
    CloudScan(fleet::CloudScanArgs),
    Completions(commands::completions::CompletionsArgs),
    #[command(hide = true)]
    Man(commands::man::ManArgs),
}

impl Verb {
    /// Whether only a server can do it.
    pub(crate) const fn is_of_a_fleet(&self) -> bool {
        matches!(
            self,
            Self::Login(_)
                | Self::Logout(_)
                | Self::Hosts(_)
                | Self::Tokens(_)
                | Self::Tasks(_)
                | Self::Targets(_)
                | Self::Quotas(_)
                | Self::Approvals(_)
                | Self::Scans(_)
                | Self::RecoveryKey(_)
                | Self::File(_)
                | Self::Sample(_)
                | Self::CloudScan(_)
                | Self::FalsePositive(_)
        )
    }

    /// Does it.
    ///
    /// # Errors
    /// What the verb says.
    pub(crate) fn run(&self, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Status(args) => commands::status::run(args, global, out),
            Self::Scan(args) => commands::scan::run(args, out),
            Self::Alarms(args) => commands::alarms::run(args, global, out),
            Self::Handle(args) => commands::handle::run(args, global, out),
            Self::Isolated(args) => commands::isolated::run(args, global, out),
            Self::Isolate(args) => commands::isolate::run(args, global, out),
            Self::Vault(args) => commands::vault::run(args, global, out),
            Self::Preview(args) => commands::preview::run(args, global, out),
            Self::Thaw(args) => commands::thaw::run(args, global, out),
            Self::Whitelist(args) => commands::whitelist::run(args, global, out),
            Self::Switch(args) => commands::switch::run(args, global, out),
            Self::Events(args) => commands::events::run(args, global, out),
            Self::Content(args) => commands::content::run(args, global, out),
            Self::Rules(args) => commands::rules::run(args, global, out),
            Self::Breaker(args) => commands::breaker::run(args, global, out),
            Self::Cloud(args) => commands::cloud::run(args, global, out),
            Self::Exception(args) => commands::exception::run(args, global, out),
            Self::Persistence(args) => commands::persistence::run(args, global, out),
            Self::SelfTest(args) => commands::self_test::run(args, global, out),
            Self::Diagnose(args) => commands::diagnose::run(args, global, out),
            Self::Login(_)
            | Self::Logout(_)
            | Self::Hosts(_)
            | Self::Tokens(_)
            | Self::Tasks(_)
            | Self::Targets(_)
            | Self::Quotas(_)
            | Self::Approvals(_)
            | Self::Scans(_)
            | Self::RecoveryKey(_)
            | Self::File(_)
            | Self::Sample(_)
            | Self::CloudScan(_)
            | Self::FalsePositive(_) => {
                Err(CliError::Usage("this verb is for a fleet's server: lazaret --server URL login".into()))
            }
            Self::Completions(args) => commands::completions::run(args, out),
            Self::Man(args) => commands::man::run(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_grammar_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_and_option_has_a_manual() {
        fn visit(command: &clap::Command, above: &str) {
            let name = format!("{above} {}", command.get_name());
            assert!(command.get_about().is_some_and(|a| a.to_string().len() > 10), "{name} has no text");
            for argument in
                command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str()))
            {
                assert!(argument.get_help().is_some(), "{name}: {} has no help", argument.get_id());
            }
            for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
                visit(sub, &name);
            }
        }
        visit(&Cli::command(), "");
    }

    #[test]
    fn global_options_stand_anywhere() {
        for words in ["lazaret --json --socket /s alarms list", "lazaret alarms list --json --socket /s"] {
            let cli = Cli::try_parse_from(words.split(' ')).unwrap();
            assert!(cli.global.json);
            assert_eq!(cli.global.socket.as_deref(), Some(std::path::Path::new("/s")));
        }
        assert!(Cli::try_parse_from(["lazaret", "status", "--socket", "/s", "--config", "/c"]).is_err());
    }
}
