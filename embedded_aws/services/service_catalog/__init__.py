"""AWS Service Catalog: portfolios, products, constraints, shares, and launches by CloudFormation."""


def install() -> None:
    """Add the service to ministack, and its templates to ministack's CloudFormation."""
    # Imported here, because the import of the package alone must not import ministack.
    from embedded_aws.resources.identity import roles
    from embedded_aws.services.records import plug_in
    from embedded_aws.services.service_catalog import wire
    from embedded_aws.services.service_catalog.launching import (
        foreign_buckets,
        object_reads,
        stacks,
    )

    foreign_buckets.install()
    object_reads.install()
    roles.install(object_reads.require)
    stacks.install()
    plug_in("servicecatalog", wire.ServiceCatalog(), target="AWS242ServiceCatalogService")
