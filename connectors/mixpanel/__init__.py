"""Mixpanel: product events, summed to days, and group profiles as companies."""
