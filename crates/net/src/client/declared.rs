//! What the contract says of a method that a caller has to know: whether it may be repeated, and whether it streams.

use bangban_proto::Method;

/// What goes back and forth in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One message each way.
    Unary,
    /// One message there, many back.
    Answers,
    /// Nobody knows: many either way.
    Any,
}

/// A method, as a caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// What goes back and forth.
    pub shape: Shape,
    /// Whether it may be sent again when it may have been processed.
    pub is_repeatable: bool,
}

/// What the contracts say of the method at this path. All of ours may be repeated: a method that declares neither
/// `NO_SIDE_EFFECTS` nor `IDEMPOTENT` does not compile, nor does an `IDEMPOTENT` one whose request carries no request id,
/// but for those of which `proto/build.rs` says why. Others are passed through, and never repeated.
#[must_use]
pub fn by_contract(path: &str) -> Declared {
    if let Some(method) = Method::at(path) {
        return Declared {
            shape: if method.is_stream {
                Shape::Answers
            } else {
                Shape::Unary
            },
            is_repeatable: true,
        };
    }
    if path == "/grpc.health.v1.Health/Check" {
        return Declared {
            shape: Shape::Unary,
            is_repeatable: true,
        };
    }
    Declared {
        shape: Shape::Any,
        is_repeatable: false,
    }
}

#[cfg(test)]
mod tests {
    use bangban_proto::METHODS;

    use super::*;

    #[test]
    fn every_method_of_the_contracts_is_found() {
        for method in METHODS {
            let declared = by_contract(method.path);
            assert!(declared.is_repeatable, "{}", method.path);
            assert_eq!(declared.shape == Shape::Answers, method.is_stream);
        }
        assert_eq!(
            by_contract("/bangban.events.v1.EventFeed/Tail").shape,
            Shape::Answers
        );
        assert_eq!(by_contract("/nobody.Knows/This").shape, Shape::Any);
    }
}
