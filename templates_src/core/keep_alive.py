"""How long idle connections between the load balancer and the api stay open.

The load balancer reuses connections until its idle time-out. A server that closes them sooner makes some requests fail with 502.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
"""

from __future__ import annotations

MAX_IDLE_SECONDS = 4000
"""The largest idle time-out of an Application Load Balancer."""

KEEP_ALIVE_SECONDS = 4060
"""How long uvicorn keeps an idle connection: longer than every idle time-out. The load balancer closes it earlier."""

OPTION = "--timeout-keep-alive"
KEEP_ALIVE = f"{OPTION} {KEEP_ALIVE_SECONDS} --proxy-headers"
FORMER_KEEP_ALIVE = f"{OPTION} 75 --proxy-headers"
"""Of the default ApiCommand before 1.2.0, which an update keeps."""
