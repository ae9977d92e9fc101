"""SurveyMonkey: answers to NPS and other scale questions of surveys."""
