"""Launch, update, show and terminate environments with Service Catalog, as a user of the product."""
