/// Why bytes are not a model that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VwModelError {
    /// They begin otherwise.
    #[error("this is not a model of Vowpal Wabbit")]
    Foreign,
    /// Another version wrote them.
    #[error("a model of Vowpal Wabbit {0}, where one of 9.11.9 is read; load and save it there")]
    Version(String),
    /// They end too early.
    #[error("a model of Vowpal Wabbit that ends after {0} bytes, within its {1}")]
    Truncated(usize, &'static str),
    /// The header is not what was written.
    #[error("a model of Vowpal Wabbit whose checksum is wrong: it was damaged")]
    Checksum,
    /// What stands there cannot be.
    #[error("a model of Vowpal Wabbit that cannot be read: {0}")]
    Content(String),
    /// The file has an option that is not supported, or not in this way.
    #[error("a model of Vowpal Wabbit with an option that is not supported: {0}")]
    Unsupported(String),
    /// The policy has another option than the file.
    #[error("`{given}` differs from the model, which was trained with `{file}`")]
    Option {
        /// The option as the policy has it.
        given: String,
        /// The option as the file has it.
        file: String,
    },
}
