"""The roles of people and machines: for launching, publishing, and testing in an account."""
