//! Statistics compared with numbers of SciPy and of published estimators.

mod inference;
mod off_policy;
