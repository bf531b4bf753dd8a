"""What the deletion of an environment deletes and keeps, what blocks it, and what stays in the account afterwards."""
