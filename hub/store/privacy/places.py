"""Every table's place. Those that are found by a contact's address come before the contacts, and customers last."""

from collections.abc import Mapping

from hub.store.privacy import acts, records, standing
from hub.store.privacy.place import Place

PLACES: tuple[Place, ...] = (*acts.PLACES, *standing.PLACES, *records.PLACES)
BY_TABLE: Mapping[str, Place] = {place.name: place for place in PLACES}
