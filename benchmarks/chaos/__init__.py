"""Attacks on the runs of `pipeline`: faults of the network, kills, signals, rivals, expired leases, readers, clocks."""
