//! One file per command; a command wires rooms and fits a screen.
