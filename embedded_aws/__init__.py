"""An AWS for rehearsals on the loopback interface, in a separate process.

The package adds to ministack what it lacks: resource types, nested stacks that use the whole engine, validation of
properties, checks of parameters. `python -m embedded_aws` runs it for any AWS client; `embedded_aws.server.EmbeddedAws`
starts and stops it for a program. A successful launch proves that the templates fit together; it does not prove quotas
or capacity.
"""
