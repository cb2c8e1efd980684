//! Who learns what.

/// What each learns: S sees it, 0 an answer without it, N not found, D denied, U asked to log in.
///
/// A path may have several rows: its filters, and the whole beside the part. What this process does not serve is not asked.
pub const TABLE: [(&str, &str); 76] = [
    (
        "/bangban.casework.v1.CaseService/CheckCompleteness",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ExplainDueTime",
        "SNSSSSSDDSNDDDUS",
    ),
    // The agreement is about a matter of the other department.
    (
        "/bangban.casework.v1.CaseService/GetAgreement",
        "SNSSSSSDDNSDDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/GetCase",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/GetCaseByReceipt",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/GetNotice",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/GetProgress",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.casework.v1.CaseService/GetQualityRates",
        "S0SSSSSDDDDDDDUD",
    ),
    (
        "/bangban.casework.v1.CaseService/ListCases",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ListCases by agent",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ListCases by applicant",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ListCases by item",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ListCases by state",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ListReusableMaterials",
        "SNDDDDDDDDDDDDUD",
    ),
    (
        "/bangban.casework.v1.LedgerService/ExportLedger",
        "S0SSSSSDDDDDDDUD",
    ),
    (
        "/bangban.casework.v1.LedgerService/ExportLedger of the case",
        "SNSSSSSDDDDDDDUD",
    ),
    // A public key is the same for everybody who verifies.
    (
        "/bangban.casework.v1.LedgerService/GetLedgerKey",
        "DDSSSSSDSDDDDDUS",
    ),
    (
        "/bangban.casework.v1.LedgerService/ListCheckpoints",
        "DDSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.clock.v1.ClockService/GetClock",
        "SSSSSDDSSDDDDDUS",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ExplainReplyTime",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ExportRegister",
        "S0SSSSSDDDDDDDUD",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ExportRegister in clear",
        "DDDDSSSDDDDDDDUD",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/GetConsultation",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/GetConsultationRates",
        "S0SSSSSDDDDDDDUD",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ListConsultations",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ListConsultations by agent",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ListConsultations by applicant",
        "S0SSSSSDDS0DDDUS",
    ),
    (
        "/bangban.consultation.v1.ConsultationService/ListConsultations by state",
        "S0SSSSSDDS0DDDUS",
    ),
    // Applicants belong to their district: whoever serves there may find them, masked.
    (
        "/bangban.directory.v1.ApplicantService/FindApplicants",
        "SSDDSDDDDDDDDDUD",
    ),
    (
        "/bangban.directory.v1.ApplicantService/FindApplicants by telephone",
        "SSDDSDDDDDDDDDUD",
    ),
    (
        "/bangban.directory.v1.ApplicantService/GetApplicant",
        "SSSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.directory.v1.ApplicantService/ListReveals",
        "DDDDSSSDDDDDDDUD",
    ),
    (
        "/bangban.directory.v1.ApplicantService/ListReveals of the applicant",
        "DDDDSSSDDDDDDDUD",
    ),
    (
        "/bangban.directory.v1.ApplicantService/ListReminders",
        "SSSSSDDDDDDDDDUD",
    ),
    (
        "/bangban.directory.v1.ApplicantService/ProveIdentity",
        "DDDDDDDDDDDDDDUS",
    ),
    (
        "/bangban.directory.v1.CalendarService/GetCalendar",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.CalendarService/ListDays",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.CatalogueService/GetItem",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.CatalogueService/GetTransparency",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.CatalogueService/ListDepartments",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.CatalogueService/ListItemChanges",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.CatalogueService/ListItems",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.DistrictService/GetDistrict",
        "SSSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.directory.v1.DistrictService/ListDistricts",
        "SSSSSSS00DDDDDUS",
    ),
    (
        "/bangban.directory.v1.RegionService/GetRegion",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.RegionService/ListRegions",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.RuleService/ListRules",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.SiteService/GetSite",
        "SSSSSSSSSSSSSSSS",
    ),
    (
        "/bangban.directory.v1.SiteService/ListSites",
        "SSSSSSSSSSSSSSSS",
    ),
    // Whoever offers a hand-over asks about an agent elsewhere.
    (
        "/bangban.directory.v1.StaffService/CheckAssignment",
        "SSSSSDDDDDDDDDUS",
    ),
    (
        "/bangban.directory.v1.StaffService/GetStaff",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.directory.v1.StaffService/ListStaff",
        "S0SSSSSDDDDDDDUS",
    ),
    (
        "/bangban.directory.v1.StaffService/ListStaff of the site",
        "S0SSSSSDDDDDDDUS",
    ),
    ("/bangban.events.v1.EventFeed/Tail", "DDDDDDDDDDDDDDUS"),
    (
        "/bangban.events.v1.EventFeed/Tail of consultation",
        "DDDDDDDDDDDDDDUS",
    ),
    (
        "/bangban.events.v1.EventFeed/Tail of directory",
        "DDDDDDDDDDDDDDUS",
    ),
    // Everybody in a district books at all of its sites.
    (
        "/bangban.scheduling.v1.BookingService/GetAvailability",
        "SSSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/GetBooking",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/GetBookingRates",
        "S0SSSSSDDDDDDDUD",
    ),
    (
        "/bangban.scheduling.v1.BookingService/GetCalendarEntry",
        "SNSSSSSDDDDDDDUS",
    ),
    // Whoever has a link has what it says, and nothing about the person.
    (
        "/bangban.scheduling.v1.BookingService/GetLinkedBooking",
        "SSSSSSSSSSSSSSSS",
    ),
    // How appointments were kept belongs to the district, as the applicant does.
    (
        "/bangban.scheduling.v1.BookingService/GetStanding",
        "SSSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/GetWaiting",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/ListBookings",
        "S0SSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/ListBookings by applicant",
        "S0SSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/ListBookings of the case",
        "S0SSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/ListBookings of the site",
        "S0SSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.BookingService/ListWaiting",
        "S0SSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.CapacityService/GetBookingPolicy",
        "SSSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.CapacityService/GetDay",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.CapacityService/GetPublication",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.CapacityService/ListExceptions",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.CapacityService/ListTemplates",
        "SNSSSSSDDDDDDDUS",
    ),
    (
        "/bangban.scheduling.v1.CapacityService/PreviewChange",
        "SNSSSSSDDDDDDDUS",
    ),
    // Checkpoints are for the district and the tiers above it.
    (
        "/bangban.supervision.v1.CheckpointService/CompareCheckpoints",
        "DDDSSSSDDDDDDDUD",
    ),
    (
        "/bangban.supervision.v1.CheckpointService/ListKeptCheckpoints",
        "DDDSSSSDDDDDDDUD",
    ),
];
