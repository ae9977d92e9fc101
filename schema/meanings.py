"""What each field means that customers are chosen by, as the SDL tells it: facts in the words of their catalogue."""

from collections.abc import Mapping

from hub.model.conditions import Field
from scoring.facts import CATALOGUE

_WORDS: Mapping[str, str] = {
    "name": "as the CRM says",
    "domain": "the first that the CRM says",
    "industry": "as the CRM says",
    "country": "as the CRM says",
    "employees": "as the CRM says",
    "csm_name": "name of the CSM who owns the customer",
    "became_customer_on": "as the CRM says",
    "created_at": "when the hub first heard of it",
    "health": "in force, an override included; 0 to 1, higher is healthier",
    "band": "of that health",
    "previous_band": "of the scorecard before",
    "coverage": "share of the score's weight that is backed by live data, 0 to 1",
    "churn_risk": "probability within the primary horizon, 0 to 1; none of who has given notice",
    "churn_annualised": "the same within a year",
    "churn_band": "by the probability within a year",
    "health_change_30d": "health against the newest score 30 to 45 days before; negative where it fell",
    "onboarding_state": "of the newest onboarding",
    "onboarding_pace": "of an active onboarding",
    "onboarding_step": "of an active onboarding: name of the step whose turn it is",
    "onboarding_progress": "share of the required steps that are done, 0 to 1",
    "onboarding_days": "days since its start, until it ended",
    "onboarding_step_days": "days since its step's turn came",
    "watch_level": "what health has been for long enough to count",
    "watch_days": "whole days that level has lasted",
    "churn_level": "what the churn risk has been for long enough to count",
    "churn_days": "whole days that level has lasted",
    "renewal_status": "of the current term",
    "renewal_days": "days until the renewal; negative after it",
    "renewal_on": "day of the renewal",
    "renewal_auto": "whether it renews by itself",
    "renewal_amount": "what renews, a year's, in the hub's currency",
    "renewal_expected": "that amount times its probability",
    "expansion_kind": "of the best open opportunity to expand",
    "expansion_value": "what that is expected to bring, a year's",
    "advocacy": "by its newest NPS answers",
    "advocacy_score": "of those answers, 0 to 10",
    "survey_asked_days": "days since anybody there was last asked by the hub",
}
_FACTS: Mapping[str, str] = {fact.name: fact.meaning for fact in CATALOGUE}


def meaning_of(field: Field, *, choices: bool) -> str | None:
    """In words, with the values it may have where `choices` says that its type does not tell them."""
    words = _WORDS.get(field.name) or _FACTS.get(field.name)
    if not choices or not field.choices:
        return words
    return "; ".join(filter(None, (words, f"one of {', '.join(field.choices)}, in small or capital letters")))
