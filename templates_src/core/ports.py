"""Ports. Security group rules, target groups, containers and health checks refer to them."""

HTTP = 80
HTTPS = 443
API = 8000
SEARCH = 7700
DATABASE = 5432
CACHE = 6379
# Only a serverless cache listens on this port, for reads from replicas. The reader endpoint of a replication group has
# another host name and the port of the primary.
CACHE_READER = 6380

HEALTH_PATH = "/api/v1/health"
