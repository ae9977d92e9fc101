"""Pages and files for people's browsers. They hold no data: what they show they ask of the API, with a token."""
