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
}
