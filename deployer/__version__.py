"""The package's version; setup.py and the run ledger read it here."""

__version__ = "0.1.0"
