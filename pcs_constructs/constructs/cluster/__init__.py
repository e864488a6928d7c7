"""Clusters, their queues and endpoints."""
