//! Rules of service.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    AttestRuleRequest, ListRulesRequest, ListRulesResponse, PublishRuleRequest, Rule, RuleChange,
    Site,
};
use bangban_store::Error;

use super::{On, cut_rows, whole};
use crate::{
    Directory,
    domain::{rule, site},
    store::resource::{self, Place},
};

/// Where a version stands: the newest version of each rule first.
pub(super) fn place(scope: &Scope, rule: &Rule) -> Place {
    let id = format!("{}@{}", rule.code, rule.version);
    Place {
        parent: rule.code.clone(),
        sort: format!("{}@{:010}", rule.code, u32::MAX - rule.version),
        ..Place::new(scope, "rule", id)
    }
}

impl Directory {
    pub(crate) async fn publish_rule(
        &self,
        caller: &Caller,
        request: &PublishRuleRequest,
    ) -> Result<RuleChange, Error> {
        let decide = move |on: On| async move {
            whole(&on.scope)?;
            let asked = request.rule.clone().unwrap_or_default();
            let place = place(&on.scope, &asked);
            let found = self.row::<Rule>(&on.scope, place.kind, &place.id).await?;
            let published = rule::publish(found.is_some(), &asked)?;
            Ok(on.put(&place, found.as_ref(), published))
        };
        self.change(caller, request, decide).await
    }

    pub(crate) async fn attest_rule(
        &self,
        caller: &Caller,
        request: &AttestRuleRequest,
    ) -> Result<RuleChange, Error> {
        let decide = move |on: On| async move {
            let id = format!("{}@{}", request.rule, request.version);
            let found = self.row::<Rule>(&on.scope, "rule", &id).await?;
            let row = found.ok_or_else(rule::rule_unknown)?;
            // Within the caller's reach: nobody attests for a site elsewhere.
            let site = self.row::<Site>(&on.scope, "site", &request.site).await?;
            site.ok_or_else(site::site_unknown)?;
            let place = place(&on.scope, &row.body);
            Ok(on.put(
                &place,
                Some(&row),
                rule::attest(row.body.clone(), &request.site),
            ))
        };
        self.change(caller, request, decide).await
    }

    pub(crate) async fn list_rules(
        &self,
        _: &Caller,
        request: &ListRulesRequest,
    ) -> Result<ListRulesResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let page = Page::new(
            request.page_size,
            &request.page_token,
            &["ListRules", &request.district],
        )?;
        let scope = Scope::whole(&request.district);
        let rows = resource::page::<Rule>(&self.store.db, &scope, "rule", "", "", &page).await?;
        let (rules, next_page_token) = cut_rows(rows, &page);
        Ok(ListRulesResponse {
            rules,
            next_page_token,
        })
    }
}
