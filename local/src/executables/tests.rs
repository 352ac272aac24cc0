use super::*;

#[test]
fn the_functions_are_told_from_the_game() {
    assert!(is_function("start-export"));
    assert!(is_function("index-export"));
    assert!(!is_function("game"));
}

#[test]
fn functions_of_a_folder_are_taken_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("start-export"), "").unwrap();
    std::fs::write(folder.path().join("index-export"), "").unwrap();
    let found = existing(&["start-export", "index-export"], folder.path()).unwrap();
    assert_eq!(found["index-export"], folder.path().join("index-export"));
    assert_eq!(found["start-export"], folder.path().join("start-export"));
}

#[test]
fn a_folder_without_one_of_the_functions_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("start-export"), "").unwrap();
    std::fs::create_dir(folder.path().join("index-export")).unwrap();
    let error = existing(&["start-export", "index-export"], folder.path()).unwrap_err();
    let expected = format!(
        "CRASH_CAPTURE_FUNCTIONS names {}, where there is no executable index-export",
        folder.path().display()
    );
    assert_eq!(error.to_string(), expected);
}
