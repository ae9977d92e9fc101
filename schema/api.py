"""The schema put together of the types of every noun; `schema.answering` answers requests with it."""

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from schema.access.audit import AuditQueries
from schema.access.mutations import AccessMutations
from schema.access.queries import AccessQueries
from schema.analytics.queries import AnalyticsQueries
from schema.analytics.reports import DigestMutations, DigestQueries
from schema.analytics.targets import TargetQueries
from schema.attention.mutations import AttentionMutations
from schema.attention.queries import AttentionQueries
from schema.backtest.mutations import BacktestMutations
from schema.customers.groups import CustomerGroupQueries
from schema.customers.identity import CustomerMerge, Identity
from schema.customers.identity_mutations import IdentityMutations
from schema.customers.identity_queries import IdentityQueries
from schema.customers.movements import BandMovementQueries
from schema.customers.mutations import CustomerMutations
from schema.customers.queries import CustomerQueries
from schema.customers.record_queries import RecordQueries
from schema.customers.records import Contact, ImportedScore, Invoice, Opportunity, Subscription, SurveyResponse, Ticket
from schema.lifecycle.advocacy import SurveyInvitation, SurveyQueries
from schema.lifecycle.advocacy_mutations import SurveyMutations
from schema.lifecycle.expansion import ExpansionOpportunity, ExpansionQueries
from schema.lifecycle.expansion_mutations import ExpansionMutations
from schema.lifecycle.onboarding import Onboarding, OnboardingQueries
from schema.lifecycle.onboarding_mutations import OnboardingMutations
from schema.lifecycle.renewals import Renewal, RenewalQueries
from schema.lifecycle.renewals_mutations import RenewalMutations
from schema.mail.mutations import MailMutations
from schema.mail.queries import MailQueries
from schema.models.mutations import ModelMutations
from schema.models.queries import ModelQueries
from schema.people.assigning import AssignmentMutations
from schema.people.mutations import NoteMutations
from schema.people.types import Note
from schema.permissions import Permissions, role_of
from schema.playbooks.alerts import AlertQueries
from schema.playbooks.groups import RecordGroupQueries
from schema.playbooks.many_alerts import AlertsMutations
from schema.playbooks.mutations import PlaybookMutations
from schema.playbooks.plan import PlanQueries
from schema.playbooks.queries import PlaybookQueries
from schema.playbooks.report import ReportQueries
from schema.playbooks.resend import DeliveryMutations
from schema.playbooks.steering import SteeringMutations, SteeringQueries
from schema.playbooks.types import Alert, Delivery, PlaybookRun
from schema.playbooks.versions import PlaybookVersionQueries
from schema.playbooks.working import WorkMutations
from schema.postmortem.queries import PostmortemQueries
from schema.preparing import Preparing
from schema.privacy.mutations import PrivacyMutations
from schema.privacy.queries import PrivacyQueries
from schema.scores.mutations import ScoreMutations
from schema.scores.queries import ScoreQueries
from schema.scores.types import Scorecard
from schema.segments.mutations import SegmentMutations
from schema.segments.queries import SegmentQueries
from schema.settings.queries import SettingsQueries
from schema.sources.care import SourceCareMutations
from schema.sources.mutations import SourceMutations
from schema.sources.queries import SourceQueries
from schema.sources.types import SyncRun
from schema.subscriptions.fields import Live, LiveQueries


@strawberry.type(description="Everything that can be read.")
class Query(
    CustomerQueries,
    CustomerGroupQueries,
    BandMovementQueries,
    RecordGroupQueries,
    SegmentQueries,
    RecordQueries,
    IdentityQueries,
    ScoreQueries,
    ModelQueries,
    PostmortemQueries,
    AlertQueries,
    PlaybookQueries,
    PlaybookVersionQueries,
    SettingsQueries,
    PlanQueries,
    ReportQueries,
    SteeringQueries,
    AttentionQueries,
    OnboardingQueries,
    RenewalQueries,
    ExpansionQueries,
    SurveyQueries,
    AnalyticsQueries,
    TargetQueries,
    DigestQueries,
    MailQueries,
    SourceQueries,
    LiveQueries,
    AccessQueries,
    AuditQueries,
    PrivacyQueries,
):
    pass


@strawberry.type(description="Everything that can be done. A payload's `errors` say what was not, and why.")
class Mutation(
    CustomerMutations,
    SegmentMutations,
    ScoreMutations,
    ModelMutations,
    PlaybookMutations,
    AlertsMutations,
    SteeringMutations,
    AttentionMutations,
    DeliveryMutations,
    MailMutations,
    DigestMutations,
    SourceMutations,
    SourceCareMutations,
    AccessMutations,
    BacktestMutations,
    OnboardingMutations,
    RenewalMutations,
    ExpansionMutations,
    SurveyMutations,
    PrivacyMutations,
    NoteMutations,
    AssignmentMutations,
    IdentityMutations,
    WorkMutations,
):
    pass


class Schema(strawberry.Schema):
    """Strawberry's schema, which leaves the logging of errors to `schema.answering`: only bugs are worth a traceback."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        return


SCHEMA = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Live,
    types=[
        Contact,
        Ticket,
        SurveyResponse,
        Subscription,
        Invoice,
        Opportunity,
        ImportedScore,
        Identity,
        CustomerMerge,
        Scorecard,
        Alert,
        PlaybookRun,
        Delivery,
        SyncRun,
        Onboarding,
        Renewal,
        ExpansionOpportunity,
        SurveyInvitation,
        Note,
    ],
    extensions=[Preparing, Permissions],
    config=StrawberryConfig(auto_camel_case=True),
)


def _check_roles() -> None:
    """Every root field was declared with a role, or the package does not import."""
    schema = SCHEMA._schema  # Strawberry shows graphql-core's schema nowhere else
    for type_ in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for field in type_.fields.values() if type_ is not None else ():
            role_of(field)


_check_roles()
