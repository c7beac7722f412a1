/// One option of Vowpal Wabbit's command line, and what is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name, without dashes.
    pub name: &'static str,
    /// The name of one letter, if it has one.
    pub short: Option<char>,
    /// What the value stands for; none for a flag.
    pub value: Option<&'static str>,
    /// What is made of it.
    pub support: Support,
    /// What it does.
    pub doc: &'static str,
}

/// What is made of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It has the effect that it has in VW.
    Full,
    /// The same, but for which of two equals is picked now and then.
    Alike,
    /// It has the effect that it has in VW where logs are read: in `runner evaluate`. Refused
    /// elsewhere.
    Evaluation,
    /// It steers VW as a program: accepted, without effect.
    Dropped,
    /// Refused.
    Refused,
}

use Support::{Alike, Dropped, Evaluation, Full, Refused};

const fn flag(name: &'static str, support: Support, doc: &'static str) -> OptionSpec {
    OptionSpec { name, short: None, value: None, support, doc }
}

const fn valued(
    name: &'static str,
    value: &'static str,
    support: Support,
    doc: &'static str,
) -> OptionSpec {
    OptionSpec { name, short: None, value: Some(value), support, doc }
}

const fn short(letter: char, spec: OptionSpec) -> OptionSpec {
    OptionSpec { short: Some(letter), ..spec }
}

/// The options that are known, by what they concern. Parsing, refusals and the
/// documentation are made of this table.
pub const OPTIONS: &[OptionSpec] = &[
    flag(
        "cb_explore_adf",
        Full,
        "contextual bandit with action features; this or one of the next two is required",
    ),
    flag("ccb_explore_adf", Full, "the same, for slots: conditional contextual bandits"),
    valued(
        "cb_explore",
        "N",
        Evaluation,
        "the same for N actions that are known by their number; what is said of them is not read",
    ),
    valued("cb_type", "TYPE", Full, "mtr, ips, dr, dm or sm"),
    valued("clip_p", "P", Full, "lower bound of the probabilities divided by"),
    valued("epsilon", "E", Full, "share of exploration"),
    flag("first_only", Full, "the first of tied actions is the best"),
    flag("softmax", Full, "softmax exploration"),
    valued("lambda", "L", Full, "sharpness of softmax"),
    valued("first", "N", Full, "explore the first N events"),
    valued("bag", "N", Full, "bootstrap exploration"),
    flag("greedify", Full, "the first policy of a bag learns every event once"),
    valued("cover", "N", Full, "online cover"),
    valued("psi", "P", Full, "divergence of online cover"),
    flag("nounif", Full, "online cover without uniform exploration"),
    flag("squarecb", Full, "SquareCB"),
    flag("elim", Full, "SquareCB with elimination"),
    valued("gamma_scale", "G", Full, "scale of SquareCB's greed"),
    valued("gamma_exponent", "G", Full, "exponent of SquareCB's greed"),
    valued("mellowness", "M", Full, "width of confidence bounds"),
    valued("cb_min_cost", "C", Full, "lower bound of costs"),
    valued("cb_max_cost", "C", Full, "upper bound of costs"),
    valued("rnd", "N", Full, "random network distillation"),
    valued("rnd_alpha", "A", Full, "noise of random network distillation"),
    valued("rnd_invlambda", "L", Full, "scale of random network distillation"),
    flag("regcb", Full, "RegCB with elimination"),
    flag("regcbopt", Full, "RegCB, optimistic"),
    flag(
        "large_action_space",
        Alike,
        "of more than `--max_actions`, the best action and those that span all are explored",
    ),
    valued("max_actions", "N", Alike, "how many actions may span all"),
    valued("spanner_c", "C", Alike, "how nearly they span all"),
    short('q', valued("quadratic", "XY", Full, "pairs of namespaces; `:` is any")),
    valued("cubic", "XYZ", Full, "triples of namespaces; `:` is any"),
    valued("interactions", "XY…", Full, "interactions of any order; `:` is any"),
    valued("ignore", "X", Full, "namespaces that are not read"),
    valued("keep", "X", Full, "namespaces that alone are read"),
    valued("ignore_linear", "X", Full, "namespaces that count in interactions only"),
    flag("noconstant", Full, "no constant feature"),
    short('C', valued("constant", "W", Full, "initial weight of the constant")),
    short('b', valued("bit_precision", "BITS", Full, "2^BITS weights")),
    valued("hash", "HOW", Full, "strings or all"),
    flag("chain_hash", Full, "hash key and value one after the other"),
    valued("hash_seed", "SEED", Full, "seed of the hashes"),
    valued("random_seed", "SEED", Full, "seed of random numbers"),
    short('l', valued("learning_rate", "RATE", Full, "learning rate")),
    valued("power_t", "P", Full, "decay of the learning rate"),
    valued("initial_t", "T", Full, "time at which the decay starts"),
    flag("adaptive", Full, "rates by the gradients of each feature"),
    flag("normalized", Full, "rates by the scale of each feature"),
    flag("invariant", Full, "importance-weight invariant updates"),
    flag("sgd", Full, "plain stochastic gradient descent"),
    flag("coin", Full, "coin betting"),
    valued("l1", "L", Full, "l1 regularization"),
    valued("l2", "L", Full, "l2 regularization"),
    flag("no_bias_regularization", Dropped, "has no effect on gradient descent"),
    valued("min_prediction", "P", Full, "smallest prediction"),
    valued("max_prediction", "P", Full, "largest prediction"),
    flag("dsjson", Dropped, "the format of the log"),
    flag("json", Dropped, "the format of the log"),
    flag("quiet", Dropped, "no output"),
    flag("save_resume", Dropped, "models are always saved whole"),
    flag("preserve_performance_counters", Dropped, "models are always saved whole"),
    flag("no_stdin", Dropped, "input"),
    valued("extra_metrics", "FILE", Dropped, "output"),
    valued("invert_hash", "FILE", Dropped, "output"),
    valued("readable_model", "FILE", Dropped, "output"),
    short('a', flag("audit", Dropped, "output")),
    flag("predict_only_model", Dropped, "models are always saved whole"),
    valued("dump_json_weights_experimental", "FILE", Dropped, "output"),
    flag("dump_json_weights_include_feature_names_experimental", Dropped, "output"),
    flag("dump_json_weights_include_extra_online_state_experimental", Dropped, "output"),
    flag("hexfloat_weights", Dropped, "output"),
    short('r', valued("raw_predictions", "FILE", Dropped, "output")),
    valued("example_queue_limit", "N", Dropped, "how VW reads ahead"),
    valued("ring_size", "N", Dropped, "how VW reads ahead"),
    flag("onethread", Dropped, "how VW reads ahead"),
    short('c', flag("cache", Dropped, "input")),
    short('k', flag("kill_cache", Dropped, "input")),
    valued("cache_file", "FILE", Dropped, "input"),
    flag("compressed", Dropped, "input"),
    flag("holdout_off", Dropped, "has no effect on one pass"),
    flag("binary_parser", Dropped, "the format of the log"),
    flag("all_slots_loss", Dropped, "output"),
    flag("driver_output_off", Dropped, "output"),
    valued("driver_output", "WHERE", Dropped, "output"),
    valued("log_level", "LEVEL", Dropped, "output"),
    valued("log_output", "WHERE", Dropped, "output"),
    valued("limit_output", "N", Dropped, "output"),
    short('d', valued("data", "FILE", Dropped, "input")),
    short('p', valued("predictions", "FILE", Dropped, "output")),
    short('P', valued("progress", "N", Dropped, "output")),
    valued("thread_pool_size", "N", Dropped, "how VW projects large action spaces"),
    valued("block_size", "N", Dropped, "how VW projects large action spaces"),
    valued("action_cache_slack", "N", Dropped, "how VW projects large action spaces"),
    flag("las_hint_explicit_simd", Dropped, "how VW projects large action spaces"),
    valued("id", "ID", Dropped, "the name of the model"),
    short(
        'i',
        valued("initial_regressor", "FILE", Evaluation, "a model of VW 9.11.9 to start from"),
    ),
    short(
        'f',
        valued("final_regressor", "FILE", Evaluation, "where the model is written at the end"),
    ),
    short('t', flag("testonly", Evaluation, "learn nothing")),
    flag("no_predict", Refused, "learning without predicting"),
    valued("cats", "N", Refused, "continuous actions"),
    flag("slates", Refused, "slates"),
    flag("cb_force_legacy", Refused, "bandits without action features as before VW 8.11"),
    flag("cb_adf", Refused, "bandits without exploration"),
    valued("marginal", "X", Refused, "marginal features"),
    flag("two_pass_svd", Refused, "another projection of large action spaces"),
    valued("ngram", "N", Refused, "n-grams"),
    valued("loss_function", "LOSS", Refused, "losses other than squared"),
    valued("link", "LINK", Refused, "links other than the identity"),
    valued("passes", "N", Refused, "several passes"),
    flag("leave_duplicate_interactions", Refused, "repeated interactions"),
    flag("permutations", Refused, "permutations in interactions"),
    flag("ftrl", Refused, "follow the regularized leader"),
    valued("automl", "N", Refused, "search inside VW"),
    flag("verbose_metrics", Refused, "search inside VW"),
    valued("priority_type", "TYPE", Refused, "search inside VW"),
    valued("priority_challengers", "N", Refused, "search inside VW"),
    valued("oracle_type", "TYPE", Refused, "search inside VW"),
    valued("default_lease", "N", Refused, "search inside VW"),
    valued("automl_significance_level", "P", Refused, "search inside VW"),
    valued("opt_func", "NAME", Refused, "search inside VW"),
    flag("experimental_igl", Refused, "interaction-grounded learning"),
    valued("skips", "N", Refused, "skips in n-grams"),
    valued("affix", "X", Refused, "prefixes and suffixes of words"),
    valued("spelling", "X", Refused, "the spelling of words"),
    valued("dictionary", "FILE", Refused, "features from a dictionary"),
    valued("redefine", "X:=Y", Refused, "other namespaces than those of the log"),
    valued("feature_limit", "N", Refused, "a limit of features"),
    valued("experimental_full_name_interactions", "NAMES", Refused, "interactions by whole names"),
    valued("ignore_features_dsjson_experimental", "NAMES", Refused, "single features not read"),
    flag("sort_features", Refused, "features in another order"),
    flag("cb_sample", Refused, "the service samples, not the policy"),
    flag("ccb_no_slot_index", Refused, "slots without their index"),
    flag("pistol", Refused, "parameter-free learning"),
    valued("ftrl_alpha", "A", Refused, "other rates of coin betting"),
    valued("ftrl_beta", "B", Refused, "other rates of coin betting"),
    valued("synthcover", "N", Refused, "synthetic cover"),
    flag("graph_feedback", Refused, "exploration of a graph"),
    valued("feature_mask", "FILE", Refused, "a mask of features"),
    valued("initial_weight", "W", Refused, "initial weights other than zero"),
    flag("random_weights", Refused, "initial weights other than zero"),
    flag("normal_weights", Refused, "initial weights other than zero"),
    flag("sparse_weights", Refused, "weights in a hash map"),
    valued("decay_learning_rate", "D", Refused, "a rate that decays with passes"),
    valued("examples", "N", Refused, "the head of a log"),
    flag("epsilon_decay", Refused, "decaying exploration"),
    flag("explore_eval", Refused, "evaluation by rejection"),
];
