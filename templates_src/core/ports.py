"""Ports, each written here only: group rules, target groups, containers and health checks refer to them."""

HTTP = 80
HTTPS = 443
API = 8000
SEARCH = 7700
DATABASE = 5432
CACHE = 6379
# ElastiCache Serverless serves reads from replicas on the port after the first.
CACHE_READER = 6380

HEALTH_PATH = "/api/v1/health"
