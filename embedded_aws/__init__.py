"""An AWS for rehearsals, on the loopback interface, in a separate process.

It is ministack with what it lacks added from outside: resource types, nested stacks through the
full engine, property validation, parameter checks. `python -m embedded_aws` runs it for any AWS
client; `embedded_aws.server.EmbeddedAws` starts and stops it for a program. A launch that is green
here proves that the templates fit together; it does not prove quotas, permissions or capacity.
"""
