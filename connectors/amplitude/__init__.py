"""Amplitude: product events of the export, summed to days, and the groups they name as companies."""
