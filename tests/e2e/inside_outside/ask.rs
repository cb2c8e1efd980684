//! Asks each method that reads about one matter.

use bangban::client::Client;
use bangban_proto::bangban::{
    casework::v1::{
        CheckCompletenessRequest, ExplainDueTimeRequest, ExportLedgerRequest, GetAgreementRequest,
        GetCaseByReceiptRequest, GetCaseRequest, GetLedgerKeyRequest, GetNoticeRequest,
        GetProgressRequest, GetQualityRatesRequest, ListCasesRequest, ListCheckpointsRequest,
        ListReusableMaterialsRequest, case_service_client::CaseServiceClient,
        ledger_service_client::LedgerServiceClient,
    },
    clock::v1::{GetClockRequest, clock_service_client::ClockServiceClient},
    directory::v1::{
        CheckAssignmentRequest, DocumentKind, FindApplicantsRequest, GetApplicantRequest,
        GetCalendarRequest, GetDistrictRequest, GetItemRequest, GetRegionRequest, GetSiteRequest,
        GetStaffRequest, GetTransparencyRequest, ListDaysRequest, ListDepartmentsRequest,
        ListDistrictsRequest, ListItemChangesRequest, ListItemsRequest, ListRegionsRequest,
        ListRemindersRequest, ListRevealsRequest, ListRulesRequest, ListSitesRequest,
        ListStaffRequest, ProveIdentityRequest, applicant_service_client::ApplicantServiceClient,
        calendar_service_client::CalendarServiceClient,
        catalogue_service_client::CatalogueServiceClient,
        district_service_client::DistrictServiceClient, region_service_client::RegionServiceClient,
        rule_service_client::RuleServiceClient, site_service_client::SiteServiceClient,
        staff_service_client::StaffServiceClient,
    },
    events::v1::{TailRequest, event_feed_client::EventFeedClient},
    types::v1::Channel,
};
use bangban_tests::case::ITEM;
use tonic::Status;

use super::{
    Matter,
    ask_appointments::{ask_bookings, ask_capacity},
    ask_questions::{ask_checkpoints, ask_consultations},
};

/// Whether the matter is seen.
pub type Asked = Result<bool, Status>;

/// Asks a method; answers whether the matter is seen. None for a method that nobody asks.
pub async fn ask(path: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let (path, variant) = path.split_once(' ').unwrap_or((path, ""));
    let (service, method) = path.rsplit_once('/')?;
    match service.rsplit('.').next()? {
        "CaseService" => ask_cases(method, variant, client, m).await,
        "LedgerService" => ask_ledger(method, variant, client, m).await,
        "ConsultationService" => ask_consultations(method, variant, client, m).await,
        "BookingService" => ask_bookings(method, variant, client, m).await,
        "CapacityService" => ask_capacity(method, client, m).await,
        "CheckpointService" => ask_checkpoints(method, client, m).await,
        "EventFeed" => Some(tail(variant, client, m).await),
        "ApplicantService" => ask_applicants(method, variant, client, m).await,
        "StaffService" => ask_staff(method, variant, client, m).await,
        "ClockService" => {
            let request = client.request(GetClockRequest::default());
            let mut clock = ClockServiceClient::new(client.channel());
            Some(clock.get_clock(request).await.map(|_| true))
        }
        _ => ask_public(method, client, m).await,
    }
}

async fn ask_cases(method: &str, variant: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let mut cases = CaseServiceClient::new(client.channel());
    let case = || m.case.clone();
    Some(match method {
        "GetCase" => {
            let request = about!(m, client, GetCaseRequest { case: case() });
            cases
                .get_case(request)
                .await
                .map(|c| c.get_ref().id == m.case)
        }
        "GetCaseByReceipt" => {
            let request = about!(
                m,
                client,
                GetCaseByReceiptRequest {
                    receipt: m.receipt.clone()
                }
            );
            let answer = cases.get_case_by_receipt(request).await;
            answer.map(|c| c.get_ref().id == m.case)
        }
        "GetNotice" => {
            let request = about!(m, client, GetNoticeRequest { case: case() });
            cases
                .get_notice(request)
                .await
                .map(|n| n.get_ref().item.is_some())
        }
        "GetAgreement" => {
            let agency = m.agency.clone();
            let request = about!(m, client, GetAgreementRequest { case: agency });
            let answer = cases.get_agreement(request).await;
            answer.map(|a| !a.get_ref().text.is_empty())
        }
        "CheckCompleteness" => {
            let request = about!(m, client, CheckCompletenessRequest { case: case() });
            cases.check_completeness(request).await.map(|_| true)
        }
        "ExplainDueTime" => {
            let clock = "decision".to_owned();
            let request = about!(
                m,
                client,
                ExplainDueTimeRequest {
                    case: case(),
                    clock: clock
                }
            );
            let answer = cases.explain_due_time(request).await;
            answer.map(|e| !e.get_ref().days.is_empty())
        }
        "ListReusableMaterials" => {
            let request = about!(m, client, ListReusableMaterialsRequest { case: case() });
            cases.list_reusable_materials(request).await.map(|_| true)
        }
        "GetProgress" => {
            let document_end = m.document.chars().skip(12).collect();
            let receipt = m.receipt.clone();
            let request = client.request(GetProgressRequest {
                district: m.district.clone(),
                receipt,
                document_end,
            });
            let answer = cases.get_progress(request).await;
            answer.map(|p| !p.get_ref().steps.is_empty())
        }
        "GetQualityRates" => {
            let (from, to) = (m.today.clone(), m.today.clone());
            let request = about!(m, client, GetQualityRatesRequest { from: from, to: to });
            let answer = cases.get_quality_rates(request).await;
            answer.map(|r| r.get_ref().closed_count > 0)
        }
        "ListCases" => {
            let mut request = ListCasesRequest {
                district: m.district.clone(),
                page_size: 500,
                ..ListCasesRequest::default()
            };
            match variant {
                "by agent" => request.agent = "hu-yulian".to_owned(),
                "by applicant" => request.applicant.clone_from(&m.applicant),
                "by item" => request.item = ITEM.to_owned(),
                "by state" => request.state = 7,
                _ => {}
            }
            let answer = cases.list_cases(client.request(request)).await;
            answer.map(|l| l.get_ref().cases.iter().any(|c| c.id == m.case))
        }
        _ => return None,
    })
}

async fn ask_ledger(method: &str, variant: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let mut ledgers = LedgerServiceClient::new(client.channel());
    Some(match method {
        "ExportLedger" => export(variant, client, m).await,
        "GetLedgerKey" => {
            let request = client.request(GetLedgerKeyRequest::default());
            let answer = ledgers.get_ledger_key(request).await;
            answer.map(|k| k.get_ref().public_key.len() == 32)
        }
        "ListCheckpoints" => {
            let request = about!(m, client, ListCheckpointsRequest {});
            ledgers.list_checkpoints(request).await.map(|_| true)
        }
        _ => return None,
    })
}

async fn export(variant: &str, client: &Client, m: &Matter) -> Asked {
    let case = if variant.is_empty() {
        ""
    } else {
        m.case.as_str()
    };
    let request = about!(
        m,
        client,
        ExportLedgerRequest {
            case: case.to_owned()
        }
    );
    let mut stream = LedgerServiceClient::new(client.channel())
        .export_ledger(request)
        .await?
        .into_inner();
    let mut is_seen = false;
    while let Some(part) = stream.message().await? {
        is_seen |= part.lines.iter().any(|line| line.contains(&m.case));
    }
    Ok(is_seen)
}

async fn tail(variant: &str, client: &Client, m: &Matter) -> Asked {
    let (log, thing) = match variant {
        "" => ("casework", &m.case),
        "of consultation" => ("consultation", &m.consultation),
        _ => ("directory", &m.applicant),
    };
    let request = TailRequest {
        log: log.to_owned(),
        until_caught_up: true,
        ..TailRequest::default()
    };
    let mut stream = EventFeedClient::new(client.channel())
        .tail(client.request(request))
        .await?
        .into_inner();
    let mut is_seen = false;
    while let Some(batch) = stream.message().await? {
        is_seen |= batch.acts.iter().any(|act| act.subject.contains(thing));
    }
    Ok(is_seen)
}

async fn ask_applicants(method: &str, variant: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let mut people = ApplicantServiceClient::new(client.channel());
    let applicant = || m.applicant.clone();
    Some(match method {
        "GetApplicant" => {
            let request = about!(
                m,
                client,
                GetApplicantRequest {
                    applicant: applicant()
                }
            );
            people
                .get_applicant(request)
                .await
                .map(|a| a.get_ref().id == m.applicant)
        }
        "FindApplicants" => {
            let mut request = FindApplicantsRequest {
                district: m.district.clone(),
                ..FindApplicantsRequest::default()
            };
            if variant.is_empty() {
                request.set_document_kind(DocumentKind::ResidentId);
                request.document.clone_from(&m.document);
            } else {
                request.telephone.clone_from(&m.telephone);
            }
            let answer = people.find_applicants(client.request(request)).await;
            answer.map(|f| f.get_ref().applicants.iter().any(|a| a.id == m.applicant))
        }
        "ListReveals" => {
            let of = if variant.is_empty() {
                String::new()
            } else {
                applicant()
            };
            let request = about!(m, client, ListRevealsRequest { applicant: of });
            let answer = people.list_reveals(request).await;
            answer.map(|l| {
                l.get_ref()
                    .reveals
                    .iter()
                    .any(|r| r.applicant == m.applicant)
            })
        }
        "ListReminders" => {
            let request = about!(m, client, ListRemindersRequest {});
            people.list_reminders(request).await.map(|_| true)
        }
        "ProveIdentity" => {
            let document = m.document.clone();
            let request = client.request(ProveIdentityRequest {
                district: m.district.clone(),
                applicant: applicant(),
                document,
            });
            people
                .prove_identity(request)
                .await
                .map(|p| p.get_ref().is_proved)
        }
        _ => return None,
    })
}

async fn ask_staff(method: &str, variant: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let mut staff = StaffServiceClient::new(client.channel());
    let id = || "hu-yulian".to_owned();
    let station = || "yandengbao-village-station".to_owned();
    Some(match method {
        "GetStaff" => {
            let request = about!(m, client, GetStaffRequest { staff: id() });
            staff
                .get_staff(request)
                .await
                .map(|s| s.get_ref().id == id())
        }
        "ListStaff" => {
            let site = if variant.is_empty() {
                String::new()
            } else {
                station()
            };
            let request = about!(
                m,
                client,
                ListStaffRequest {
                    site: site,
                    page_size: 500
                }
            );
            let answer = staff.list_staff(request).await;
            answer.map(|l| l.get_ref().staff.iter().any(|s| s.id == id()))
        }
        "CheckAssignment" => {
            let request = client.request(CheckAssignmentRequest {
                district: m.district.clone(),
                staff: id(),
                site: station(),
                item: ITEM.to_owned(),
                channel: Channel::Window.into(),
                applicant: m.applicant.clone(),
            });
            staff.check_assignment(request).await.map(|_| true)
        }
        _ => return None,
    })
}

/// What the law makes public, and districts.
async fn ask_public(method: &str, client: &Client, m: &Matter) -> Option<Asked> {
    let channel = client.channel();
    Some(match method {
        "GetCalendar" => {
            let request = about!(m, client, GetCalendarRequest {});
            CalendarServiceClient::new(channel)
                .get_calendar(request)
                .await
                .map(|_| true)
        }
        "ListDays" => {
            let request = about!(
                m,
                client,
                ListDaysRequest {
                    from: m.today.clone(),
                    days: 2
                }
            );
            let answer = CalendarServiceClient::new(channel).list_days(request).await;
            answer.map(|l| l.get_ref().days.len() == 2)
        }
        "GetItem" => {
            let request = about!(
                m,
                client,
                GetItemRequest {
                    item: ITEM.to_owned()
                }
            );
            CatalogueServiceClient::new(channel)
                .get_item(request)
                .await
                .map(|_| true)
        }
        "ListItems" => {
            let answer = CatalogueServiceClient::new(channel)
                .list_items(about!(m, client, ListItemsRequest {}))
                .await;
            answer.map(|l| l.get_ref().items.iter().any(|i| i.code == ITEM))
        }
        "ListItemChanges" => {
            let answer = CatalogueServiceClient::new(channel)
                .list_item_changes(about!(m, client, ListItemChangesRequest {}))
                .await;
            answer.map(|l| l.get_ref().changes.iter().any(|c| c.code == ITEM))
        }
        "ListDepartments" => {
            let answer = CatalogueServiceClient::new(channel)
                .list_departments(about!(m, client, ListDepartmentsRequest {}))
                .await;
            answer.map(|l| !l.get_ref().departments.is_empty())
        }
        "GetTransparency" => {
            let answer = CatalogueServiceClient::new(channel)
                .get_transparency(about!(m, client, GetTransparencyRequest {}))
                .await;
            answer.map(|t| t.get_ref().item_count > 0)
        }
        "ListRules" => {
            let request = about!(m, client, ListRulesRequest {});
            RuleServiceClient::new(channel)
                .list_rules(request)
                .await
                .map(|_| true)
        }
        "GetSite" => {
            let site = "yandengbao-village-station".to_owned();
            let request = about!(m, client, GetSiteRequest { site: site });
            SiteServiceClient::new(channel)
                .get_site(request)
                .await
                .map(|_| true)
        }
        "ListSites" => {
            let request = about!(m, client, ListSitesRequest {});
            let answer = SiteServiceClient::new(channel).list_sites(request).await;
            answer.map(|l| !l.get_ref().sites.is_empty())
        }
        "GetRegion" => {
            let request = client.request(GetRegionRequest {
                code: "420527".to_owned(),
            });
            RegionServiceClient::new(channel)
                .get_region(request)
                .await
                .map(|_| true)
        }
        "ListRegions" => {
            let request = client.request(ListRegionsRequest::default());
            let answer = RegionServiceClient::new(channel)
                .list_regions(request)
                .await;
            answer.map(|l| !l.get_ref().regions.is_empty())
        }
        "GetDistrict" => {
            let request = about!(m, client, GetDistrictRequest {});
            DistrictServiceClient::new(channel)
                .get_district(request)
                .await
                .map(|_| true)
        }
        "ListDistricts" => {
            let request = client.request(ListDistrictsRequest::default());
            let answer = DistrictServiceClient::new(channel)
                .list_districts(request)
                .await;
            answer.map(|l| l.get_ref().districts.iter().any(|d| d.id == m.district))
        }
        _ => return None,
    })
}
