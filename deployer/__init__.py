"""Deploys the procedures of sql/ to BigQuery, and calls them by date."""
