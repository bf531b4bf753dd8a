"""Roles and policies: who may do what, and who trusts whom."""
