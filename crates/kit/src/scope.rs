//! What a caller may see and do: a district, and within it a region or one's own part.
//!
//! Every store function takes a [`Scope`]; there is none that reads rows without. One comes from a caller or from
//! [`Scope::whole`], where it can be looked for; it cannot be made up:
//!
//! ```compile_fail,E0451
//! use bangban_kit::scope::{Reach, Scope};
//!
//! let mine = Scope { district: "zigui".to_owned(), reach: Reach::Whole };
//! ```

use bangban_codes::region::RegionCode;
use bangban_proto::bangban::options::v1::Role;

use crate::{identity::Caller, refusal::Refusal};

/// What a caller may see of a district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    district: String,
    reach: Reach,
}

/// How far a scope reaches within its district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of the district.
    Whole,
    /// Rows whose region lies below this code, and those in which the site takes part (BB-1, BB-4.3).
    Region {
        /// Region code.
        prefix: String,
        /// The caller's site; empty for none.
        site: String,
        /// The caller: rows that are being handed over to somebody are seen by the one who is to take them (BB-4.2a).
        person: String,
    },
    /// Rows in which this department takes part.
    Department(String),
    /// One case.
    Case(String),
}

impl Scope {
    /// What `caller` may see of `district`, which lies in `region`.
    ///
    /// # Errors
    /// SCOPE_OUTSIDE_DISTRICT (BB-1) when the caller's region neither contains the district nor lies in it;
    /// SCOPE_MISSING (BB-1) for citizens of whom no case is known, and clerks of no department.
    pub fn of(caller: &Caller, district: &str, region: &str) -> Result<Self, Refusal> {
        let is_only = |role| !caller.roles.is_empty() && caller.roles.iter().all(|r| *r == role);
        if is_only(Role::Citizen) && caller.case.is_empty()
            || is_only(Role::Department) && caller.department.is_empty()
        {
            return Err(missing());
        }
        let reach = if !caller.case.is_empty() {
            Reach::Case(caller.case.clone())
        } else if !caller.department.is_empty() {
            if !contains(&caller.region, region) && !contains(region, &caller.region) {
                return Err(outside());
            }
            Reach::Department(caller.department.clone())
        } else if contains(&caller.region, region) {
            Reach::Whole
        } else if contains(region, &caller.region) {
            Reach::Region {
                prefix: caller.region.clone(),
                site: caller.site.clone(),
                person: caller.subject.clone(),
            }
        } else {
            return Err(outside());
        };
        Ok(Self {
            district: district.to_owned(),
            reach,
        })
    }

    /// Everything of a district: for what a service does unasked, and for what the law makes public.
    #[must_use]
    pub fn whole(district: &str) -> Self {
        Self {
            district: district.to_owned(),
            reach: Reach::Whole,
        }
    }

    /// The district.
    #[must_use]
    pub fn district(&self) -> &str {
        &self.district
    }

    /// How far it reaches.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }
}

/// Whether `inner` lies in `outer`, both region codes; the empty code is the whole country.
#[must_use]
pub fn contains(outer: &str, inner: &str) -> bool {
    if outer.is_empty() {
        return true;
    }
    match (RegionCode::parse(outer), RegionCode::parse(inner)) {
        (Ok(outer), Ok(inner)) => outer.contains(&inner),
        _ => false,
    }
}

fn missing() -> Refusal {
    Refusal::forbidden(
        "SCOPE_MISSING",
        "BB-1",
        "令牌未指明办件或部门，请联系管理员",
        "the token names no case, or no department: tell the administrator",
    )
}

fn outside() -> Refusal {
    Refusal::forbidden(
        "SCOPE_OUTSIDE_DISTRICT",
        "BB-1",
        "您的管辖区域不包括该区县",
        "your region neither contains this district nor lies in it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(region: &str) -> Caller {
        Caller {
            region: region.to_owned(),
            site: "station-1".to_owned(),
            ..Caller::public()
        }
    }

    #[test]
    fn authority_is_a_region_prefix_inside_beside_above_and_outside() {
        let of = |region: &str| Scope::of(&caller(region), "zigui", "420527").map(|s| s.reach);
        assert_eq!(of(""), Ok(Reach::Whole));
        assert_eq!(of("42"), Ok(Reach::Whole));
        assert_eq!(of("420527"), Ok(Reach::Whole));
        assert_eq!(
            of("420527100"),
            Ok(Reach::Region {
                prefix: "420527100".to_owned(),
                site: "station-1".to_owned(),
                person: caller("").subject
            })
        );
        for region in ["420528", "43", "420528100"] {
            assert_eq!(
                of(region).expect_err("outside").reason,
                "SCOPE_OUTSIDE_DISTRICT"
            );
        }
    }

    #[test]
    fn a_citizen_sees_one_case_and_a_department_its_part() {
        let citizen = Caller {
            case: "c1".to_owned(),
            ..Caller::public()
        };
        assert_eq!(
            Scope::of(&citizen, "zigui", "420527")
                .expect("a scope")
                .reach,
            Reach::Case("c1".to_owned())
        );
        let clerk = Caller {
            department: "civil".to_owned(),
            ..caller("420527")
        };
        assert_eq!(
            Scope::of(&clerk, "zigui", "420527").expect("a scope").reach,
            Reach::Department("civil".to_owned())
        );
        for role in [Role::Citizen, Role::Department] {
            let nobody = Caller {
                roles: vec![role],
                ..caller("420527")
            };
            let refused = Scope::of(&nobody, "zigui", "420527").expect_err("refused");
            assert_eq!(refused.reason, "SCOPE_MISSING");
        }
        let elsewhere = Caller {
            department: "civil".to_owned(),
            ..caller("43")
        };
        assert!(Scope::of(&elsewhere, "zigui", "420527").is_err());
    }
}
