"""Provider schemas: properties and regions."""
