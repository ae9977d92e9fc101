"""Google Analytics 4: days of use by customer, from reports of the Data API."""
