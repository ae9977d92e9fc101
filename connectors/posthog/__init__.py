"""PostHog: events by HogQL, summed to days, groups as companies and persons as contacts."""
