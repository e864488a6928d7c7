"""What AWS PCS allows by default in an account and Region, which Service Quotas can raise."""

from __future__ import annotations

from typing import Final

NODE_GROUPS: Final = 10
"""Compute node groups of a cluster. Source: AWS PCS quotas, as the next."""

QUEUES: Final = 10
"""Queues of a cluster."""
