"""The guard of the API, as hub.yaml's `graphql` says."""

from hub.resources import TEMPLATES
from hub.settings import Settings
from schema.guard.guard import Guard, Rules
from schema.guard.trusted import Documents

DASHBOARD = TEMPLATES / "web" / "dashboard"


def guard_of(settings: Settings) -> Guard:
    """One for the life of a process: it counts what tokens cost."""
    graphql = settings.hub.graphql
    return Guard(
        Rules(
            introspection=graphql.introspection,
            # the dashboard goes on where only trusted documents are answered
            documents=Documents.of([*settings.documents, *Documents.read(DASHBOARD)])
            if graphql.only_trusted
            else settings.documents,
            only_trusted=graphql.only_trusted,
            most_cost=graphql.cost.query,
            cost_per_minute=graphql.cost.minute,
            query_seconds=graphql.timeout.query,
            mutation_seconds=graphql.timeout.mutation,
        )
    )
