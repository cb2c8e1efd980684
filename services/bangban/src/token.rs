//! Tokens of an installation that is its own issuer.

use std::time::Duration;

use bangban_kit::{
    config::Config,
    identity::{Issuer, Person},
};
use bangban_proto::bangban::options::v1::Role;

use crate::{cli::Token, failure::Failure, tell};

/// Signs tokens.
pub struct Signer {
    issuer: Issuer,
    jwks: std::path::PathBuf,
}

impl Signer {
    /// Opens the installation's issuer key, or makes one in the data folder.
    pub fn open(config: &Config) -> Result<Self, Failure> {
        if !config.is_own_issuer() {
            return Err(Failure::new(format!(
                "identity.jwks names the keys of another issuer ({}): tokens come from there, this program cannot sign them.",
                config.identity.jwks.display()
            )));
        }
        std::fs::create_dir_all(&config.data).map_err(|e| {
            Failure::of(
                &format!(
                    "the data folder {} cannot be made; choose another with --data",
                    config.data.display()
                ),
                &e,
            )
        })?;
        let jwks = config.jwks();
        let identity = &config.identity;
        let issuer = Issuer::open_or_create(
            &config.issuer_key(),
            &jwks,
            &identity.issuer,
            &identity.audience,
        )
        .map_err(|e| {
            Failure::of(
                "the issuer key cannot be used; choose the right data folder with --data",
                &e,
            )
        })?;
        Ok(Self { issuer, jwks })
    }

    /// A token for a person.
    pub fn token(&self, person: &Person, hours: u64) -> Result<String, Failure> {
        self.issuer
            .token(&self.jwks, person, Duration::from_secs(hours * 3600))
            .map_err(|e| {
                Failure::of(
                    "the token cannot be signed; look at the keys in the data folder",
                    &e,
                )
            })
    }
}

/// Prints a token, and nothing else.
pub fn print(config: &Config, wish: &Token) -> Result<(), Failure> {
    let person = Person {
        subject: wish.subject.clone(),
        roles: wish.roles.clone(),
        region: wish.region.clone(),
        site: wish.site.clone(),
        department: wish.department.clone(),
        case: String::new(),
    };
    tell::line(Signer::open(config)?.token(&person, wish.hours)?);
    Ok(())
}

/// The name of a role as tokens carry it.
pub fn role(text: &str) -> Result<String, String> {
    let name = text.trim().to_lowercase().replace('-', "_");
    match Role::from_str_name(&format!("ROLE_{}", name.to_uppercase())) {
        Some(role) if !matches!(role, Role::Unspecified | Role::Service) => Ok(name),
        _ => Err("choose among citizen, agent, supervisor, catalogue-editor, administrator, operator, auditor and department"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::role;

    #[test]
    fn roles_are_named_as_people_write_them_and_services_get_none() {
        assert_eq!(role("Catalogue-Editor"), Ok("catalogue_editor".to_owned()));
        assert!(
            role("service").is_err() && role("emperor").is_err() && role("unspecified").is_err()
        );
    }
}
