//! Applicants: sealed, masked, found by keyed hashes, revealed on record, forgotten; and keys that rotate meanwhile.

use bangban_proto::bangban::directory::v1::{applicant_service_server::ApplicantService as _, *};
use bangban_seal::Keyring;

use crate::instance::*;

on_both! {
    bb_4_1c_who_is_registered_is_found_and_not_registered_twice
    bb_7_1_1_age_makes_a_group_without_being_declared
    bb_4_2b_a_document_or_its_end_proves_identity
    answers_are_masked_and_no_row_is_readable
    a_reveal_is_on_record_before_the_answer
    an_update_keeps_what_is_not_given_and_moves_the_telephone
    who_is_forgotten_is_found_by_nothing
    keys_that_another_process_rotated_are_used_at_once
    bb_10_1_1c_who_shows_no_document_may_ask_and_shows_it_later
}

async fn find(at: &Instance, request: FindApplicantsRequest) -> Vec<Applicant> {
    let request = FindApplicantsRequest {
        district: DISTRICT.into(),
        ..request
    };
    let answer = at.directory.find_applicants(by(&operator(), request)).await;
    answer.expect("found").into_inner().applicants
}

fn document(number: &str) -> FindApplicantsRequest {
    FindApplicantsRequest {
        document_kind: DocumentKind::ResidentId as i32,
        document: number.into(),
        ..FindApplicantsRequest::default()
    }
}

fn telephone(number: &str) -> FindApplicantsRequest {
    FindApplicantsRequest {
        telephone: number.into(),
        ..FindApplicantsRequest::default()
    }
}

fn reveal(applicant: &str) -> RevealApplicantRequest {
    RevealApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: applicant.into(),
        purpose: "核对姓名".into(),
    }
}

async fn bb_4_1c_who_is_registered_is_found_and_not_registered_twice(at: &Instance) {
    at.found_district().await;
    let lin_guie = at.register(lin()).await;
    let answer = at
        .directory
        .register_applicant(by(&operator(), lin()))
        .await;
    assert_eq!(refused(answer), with("APPLICANT_EXISTS", "BB-4.1c"));
    // Her daughter uses the same telephone.
    let daughter = RegisterApplicantRequest {
        document: "110101199003070134".into(),
        name: "林小娥".into(),
        ..lin()
    };
    let daughter = at.register(daughter).await;
    let found = find(at, document("４２０５２７19440308002x")).await;
    assert_eq!(found, std::slice::from_ref(&lin_guie));
    let mut found = find(at, telephone("+86 139 0000 0082")).await;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(found, [lin_guie, daughter]);
    assert!(find(at, telephone("13900000083")).await.is_empty());
    for (wrong, reason) in [
        (FindApplicantsRequest::default(), "EMPTY"),
        (document("420527194403080021"), "CHECKSUM_MISMATCH"),
    ] {
        let request = FindApplicantsRequest {
            district: DISTRICT.into(),
            ..wrong
        };
        let answer = at.directory.find_applicants(by(&operator(), request)).await;
        assert_eq!(refused(answer), with(reason, ""));
    }
}

async fn bb_7_1_1_age_makes_a_group_without_being_declared(at: &Instance) {
    at.found_district().await;
    let old = at.register(lin()).await;
    assert_eq!(old.groups, [1]);
    let young = RegisterApplicantRequest {
        document: "110101199003070134".into(),
        ..lin()
    };
    assert!(at.register(young).await.groups.is_empty());
    let enterprise = RegisterApplicantRequest {
        name: "秭归县示例餐饮有限公司".into(),
        document_kind: DocumentKind::CreditCode as i32,
        document: "91350100M000100Y43".into(),
        ..lin()
    };
    let enterprise = at.register(enterprise).await;
    assert!(enterprise.is_enterprise && enterprise.groups.is_empty());
}

async fn bb_4_2b_a_document_or_its_end_proves_identity(at: &Instance) {
    at.found_district().await;
    let person = at.register(lin()).await;
    for (given, is_proved) in [
        ("42052719440308002X", true),
        ("08002x", true),
        ("002X", false),
        (" ", false),
        ("420527194403080020", false),
    ] {
        let request = ProveIdentityRequest {
            district: DISTRICT.into(),
            applicant: person.id.clone(),
            document: given.into(),
        };
        let answer = at.directory.prove_identity(by(&operator(), request)).await;
        assert_eq!(
            answer.expect("told").into_inner().is_proved,
            is_proved,
            "{given:?}"
        );
    }
}

async fn answers_are_masked_and_no_row_is_readable(at: &Instance) {
    at.found_district().await;
    let request = lin();
    let person = at.register(request.clone()).await;
    let told = format!("{person:?}");
    let again = at
        .directory
        .register_applicant(by(&operator(), request.clone()));
    let again = format!("{:?}", again.await.expect("repeated"));
    for secret in [
        &request.name,
        &request.document,
        &request.telephone,
        &request.address,
    ] {
        assert!(
            !told.contains(secret) && !again.contains(secret),
            "{secret}"
        );
        let store = at.directory.store();
        for (table, columns) in [
            ("sealed", "name || document || telephone || address"),
            ("resources", "body"),
            ("acts", "payload || coalesce(answer, payload)"),
        ] {
            let sql = format!("SELECT {columns} FROM {table}");
            let query = sea_orm::Statement::from_string(store.backend, sql);
            let rows = sea_orm::ConnectionTrait::query_all_raw(&store.db, query).await;
            for row in rows.expect("rows") {
                let bytes: Vec<u8> = row.try_get_by_index(0).expect("bytes");
                let is_there = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!is_there, "{secret} in {table}");
            }
        }
    }
}

async fn a_reveal_is_on_record_before_the_answer(at: &Instance) {
    at.found_district().await;
    let person = at.register(lin()).await;
    let request = reveal(&person.id);
    let agent = bangban_kit::identity::Caller {
        subject: "agent".into(),
        site: "town".into(),
        ..from_region("420527101")
    };
    let first = at.directory.reveal_applicant(by(&agent, request.clone()));
    let first = first.await.expect("revealed").into_inner();
    assert_eq!(
        (first.name.as_str(), first.document.as_str()),
        ("林桂娥", "42052719440308002X")
    );
    assert_eq!(first.telephone, "+8613900000082");
    assert!(first.position.starts_with("directory."));
    let again = at.directory.reveal_applicant(by(&agent, request)).await;
    assert_eq!(again.expect("repeated").into_inner(), first);
    let list = ListRevealsRequest {
        district: DISTRICT.into(),
        ..ListRevealsRequest::default()
    };
    let reveals = at.directory.list_reveals(by(&operator(), list)).await;
    let reveals = reveals.expect("listed").into_inner().reveals;
    assert_eq!(reveals.len(), 1, "one look, however often it is answered");
    let actor = reveals[0].actor.clone().expect("an actor");
    assert_eq!(
        (actor.subject.as_str(), actor.site.as_str()),
        ("agent", "town")
    );
    assert_eq!(
        (reveals[0].applicant.as_str(), reveals[0].purpose.as_str()),
        (person.id.as_str(), "核对姓名")
    );
    // A repetition by somebody who has lost authority shows nothing.
    let moved = bangban_kit::identity::Caller {
        region: "420528".into(),
        ..agent.clone()
    };
    let other = reveal(&person.id);
    let shown = at.directory.reveal_applicant(by(&agent, other.clone()));
    shown.await.expect("revealed");
    let answer = at.directory.reveal_applicant(by(&moved, other)).await;
    assert_eq!(refused(answer), with("SCOPE_OUTSIDE_DISTRICT", "BB-1"));
}

async fn an_update_keeps_what_is_not_given_and_moves_the_telephone(at: &Instance) {
    at.found_district().await;
    let person = at.register(lin()).await;
    let update = UpdateApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: person.id.clone(),
        telephone: "13900000099".into(),
        wants_reminders: true,
        etag: person.etag.clone(),
        ..UpdateApplicantRequest::default()
    };
    let updated = at
        .directory
        .update_applicant(by(&operator(), update.clone()));
    let updated = updated.await.expect("updated").into_inner();
    let updated = updated.applicant.expect("an applicant");
    assert!(updated.wants_reminders);
    assert_eq!(updated.address_mask, person.address_mask);
    assert!(find(at, telephone("13900000082")).await.is_empty());
    assert_eq!(find(at, telephone("13900000099")).await, [updated]);
    let stale = UpdateApplicantRequest {
        request_id: id(),
        ..update
    };
    let answer = at.directory.update_applicant(by(&operator(), stale)).await;
    assert_eq!(refused(answer), with("STALE_ETAG", "BB-8d"));
}

async fn who_is_forgotten_is_found_by_nothing(at: &Instance) {
    at.found_district().await;
    let person = at.register(lin()).await;
    let erase = EraseApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: person.id.clone(),
        reason: "本人要求".into(),
        etag: person.etag.clone(),
    };
    let erased = at.directory.erase_applicant(by(&operator(), erase)).await;
    let erased = erased.expect("erased").into_inner().applicant;
    let erased = erased.expect("an applicant");
    assert!(erased.is_erased && erased.name_mask.is_empty());
    for table in ["sealed", "lookups"] {
        assert_eq!(at.count(table).await, 0, "{table}");
    }
    assert!(find(at, document("42052719440308002X")).await.is_empty());
    assert!(find(at, telephone("13900000082")).await.is_empty());
    let answer = at
        .directory
        .reveal_applicant(by(&operator(), reveal(&person.id)))
        .await;
    assert_eq!(refused(answer), with("APPLICANT_ERASED", ""));
    let request = ProveIdentityRequest {
        district: DISTRICT.into(),
        applicant: person.id.clone(),
        document: "42052719440308002X".into(),
    };
    let proof = at.directory.prove_identity(by(&operator(), request)).await;
    assert!(!proof.expect("told").into_inner().is_proved);
    // The same person may come again, as somebody new.
    assert_ne!(at.register(lin()).await.id, person.id);
}

async fn keys_that_another_process_rotated_are_used_at_once(at: &Instance) {
    at.found_district().await;
    let request = lin();
    let before = at.register(request.clone()).await;
    let mut ring = Keyring::open(at.config.keyring()).expect("the key file");
    ring.rotate().expect("rotated");
    ring.rotate_index().expect("rotated");
    // Another process has the new keys from its start; this one was open before.
    let other = at.another().await;
    let after = RegisterApplicantRequest {
        document: "110101199003070134".into(),
        telephone: "13900000099".into(),
        ..lin()
    };
    let after = other.register_applicant(by(&operator(), after)).await;
    let after = after.expect("registered").into_inner().applicant;
    let after = after.expect("an applicant");
    assert_eq!(
        find(at, document("110101199003070134")).await,
        std::slice::from_ref(&after)
    );
    assert_eq!(
        find(at, telephone("13900000082")).await,
        std::slice::from_ref(&before)
    );
    let shown = at
        .directory
        .reveal_applicant(by(&operator(), reveal(&after.id)));
    let shown = shown.await.expect("revealed").into_inner();
    assert_eq!(shown.document, "110101199003070134");
    let answer = other.register_applicant(by(&operator(), lin())).await;
    assert_eq!(refused(answer), with("APPLICANT_EXISTS", "BB-4.1c"));
    let again = at.directory.register_applicant(by(&operator(), request));
    let again = again.await.expect("repeated").into_inner().applicant;
    assert_eq!(again.expect("an applicant"), before);
}

async fn bb_10_1_1c_who_shows_no_document_may_ask_and_shows_it_later(at: &Instance) {
    at.open_sites().await;
    at.agent("agent", "town").await;
    let unshown = RegisterApplicantRequest {
        document_kind: DocumentKind::NotShown as i32,
        document: String::new(),
        ..lin()
    };
    let with_one = RegisterApplicantRequest {
        document: "42052719440308002X".into(),
        request_id: id(),
        ..unshown.clone()
    };
    let answer = at.directory.register_applicant(by(&operator(), with_one));
    assert_eq!(refused(answer.await).0, "DOCUMENT_NOT_EXPECTED");
    let without = RegisterApplicantRequest {
        document: String::new(),
        request_id: id(),
        ..lin()
    };
    let answer = at.directory.register_applicant(by(&operator(), without));
    assert_eq!(refused(answer.await).0, "DOCUMENT_MISSING");
    let person = at.register(unshown).await;
    assert_eq!(
        (person.document_mask.as_str(), &person.groups[..]),
        ("", &[][..])
    );
    assert_eq!(find(at, telephone("13900000082")).await.len(), 1);
    let check = at.check(assignment(&person.id)).await;
    assert_eq!(refused(check).0, "DOCUMENT_NOT_SHOWN");
    let shows = UpdateApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: person.id.clone(),
        document_kind: DocumentKind::ResidentId as i32,
        document: "42052719440308002X".into(),
        etag: person.etag.clone(),
        ..UpdateApplicantRequest::default()
    };
    let done = at
        .directory
        .update_applicant(by(&operator(), shows.clone()));
    let shown = done.await.expect("shown").into_inner().applicant;
    let shown = shown.expect("an applicant");
    assert_eq!(shown.groups, [1], "age makes a group");
    assert_eq!(find(at, document("42052719440308002X")).await.len(), 1);
    assert!(at.check(assignment(&person.id)).await.is_ok());
    let again = UpdateApplicantRequest {
        request_id: id(),
        etag: shown.etag,
        ..shows
    };
    let answer = at.directory.update_applicant(by(&operator(), again));
    assert_eq!(refused(answer.await).0, "DOCUMENT_SHOWN_ALREADY");
}
