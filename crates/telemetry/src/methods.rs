//! Names of methods as the conventions write them. What is in no contract is `_OTHER`: a caller chooses paths, and must
//! choose neither what is kept nor how much.

use bangban_proto::METHODS;

/// A method that no contract knows.
pub(crate) const OTHER: &str = "_OTHER";

const STANDARD: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// `package.Service/Method` of a path.
pub(crate) fn name(path: &str) -> &'static str {
    let ours = METHODS
        .binary_search_by(|method| method.path.cmp(path))
        .map(|at| METHODS[at].path);
    let known = ours
        .ok()
        .or_else(|| STANDARD.into_iter().find(|standard| *standard == path));
    known
        .and_then(|path| path.strip_prefix('/'))
        .unwrap_or(OTHER)
}

/// Bytes of a method's name as it was asked for.
const LONGEST: usize = 100;

/// Digits of a version.
const VERSION: usize = 2;

/// What was asked for instead of a method that is known, for who looks why. A caller may have written anything there:
/// letters stay, and digits of a version behind a `v`, so that no number of a person does; the rest is `?`.
pub(crate) fn original(path: &str) -> String {
    let mut digits = 0;
    let mut name = String::with_capacity(path.len().min(LONGEST));
    for byte in path.trim_start_matches('/').bytes().take(LONGEST) {
        let is_kept = match byte {
            b'0'..=b'9' if digits > 0 => {
                digits -= 1;
                true
            }
            byte => {
                digits = if byte == b'v' { VERSION } else { 0 };
                byte.is_ascii_alphabetic() || b"._/".contains(&byte)
            }
        };
        name.push(if is_kept { char::from(byte) } else { '?' });
    }
    name
}

/// Whether it asks for health: every few seconds, by everybody, and of no interest in a trace.
pub(crate) fn is_health(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_full_name_and_what_is_unknown_has_one_for_all() {
        for method in METHODS {
            assert_eq!(format!("/{}", name(method.path)), method.path);
        }
        for path in STANDARD {
            assert_eq!(format!("/{}", name(path)), path);
        }
        for path in ["", "/", "/a/b", "/bangban.casework.v1.CaseService/杨桂兰"] {
            assert_eq!(name(path), OTHER, "{path}");
        }
    }

    #[test]
    fn what_was_asked_for_instead_is_told_without_what_may_be_personal() {
        let cases = [
            (
                "/bangban.casework.v2.CaseService/OpenCase",
                "bangban.casework.v2.CaseService/OpenCase",
            ),
            (
                "/grpc.health.v10alpha1.Health/Check",
                "grpc.health.v10alpha?.Health/Check",
            ),
            ("/nobody.Knows/A42052719", "nobody.Knows/A????????"),
            ("/a/v4205271944?x=1&杨", "a/v42?????????x??????"),
            ("", ""),
        ];
        for (path, told) in cases {
            assert_eq!(original(path), told, "{path}");
        }
        assert_eq!(original(&"a/".repeat(1000)).len(), LONGEST);
    }
}
