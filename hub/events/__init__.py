"""Those who watch: the log of events heard once a process, and handed on to all subscribers of the process.

    broadcast = Broadcast(store)
    async for parcel in broadcast.follow(key, audience, after=place): …

A subscriber reads the log from its place on until it has caught up, and is then told with the others of its audience. Whoever
is too slow is told so and let go; with the number of its last parcel it goes on later where it was.
"""

from hub.events.broadcast import Audience, Broadcast, find_place
from hub.events.outlet import EndedError, Ending, Outlet, Parcel

__all__ = ["Audience", "Broadcast", "EndedError", "Ending", "Outlet", "Parcel", "find_place"]
