//! What a call is to admission: read from the contract.

use bangban_proto::{METHODS, Method};

/// Which of two calls of people goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// Goes on with what is there, or reads.
    Ongoing,
    /// Begins something.
    Beginning,
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Passes: health, which must be answered under load most of all, and reflection.
    Free,
    /// Of people, or of a service in the name of one.
    People(Rank),
    /// Stays open and costs little.
    Feed,
    /// Reads much, and can wait.
    Export,
}

/// What a path is, and the number of its method in the table of the contract.
pub(super) fn of(path: &str) -> (Class, Option<usize>) {
    if path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.") {
        return (Class::Free, None);
    }
    match METHODS.binary_search_by(|method| method.path.cmp(path)) {
        Ok(at) => (of_method(&METHODS[at]), Some(at)),
        // Refused further in; here it is what nobody waits for.
        Err(_) => (Class::People(Rank::Beginning), None),
    }
}

fn of_method(method: &Method) -> Class {
    match method {
        m if m.is_stream && m.path.starts_with("/bangban.events.") => Class::Feed,
        m if m.is_stream => Class::Export,
        m if m.is_beginning => Class::People(Rank::Beginning),
        _ => Class::People(Rank::Ongoing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_says_what_a_call_is() {
        for (path, class) in [
            ("/grpc.health.v1.Health/Watch", Class::Free),
            (
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                Class::Free,
            ),
            ("/bangban.events.v1.EventFeed/Tail", Class::Feed),
            (
                "/bangban.casework.v1.LedgerService/ExportLedger",
                Class::Export,
            ),
            (
                "/bangban.consultation.v1.ConsultationService/ExportRegister",
                Class::Export,
            ),
            (
                "/bangban.casework.v1.CaseService/OpenCase",
                Class::People(Rank::Beginning),
            ),
            (
                "/bangban.casework.v1.CaseService/TakeMaterial",
                Class::People(Rank::Ongoing),
            ),
            (
                "/bangban.casework.v1.CaseService/ListCases",
                Class::People(Rank::Ongoing),
            ),
            ("/nobody.Knows/This", Class::People(Rank::Beginning)),
        ] {
            assert_eq!(of(path).0, class, "{path}");
        }
    }

    #[test]
    fn no_stream_counts_as_a_call_of_people() {
        for method in METHODS {
            let is_people = matches!(of(method.path).0, Class::People(_));
            assert_eq!(is_people, !method.is_stream, "{}", method.path);
        }
    }
}
