//! Configuration: defaults, then a file, then the environment, then flags; each layer over the one before.
//!
//! All keys are members of [`Layer`]: `trusted_proxies` is `trusted_proxies` in the file, `USHER_TRUSTED_PROXIES` in the environment
//! and `--trusted-proxies` as a flag. Unknown keys are errors in every layer. Depends on nothing of ours.

mod effective;
mod environment;
mod files;
mod layer;

pub use effective::{Admin, Config, ConfigError};
pub use environment::overwritten_settings;
pub use files::Files;
pub use layer::{Layer, Switch};
