"""An application that keeps the container contract; see docs/container-contract.md."""
