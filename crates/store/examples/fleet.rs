#![allow(missing_docs, dead_code, unreachable_pub)]
#[path = "../../../benches/src/fleet_rows.rs"]
mod fleet_rows;
#[path = "../../../benches/src/fleet_store.rs"]
mod fleet_store;
#[path = "../../../benches/src/report.rs"]
mod report;
fn main() {
    fleet_store::measure();
}
