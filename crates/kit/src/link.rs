//! How a call came in: from within the process, in the clear, or over TLS with or without a service's certificate.

use std::sync::Arc;

use crate::{
    identity::Caller,
    refusal::{Kind, Refusal},
};

/// The way of a call. In the extensions of every request that a server takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Link {
    /// From another service in the same process.
    Inside,
    /// Over TCP without TLS: only where the process has no certificate.
    #[default]
    Plain,
    /// Over TLS; the name of the service whose certificate was shown, none for people and their tools.
    Secure(Option<Arc<str>>),
}

impl Link {
    /// Whether a caller may come this way: a context says which service speaks, and over TLS the certificate has to say the
    /// same. A stolen secret for contexts is of no use without the certificate.
    ///
    /// # Errors
    /// UNAUTHENTICATED, CERTIFICATE_MISSING or CERTIFICATE_OF_ANOTHER_SERVICE.
    pub fn carries(&self, caller: &Caller) -> Result<(), Refusal> {
        if caller.via.is_empty() {
            return Ok(());
        }
        match self {
            Self::Inside | Self::Plain => Ok(()),
            Self::Secure(Some(service)) if **service == caller.via => Ok(()),
            Self::Secure(None) => Err(Refusal::new(
                Kind::Unauthenticated,
                "CERTIFICATE_MISSING",
                "",
                "服务间调用必须出示本服务的证书",
                "a call in the name of a service needs the certificate of that service",
            )),
            Self::Secure(Some(_)) => Err(Refusal::new(
                Kind::Unauthenticated,
                "CERTIFICATE_OF_ANOTHER_SERVICE",
                "",
                "所出示的证书属于另一个服务",
                "the certificate is that of another service than the one that calls",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_speaks_only_over_its_own_certificate() {
        let casework = Caller::system("casework");
        let shown = |name: &str| Link::Secure(Some(name.into()));
        assert!(shown("casework").carries(&casework).is_ok());
        assert!(Link::Inside.carries(&casework).is_ok());
        let reason = |link: Link| link.carries(&casework).map_err(|r| r.reason);
        assert_eq!(reason(Link::Secure(None)), Err("CERTIFICATE_MISSING"));
        assert_eq!(
            reason(shown("directory")),
            Err("CERTIFICATE_OF_ANOTHER_SERVICE")
        );
        // People need none, and one that they have makes no difference.
        assert!(Link::Secure(None).carries(&Caller::public()).is_ok());
    }
}
