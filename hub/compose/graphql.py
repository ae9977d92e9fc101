"""The guard of the API, as hub.yaml's `graphql` says."""

from hub.settings import Settings
from hub.web.dashboard.serving import FOLDER, documents
from schema.guard.guard import Guard, Rules
from schema.guard.trusted import Document, Documents


def guard_of(settings: Settings) -> Guard:
    """One for the life of a process: it counts what tokens cost."""
    graphql = settings.hub.graphql
    return Guard(
        Rules(
            introspection=graphql.introspection,
            documents=_with_the_dashboard(settings.documents) if graphql.only_trusted else settings.documents,
            only_trusted=graphql.only_trusted,
            most_cost=graphql.cost.query,
            cost_per_minute=graphql.cost.minute,
            query_seconds=graphql.timeout.query,
            mutation_seconds=graphql.timeout.mutation,
        )
    )


def _with_the_dashboard(trusted: Documents) -> Documents:
    """Its pages go on where only trusted documents are answered."""
    own = [Document(name, text, FOLDER) for folder in ("", "actions") for name, text in documents(folder).items()]
    return Documents.of([*trusted, *own])
