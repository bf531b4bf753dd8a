"""Updates from earlier releases to this one: data, resources and values that must stay."""
