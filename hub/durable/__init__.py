"""Work that survives a restart: jobs that run soon, later, or on a schedule, in whichever process is alive.

`Durable` is the port the use cases know; `hub.durable.engine.DbosDurable` is what stands behind it. Importing this
package is cheap: the engine's library is loaded only by who composes it.

A job is a name, a handler of ours and an argument of plain JSON (ids, never rows). It runs **at least once**: a process
that dies in the middle leaves its job to another, which starts it from the beginning. So what a handler does twice must
be harmless; a run's own state lives in our store, and the engine only wakes it.
"""

from hub.durable.port import DEFAULT_QUEUE, Argument, Durable, Engine, Failure, Handler, Inspection, Json, plain

__all__ = ["DEFAULT_QUEUE", "Argument", "Durable", "Engine", "Failure", "Handler", "Inspection", "Json", "plain"]
