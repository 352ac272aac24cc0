//! Commands to be copied into a shell. What a session's files are called is hostile there too.

use crate::record::{ExportObject, Record};
use crate::session::Id;
use crate::triage::Listed;

/// The longest path that a command is given for, in characters.
const LONGEST_PATH: usize = 200;

/// A command, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) does: String,
    pub(super) line: String,
}

impl Command {
    fn new(does: impl Into<String>, words: &[&str]) -> Self {
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        Self { does: does.into(), line: words.join(" ") }
    }
}

/// The command that fetches one file of a session; nothing for a file whose very path may not be shown.
pub(super) fn get_file(session: &Id, path: &str) -> Option<String> {
    /// What stands for something that was taken out.
    const REDACTED: [&str; 5] = ["[user]", "[secret]", "[email]", "[ip]", "[account]"];
    let is_exact = path.chars().count() <= LONGEST_PATH && !REDACTED.iter().any(|word| path.contains(word));
    is_exact.then(|| {
        let mut words = vec!["crash-capture", "get", session.as_str()];
        if path.starts_with('-') {
            words.push("--");
        }
        words.push(path);
        Command::new("", &words).line
    })
}

/// The commands that fetch the zip, or one file of it.
pub(super) fn fetch(record: &Record, export: &ExportObject, largest: Option<&Listed>) -> Vec<Command> {
    let session = &record.session.id;
    let exact = largest.filter(|file| file.is_exact).map(|file| file.path.as_str());
    let telling = record.judgement.evidence.first().map(|evidence| evidence.path.as_str());
    let one = telling.into_iter().chain(exact).find_map(|path| get_file(session, path));
    let one = one.map(|line| Command { does: "One file of it, without the rest".to_owned(), line });
    let zip = format!("s3://{}/{}", export.bucket, export.key);
    let by_hand = match export.version_id.as_deref() {
        // The object that was read, whatever took its place.
        Some(version) => {
            let object = ["--bucket", &export.bucket, "--key", &export.key, "--version-id", version];
            let words =
                ["aws", "s3api", "get-object"].into_iter().chain(object).chain([file_name(&export.key)]);
            Command::new("The same with the AWS CLI", &words.collect::<Vec<_>>())
        }
        None => Command::new("The same with the AWS CLI", &["aws", "s3", "cp", &zip, "."]),
    };
    let all = [
        Some(Command::new("The whole zip", &["crash-capture", "get", session.as_str()])),
        one,
        Some(Command::new("What is in it", &["crash-capture", "files", session.as_str()])),
        Some(by_hand),
    ];
    all.into_iter().flatten().collect()
}

/// The commands that tell more of a session that has no files.
pub(super) fn without_files(session: &Id) -> Vec<Command> {
    vec![
        Command::new("The record of this session", &["crash-capture", "show", session.as_str()]),
        Command::new("All sessions that were not captured, by reason", &["crash-capture", "missed"]),
    ]
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// A word as a POSIX shell takes it, as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Id {
        Id::try_from("ABC123def4567".to_owned()).unwrap()
    }

    #[test]
    fn a_shell_gets_the_path_as_it_is_whatever_it_holds() {
        for (path, expected) in [
            ("profile/Game.log", "profile/Game.log"),
            ("profile/My Game.log", "'profile/My Game.log'"),
            ("a'; rm -rf ~; '", r"'a'\''; rm -rf ~; '\'''"),
            ("$(reboot)`id`\"", "'$(reboot)`id`\"'"),
            ("-rf", "-- -rf"),
            ("~/x", "'~/x'"),
        ] {
            let line = get_file(&session(), path).unwrap();
            assert_eq!(line, format!("crash-capture get ABC123def4567 {expected}"));
            // What a real shell makes of it.
            let script = line.replace("crash-capture", "printf '%s\\n'");
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap().lines().last(), Some(path));
        }
    }

    #[test]
    fn no_command_names_a_path_that_is_not_the_files_own() {
        assert_eq!(get_file(&session(), "profile/drive_c/users/[user]/x.log"), None);
        assert_eq!(get_file(&session(), &"x".repeat(201)), None);
    }
}
