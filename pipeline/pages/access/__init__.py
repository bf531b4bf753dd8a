"""Who may read, write and reach what: computed from the policies, security groups and ports of a rendered environment."""
