"""Provider schemas, and what they say of properties and regions."""
