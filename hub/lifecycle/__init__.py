"""What becomes of customers: onboarding, health watch, renewal, expansion, advocacy.

Each area keeps, for all customers at once, where they stand (the columns of the table `lifecycle`, and rows of its own), and
does what people ask for. It sends nothing itself: playbooks act on what stands there, so that everything the hub says to
anybody is planned, stopped, counted and tried on the past in one way.

Areas do not know each other. hub.compose.lifecycle runs them after every scoring, before playbooks fire.
"""
