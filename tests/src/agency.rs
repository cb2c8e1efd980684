//! Cases of agency: the shop owner's food business licence, obtained for him under an agreement.

use bangban::client::Client;
use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    casework::v1::{
        Capacity, CaseKind, DraftDelegationRequest, FileApplicationRequest, SignDelegationRequest,
        Signature, SignatureForm,
    },
    directory::v1::Power,
};
use prost_types::Timestamp;

use crate::{DAY, World, case::Story, command, day};

/// The item.
pub const LICENCE: &str = "food-business-licence";

/// The shop: an enterprise.
pub const SHOP: &str = "luo-snack-bar";

/// Who decides.
pub const DEPARTMENT: &str = "market-supervision-bureau";

/// Everything that the item lets an agent do.
pub const POWERS: [Power; 4] = [
    Power::Submit,
    Power::Supplement,
    Power::ReceiveNotices,
    Power::ReceiveDocument,
];

/// Length of the term, in days.
const TERM: i64 = 90;

/// The agent of the town centre who serves the shop owner.
///
/// # Panics
/// When the sample has none.
#[must_use]
pub fn delegate(world: &World) -> Person {
    world.sample.person("liu-chunyan").expect("in the sample")
}

/// The operator of the shop signs by hand.
#[must_use]
pub fn signature(at: Timestamp) -> Signature {
    Signature {
        capacity: Capacity::LegalRepresentative.into(),
        capacity_proof: "营业执照载明的经营者".to_owned(),
        form: SignatureForm::Handwritten.into(),
        proof: "协议原件".to_owned(),
        witness: String::new(),
        signed_at: Some(at),
    }
}

/// Somebody signs in person.
#[must_use]
pub fn own_signature(at: Timestamp) -> Signature {
    Signature {
        capacity: Capacity::Self_.into(),
        capacity_proof: String::new(),
        ..signature(at)
    }
}

impl Story {
    /// A case that an agent opens about an item, of this kind.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn opened_about(
        world: &World,
        agent: &Person,
        (applicant, item): (&str, &str),
        kind: CaseKind,
    ) -> Self {
        let client: Client = world.person(agent);
        let mut story = Self::before(world, client);
        let mut request = story.opening(world, agent, applicant).await;
        item.clone_into(&mut request.item);
        request.set_kind(kind);
        let answer = story.cases.open_case(story.client.request(request)).await;
        story.take(answer).expect("opened");
        story
    }

    /// The shop owner wants it obtained for him.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn opened_for_agency(world: &World) -> Self {
        Self::opened_about(world, &delegate(world), (SHOP, LICENCE), CaseKind::Agency).await
    }

    /// The request that draws up an agreement of these powers from today on.
    ///
    /// # Panics
    /// When the clock cannot be read.
    pub async fn drafting(&self, world: &World, powers: &[Power]) -> DraftDelegationRequest {
        let now = world.now().await.seconds;
        DraftDelegationRequest {
            powers: powers.iter().map(|p| (*p).into()).collect(),
            from: day(now),
            until: day(now + TERM * DAY),
            ..DraftDelegationRequest::default()
        }
    }

    /// The agreement is drawn up, with these powers.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn drafted(mut self, world: &World, powers: &[Power]) -> Self {
        let draft = self.drafting(world, powers).await;
        command!(
            self,
            draft_delegation,
            DraftDelegationRequest {
                powers: draft.powers,
                from: draft.from,
                until: draft.until,
            }
        )
        .expect("drawn up");
        self
    }

    /// The last agreement is signed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn signed(mut self, signature: Signature) -> Self {
        let number = self.case.agreements.last().map_or(0, |a| a.number);
        command!(
            self,
            sign_delegation,
            SignDelegationRequest {
                number: number,
                signature: Some(signature),
            }
        )
        .expect("signed");
        self
    }

    /// Pre-checked, drawn up with all powers and signed by the operator of the shop.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn delegated(self, world: &World) -> Self {
        let story = self.pre_checked().await.drafted(world, &POWERS).await;
        story.signed(signature(world.now().await)).await
    }

    /// The agent files for the principal.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn filed_for_principal(mut self) -> Self {
        command!(
            self,
            file_application,
            FileApplicationRequest {
                applicant_signed: false
            }
        )
        .expect("filed");
        self
    }
}
