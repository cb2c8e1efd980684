//! Rules of service.

use bangban_kit::{identity::Caller, page::Page, scope::Scope};
use bangban_proto::bangban::directory::v1::{
    AttestRuleRequest, ListRulesRequest, ListRulesResponse, PublishRuleRequest, Rule, RuleChange,
    Site,
};
use bangban_store::{Error, Now};

use super::{Step, chain, cut, whole};
use crate::{
    Directory,
    domain::{rule, site},
    store::resource::{self, Place},
};

fn place(scope: &Scope, rule: &Rule) -> Place {
    Place {
        district: scope.district().to_owned(),
        kind: "rule",
        id: format!("{}@{}", rule.code, rule.version),
        parent: rule.code.clone(),
        // The newest version of each first.
        sort: format!("{}@{:010}", rule.code, u32::MAX - rule.version),
        ..Place::default()
    }
}

impl Directory {
    pub(crate) async fn publish_rule(
        &self,
        caller: &Caller,
        request: &PublishRuleRequest,
    ) -> Result<RuleChange, Error> {
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            whole(&scope)?;
            let asked = request.rule.clone().unwrap_or_default();
            let place = place(&scope, &asked);
            let found = resource::get::<Rule>(&self.store.db, &scope, "rule", &place.id).await?;
            let (act, state) = rule::publish(found.is_some(), &asked)?;
            let chain = chain(
                &scope,
                format!("rules/{}", place.id),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let states = vec![resource::put(&place, 0, &chain, &state, now)];
            Ok(Step::new(
                chain,
                RuleChange {
                    rule: Some(state),
                    ..RuleChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(RuleChange {
            position: position.to_string(),
            ..answer
        })
    }

    pub(crate) async fn attest_rule(
        &self,
        caller: &Caller,
        request: &AttestRuleRequest,
    ) -> Result<RuleChange, Error> {
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            let id = format!("{}@{}", request.rule, request.version);
            let found = resource::get::<Rule>(&self.store.db, &scope, "rule", &id).await?;
            let row = found.ok_or_else(rule::rule_unknown)?;
            // Within the caller's reach: nobody attests for a site elsewhere.
            let site = resource::get::<Site>(&self.store.db, &scope, "site", &request.site).await?;
            site.ok_or_else(site::site_unknown)?;
            let (act, state) = rule::attest(row.body.clone(), &request.site);
            let chain = chain(&scope, format!("rules/{id}"), Some(&row), act, caller, now);
            let states = vec![resource::put(
                &place(&scope, &state),
                row.version,
                &chain,
                &state,
                now,
            )];
            Ok(Step::new(
                chain,
                RuleChange {
                    rule: Some(state),
                    ..RuleChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(RuleChange {
            position: position.to_string(),
            ..answer
        })
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
        let (rules, next_page_token) = cut(rows, &page);
        Ok(ListRulesResponse {
            rules,
            next_page_token,
        })
    }
}
