//! The program as its users meet it: commands, exit codes, folders and pages.

mod architecture;
mod audit;
mod capacity;
mod evaluate;
mod experiments;
mod faults;
mod folders;
mod mapped;
mod monitor;
mod policies;
mod runs;
mod serve;
mod store;
mod submit;
mod tables;
mod tools;
