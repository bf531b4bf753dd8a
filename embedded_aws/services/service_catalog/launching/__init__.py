"""What users do in Service Catalog: browse, launch, update and terminate, with the launch role's permissions."""
