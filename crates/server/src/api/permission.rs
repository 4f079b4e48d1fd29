// SPDX-License-Identifier: Apache-2.0
//! What a route asks for, and who has it.

use lazaret_store::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every project.
pub(crate) const ALL_PROJECTS: &str = "*";

/// What a person may be in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Sees alarms, hosts, isolated files, settings.
    Viewer,
    /// Handles alarms, isolates, restores, scans.
    Operator,
    /// Sets policy, whitelist, switches; enrols and removes hosts.
    Administrator,
    /// Sees what a viewer sees, and the audit log.
    Auditor,
    /// Sees what a viewer sees, and takes samples home.
    Analyst,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Viewer, Self::Operator, Self::Administrator, Self::Auditor, Self::Analyst];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }
}

/// What a route asks for. Each route has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Permission {
    /// Nothing.
    Public,
    /// Credentials of whatever kind.
    SignedIn,
    /// To see things of a project: every role.
    View,
    /// To act on hosts: operator, administrator.
    Operate,
    /// To set things: administrator.
    Administer,
    /// To take malicious files out of the sample store: analyst, administrator.
    Download,
    /// To see the audit log: auditor, administrator.
    Audit,
    /// What belongs to no project: administrator of all of them.
    AdministerAll,
    /// What shows every project: auditor or administrator of all of them.
    AuditAll,
}

impl Permission {
    /// Whether a role has it.
    pub(crate) const fn has(self, role: Role) -> bool {
        match self {
            Self::Public | Self::SignedIn | Self::View => true,
            Self::Operate => matches!(role, Role::Operator | Role::Administrator),
            Self::Administer | Self::AdministerAll => matches!(role, Role::Administrator),
            Self::Download => matches!(role, Role::Analyst | Role::Administrator),
            Self::Audit | Self::AuditAll => matches!(role, Role::Auditor | Role::Administrator),
        }
    }

    const fn needs_all(self) -> bool {
        matches!(self, Self::AdministerAll | Self::AuditAll)
    }

    /// Where the grants give it; `None`: nowhere.
    pub(crate) fn scope(self, grants: &[(String, String)]) -> Option<Scope> {
        let having = || {
            grants
                .iter()
                .filter(|(_, role)| Role::from_word(role).is_some_and(|r| self.has(r)))
                .map(|(p, _)| p)
        };
        if having().any(|p| p == ALL_PROJECTS) {
            return Some(Scope::All);
        }
        let mut projects: Vec<String> = having().cloned().collect();
        projects.sort();
        projects.dedup();
        match self {
            Self::Public | Self::SignedIn => Some(Scope::Projects(projects)),
            _ if self.needs_all() || projects.is_empty() => None,
            _ => Some(Scope::Projects(projects)),
        }
    }
}

/// A key's grants within those of its user: what both have. Empty narrower ones mean all of the user's.
pub(crate) fn narrowed(user: &[(String, String)], key: &[(String, String)]) -> Vec<(String, String)> {
    if key.is_empty() {
        return user.to_vec();
    }
    key.iter().filter(|(project, role)| covers(user, project, role)).cloned().collect()
}

/// Whether grants include one: the same role, or a role with all that it has, in that project.
pub(crate) fn covers(grants: &[(String, String)], project: &str, role: &str) -> bool {
    let Some(wanted) = Role::from_word(role) else { return false };
    grants.iter().any(|(p, r)| {
        (p == ALL_PROJECTS || p == project)
            && Role::from_word(r).is_some_and(|has| {
                has == wanted
                    || match wanted {
                        Role::Viewer => true,
                        Role::Operator | Role::Auditor | Role::Analyst => has == Role::Administrator,
                        Role::Administrator => false,
                    }
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(project: &str, role: &str) -> (String, String) {
        (project.to_owned(), role.to_owned())
    }

    #[test]
    fn a_role_holds_only_where_it_was_granted() {
        let grants = [grant("a", "viewer"), grant("b", "operator")];
        assert_eq!(Permission::View.scope(&grants), Some(Scope::Projects(vec!["a".into(), "b".into()])));
        assert_eq!(Permission::Operate.scope(&grants), Some(Scope::Projects(vec!["b".into()])));
        assert_eq!(Permission::Administer.scope(&grants), None);
        assert_eq!(Permission::Audit.scope(&grants), None);
    }

    #[test]
    fn what_belongs_to_no_project_needs_all() {
        assert_eq!(Permission::AdministerAll.scope(&[grant("a", "administrator")]), None);
        assert_eq!(Permission::AdministerAll.scope(&[grant("*", "administrator")]), Some(Scope::All));
        assert_eq!(Permission::AdministerAll.scope(&[grant("*", "auditor")]), None);
        assert_eq!(Permission::AuditAll.scope(&[grant("*", "auditor")]), Some(Scope::All));
    }

    #[test]
    fn samples_are_for_who_may_take_them() {
        let may = |role| Permission::Download.scope(&[grant("a", role)]).is_some();
        assert!(may("analyst") && may("administrator"));
        assert!(!may("viewer") && !may("operator") && !may("auditor"));
        assert!(Permission::Operate.scope(&[grant("a", "analyst")]).is_none());
        assert_eq!(
            Permission::Download.scope(&[grant("a", "analyst")]),
            Some(Scope::Projects(vec!["a".into()]))
        );
    }

    #[test]
    fn an_unknown_role_grants_nothing() {
        assert_eq!(Permission::View.scope(&[grant("*", "root")]), None);
    }

    #[test]
    fn a_key_never_has_more_than_its_user() {
        let user = [grant("a", "operator")];
        assert_eq!(narrowed(&user, &[]), user);
        let asked =
            [grant("a", "viewer"), grant("a", "administrator"), grant("b", "viewer"), grant("*", "viewer")];
        assert_eq!(narrowed(&user, &asked), [grant("a", "viewer")]);
    }
}
