//! Patterns of actions and of ARNs: `*` stands for any number of characters, `?` for one.

use super::PolicyError;

/// A pattern of actions, such as `s3:Get*`. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern(String);

impl ActionPattern {
    /// Reads `*`, or `service:Name` with wildcards in the name.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let is_word = |word: &str, others: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
        };
        match text.split_once(':') {
            _ if text == "*" => Ok(Self(text.to_owned())),
            Some((service, name)) if is_word(service, "-") && is_word(name, "*?") => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(PolicyError::Action(text.to_owned())),
        }
    }

    /// Whether it matches an action.
    #[must_use]
    pub fn matches(&self, action: &str) -> bool {
        glob(&self.0.to_lowercase(), &action.to_lowercase())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A pattern of ARNs. Wildcards do not reach over the first five colons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArnPattern(String);

impl ArnPattern {
    /// Reads `*`, or an ARN of six parts.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.contains("${") {
            return Err(PolicyError::Variable(text.to_owned()));
        }
        let parts: Vec<_> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["*"] => Ok(Self(text.to_owned())),
            ["arn", partition, service, _, _, resource]
                if [partition, service, resource].iter().all(|part| !part.is_empty()) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(PolicyError::Resource(text.to_owned())),
        }
    }

    /// Whether it matches an ARN. `*`, what a call without a resource is about, is matched by `*` alone.
    #[must_use]
    pub fn matches(&self, arn: &str) -> bool {
        if self.0 == "*" {
            return true;
        }
        let (pattern, arn): (Vec<_>, Vec<_>) =
            (self.0.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
        pattern.len() == arn.len() && pattern.iter().zip(arn).all(|(pattern, part)| glob(pattern, part))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the whole text matches.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some('*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(c), _) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            (_, Some((at, taken))) => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
