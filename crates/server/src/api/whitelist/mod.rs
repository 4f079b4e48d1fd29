// SPDX-License-Identifier: Apache-2.0
//! The whitelist: what is not to be an alarm, where, for how long, and who answers for it.

mod add;
mod change;
mod look;
mod view;

use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use add::{Added, NewEntry, add};
use change::{EntryChange, Removal, RemovalQuery, Removed, remove, remove_several, update};
use lazaret_store::WhitelistRow;
use look::{EntryQuery, Hit, HitQuery, hits, list, show};
use view::WhitelistEntry;

pub(crate) fn routes(r: &mut Routes) {
    let (view, administer) = (Permission::View, Permission::Administer);
    r.add(
        view,
        get("/whitelist", "listWhitelist", "Whitelist entries, newest first")
            .query::<EntryQuery>()
            .page::<WhitelistEntry>(),
        list,
    );
    r.add(
        administer,
        post("/whitelist", "addWhitelistEntry", "A new whitelist entry")
            .describe("The answer names isolated files that it matches, to be restored where wanted.")
            .body::<NewEntry>()
            .tagged()
            .answers::<Added>(201)
            .problem(404)
            .problem(409),
        add,
    );
    r.add(
        administer,
        post("/whitelist/delete", "removeWhitelistEntries", "Remove several entries")
            .body::<Removal>()
            .answers::<Removed>(200)
            .problem(404),
        remove_several,
    );
    r.add(
        view,
        get("/whitelist/{id}", "getWhitelistEntry", "One entry").tagged().answers::<WhitelistEntry>(200),
        show,
    );
    r.add(
        administer,
        put("/whitelist/{id}", "updateWhitelistEntry", "Reason, owner, class and end of an entry")
            .body::<EntryChange>()
            .if_match()
            .tagged()
            .answers::<WhitelistEntry>(200),
        update,
    );
    r.add(
        administer,
        delete("/whitelist/{id}", "removeWhitelistEntry", "Remove an entry")
            .query::<RemovalQuery>()
            .answers::<Removed>(200)
            .problem(422),
        remove,
    );
    r.add(
        view,
        get("/whitelist/{id}/hits", "whitelistHits", "What an entry let through: its shadow report")
            .query::<HitQuery>()
            .page::<Hit>(),
        hits,
    );
}

async fn within(api: &Api, access: &Access, id: &str) -> Result<WhitelistRow, Problem> {
    access.check(api.store.whitelist_entry(id).await, |w| &w.project, "whitelist entry", id)
}
