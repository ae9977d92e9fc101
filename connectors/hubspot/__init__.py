"""HubSpot CRM: companies, contacts and deals."""
