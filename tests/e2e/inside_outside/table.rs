//! Who learns what.

/// What each learns: S sees it, 0 an answer without it, N not found, D denied, U asked to log in.
///
/// A path may have several rows: its filters, and the whole beside the part.
pub const TABLE: [(&str, &str); 42] = [
    (
        "/bangban.casework.v1.CaseService/CheckCompleteness",
        "SNSSSSSDDSNDDDUS",
    ),
    (
        "/bangban.casework.v1.CaseService/ExplainDueTime",
        "SNSSSSSDDSNDDDUS",
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
    (
        "/bangban.clock.v1.ClockService/GetClock",
        "SSSSSDDSSDDDDDUS",
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
        "/bangban.events.v1.EventFeed/Tail of directory",
        "DDDDDDDDDDDDDDUS",
    ),
];
