"""The operations of Service Catalog users: browse, launch, update and terminate, with the permissions of the launch role."""
