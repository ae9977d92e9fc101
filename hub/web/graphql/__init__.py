"""GraphQL over HTTP: what a request must look like, and what its answer looks like. Of GraphQL itself it knows nothing.

    endpoint    the ASGI application at /graphql: token, request, answer, and a client that hangs up
    reading     a request's body or query string -> Asked, or a BadRequestError that says what to do
    accept      which of the two media types the client wants
    origins     pages of other origins that may call it from a browser; none by default

With the cookie of somebody who is signed in only pages of the hub may call it (hub.web.browsers), by POST. Besides, what a
browser sends across sites without asking first is refused: POST takes nothing but JSON, and GET needs a header of its own.
"""
