"""The dashboard: pages for people, drawn from what the public GraphQL API answers to whoever is signed in.

page        what a page is: its path, its document, what it makes of the answer
asking      asks the API in the viewer's name, and tells an answer from a refusal
pages/      one module a page
words       how numbers, days and names are written
charts      drawings of hub.drawing inside a page
serving     the routes

A page has a template and a document of its name in templates/web/dashboard: `today.html` and `today.graphql`. What people
press sends a document of templates/web/dashboard/actions to /graphql, as any other frontend would.
"""

from hub.web.dashboard.asking import Ask, Asked
from hub.web.dashboard.serving import routes

__all__ = ["Ask", "Asked", "routes"]
