"""Files of a folder or an object store, as a source."""
